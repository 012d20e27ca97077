"""`mailbot audit`: the ledger of what was done, by whom, on what grounds."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer

from mailbot import __version__
from mailbot.cli.options import settings_of
from mailbot.cli.output import note, print_json, say
from mailbot.cli.stored import open_store, utc_now
from mailbot.cli.trouble import Failed, WrongUsage
from mailbot.core.ledger import Broken
from mailbot.store import cases, ledger, letters
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Case, LedgerEntry

app = typer.Typer(no_args_is_help=True, add_completion=False)
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


@app.callback()
def audit() -> None:
    """The ledger: verify its chain, write evidence."""


@app.command()
def verify(ctx: typer.Context) -> None:
    """Compute the chain again: nothing was changed, taken out or put in."""
    found = _verified(open_store(ctx))
    if settings_of(ctx).json:
        print_json(found)
    elif found["ok"]:
        say(f"The chain of {found['entries']} entries is whole; its last hash is {found['head']}.")
    else:
        say(
            f"The chain is broken at entry {found['broken_at']}: it, or one before it, is not what was written."
        )
    raise typer.Exit(0 if found["ok"] else 1)


@app.command()
def export(
    ctx: typer.Context,
    reference: Annotated[
        str | None, typer.Argument(metavar="[REFERENCE]", help="The case's reference.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=_FORMATS, help="Everything from this time on (UTC).")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file, else standard output.")
    ] = None,
) -> None:
    """Write the evidence of a case or a period as JSON. It holds no personal data."""
    if (reference is None) == (since is None):
        raise WrongUsage("name either a case's reference or --since")
    store = open_store(ctx)
    with store.read() as tx:
        case = _case(tx, reference) if reference else None
        chain = _verified(store)
        with _opened(output) as file:
            count = _write(file, tx, case, _aware(since), chain)
    note(f"{count} entries written; {'the chain is whole' if chain['ok'] else 'THE CHAIN IS BROKEN'}")
    raise typer.Exit(0 if chain["ok"] else 1)


def _verified(store: Store) -> dict[str, object]:
    with store.read() as tx:
        match ledger.check(tx):
            case Broken(sequence):
                return {"ok": False, "broken_at": sequence}
            case count:
                return {"ok": True, "entries": count, "head": ledger.head(tx).hex()}


def _case(tx: Transaction, reference: str) -> Case:
    case = cases.by_reference(tx, reference)
    if case is None:
        raise Failed(f"there is no case {reference}")
    return case


def _aware(since: datetime | None) -> datetime | None:
    return since.replace(tzinfo=UTC) if since and since.tzinfo is None else since


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    """The file, readable by its owner only, or standard output."""
    if output is None:
        yield sys.stdout
        return
    with os.fdopen(
        os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        yield file


def _write(
    file: IO[str], tx: Transaction, case: Case | None, since: datetime | None, chain: dict[str, object]
) -> int:
    """The pack, entry by entry: a period may be long. Returns how many entries it holds."""
    head = {
        "mailbot": __version__,
        "made_at": utc_now().isoformat(),
        "since": since.isoformat() if since else None,
        "case": _case_facts(tx, case) if case else None,
        "chain": chain,
    }
    file.write(json.dumps(head)[:-1] + ', "entries": [')
    count = 0
    for entry in ledger.entries(tx, case.reference if case else None, since):
        file.write(("," if count else "") + "\n" + json.dumps(_entry(entry)))
        count += 1
    file.write("\n]}\n")
    return count


def _entry(row: LedgerEntry) -> dict[str, object]:
    return {
        "sequence": row.sequence,
        "at": row.at.isoformat(),
        "action": row.action,
        "actor": row.actor,
        "case": row.case_reference,
        "request": row.request_id,
        "grounds": row.grounds,
        "details": dict(row.details),
        "hash": row.hash.hex(),
    }


def _case_facts(tx: Transaction, case: Case) -> dict[str, object]:
    """What an authority asks about a case: when it came, by when it was due and why, what was answered when."""
    return {
        "reference": case.reference,
        "channel": case.channel,
        "opened_at": case.opened_at.isoformat(),
        "due_on": case.due_on.isoformat(),
        "due_why": case.due_why,
        "extended_at": case.extended_at.isoformat() if case.extended_at else None,
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
        "requests": [
            {
                "id": str(one.id),
                "kind": one.kind,
                "capacity": one.capacity,
                "state": one.state,
                "proof": one.proof,
            }
            for one in cases.requests_of(tx, case.id)
        ],
        "letters": [
            {
                "template": one.template,
                "message_id": one.message_id,
                "written_at": one.written_at.isoformat(),
                "sent_at": one.sent_at.isoformat() if one.sent_at else None,
                "state": one.state,
            }
            for one in letters.of_case(tx, case.id)
        ],
    }
