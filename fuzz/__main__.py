"""`python -m fuzz NAME --seconds N`: atheris tries bytes until the time is over or one breaks an invariant.

An input that breaks one is written to the working folder (crash-…, timeout-…, oom-…); the exit code is then not 0.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mailbot.core"]):
    from fuzz.invariants import html_becomes_lines, newest_text_only_leaves_out, parse_is_whole

SEEDS = Path(__file__).parents[1] / "tests" / "core" / "golden"
SECONDS_FOR_ONE = 5
MEBIBYTES = 1024
"""Of the whole fuzzer: atheris itself and its corpus take most of it."""


def _of_text(invariant: Callable[[str], None]) -> Callable[[bytes], None]:
    return lambda data: invariant(data.decode("utf-8", "replace"))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "parse": parse_is_whole,
    "newest_text": _of_text(newest_text_only_leaves_out),
    "html_text": _of_text(html_becomes_lines),
}


def main(arguments: list[str]) -> None:
    """Does not return: libFuzzer ends the process."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", help="folder that new inputs are kept in (default: a temporary one)")
    options = parser.parse_args(arguments)
    corpus = options.corpus or tempfile.mkdtemp(prefix="mailbot-fuzz-")
    limits = [
        f"-max_total_time={options.seconds}",
        f"-timeout={SECONDS_FOR_ONE}",
        f"-rss_limit_mb={MEBIBYTES}",
        "-max_len=65536",
        "-print_final_stats=1",
    ]
    atheris.Setup(["fuzz", *limits, corpus, str(SEEDS)], TARGETS[options.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
