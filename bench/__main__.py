"""`python -m bench`: the bare loop and `mailbot run --once` in turn over the same mails, and what single steps cost."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.durable_postgres import DurablePostgres
from bench.floors import measure_floors
from bench.generator import Letter, Signer, letters
from bench.names import Names
from bench.runs import Cheated, Measured, Surroundings, run_bare_loop, run_mailbot
from bench.sink import Sink
from tests.servers.dovecot import Dovecot

SEED = 1


def main(arguments: Sequence[str]) -> int:
    """0 when every run did its work, else 1."""
    options = _options(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailbot-bench-")))
        written, signer = list(letters(options.mails, options.seed)), Signer()
        mails = [signer.finished(letter) for letter in written]
        _say(_described(written, mails, options.seed))
        around = Surroundings(
            dovecot=stack.enter_context(Dovecot()),
            sink=stack.enter_context(Sink()),
            nameserver=stack.enter_context(Names(signer.zone())).address,
            folder=folder,
            mails=mails,
        )
        postgres = stack.enter_context(DurablePostgres()) if options.postgres else None
        try:
            _compare(around, options.rounds, postgres)
        except Cheated as cheated:
            _say(f"FAILED: {cheated}")
            return 1
        if not options.no_floors:
            _say("\none step alone, one process, a second:")
            for name, ours, theirs, rival in measure_floors(written, mails, signer):
                _say(
                    f"  {name:<34}{ours:>9,.0f}   {rival}: {theirs:,.0f}"
                    if rival
                    else f"  {name:<34}{ours:>9,.0f}"
                )
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--mails", type=int, default=2000, help="mails in the mailbox (default: 2000)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of each loop (default: 2)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the generator")
    parser.add_argument("--postgres", action="store_true", help="mailbot on a private PostgreSQL, too")
    parser.add_argument("--no-floors", action="store_true", help="leave the single steps out")
    return parser.parse_args(arguments)


def _compare(around: Surroundings, rounds: int, postgres: DurablePostgres | None) -> None:
    bare: list[Measured] = []
    ours: list[Measured] = []
    for number in range(rounds):
        bare.append(_told("bare loop", run_bare_loop(around, f"bare{number}")))
        ours.append(_told("mailbot run --once", run_mailbot(around, f"mailbot{number}")))
    last = ours[-1].said.splitlines()[-1]
    if postgres is not None:
        _told("… on PostgreSQL", run_mailbot(around, "postgres", postgres.new_database()))
    ratios = [b.rate / a.rate for a, b in zip(bare, ours, strict=True)]
    _say(f"last run: {last}")
    _say(
        f"ratio mailbot / bare loop: {median(ratios):.2f} (rounds: {', '.join(f'{one:.2f}' for one in ratios)})"
    )


def _told(name: str, measured: Measured) -> Measured:
    _say(
        f"{name:<20}{measured.rate:>8.1f} mails/s   {measured.seconds:>6.1f} s"
        f"   processor {measured.cpu_seconds:>5.1f} s   peak {measured.peak_mib:.0f} MiB"
    )
    return measured


def _described(written: Sequence[Letter], mails: Sequence[bytes], seed: int) -> str:
    signed = sum(letter.wants_signature for letter in written)
    large = sum(letter.has_attachment for letter in written)
    size = sum(map(len, mails)) / 2**20
    return (
        f"{time.strftime('%Y-%m-%d %H:%M')}  {len(mails)} mails, seed {seed}, {size:.0f} MiB: "
        f"{signed} signed, {large} with an attachment"
    )


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
