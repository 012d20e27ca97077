"""`mailbot` and `python -m mailbot`."""

from __future__ import annotations

import gc
import sys

from mailbot.cli.program import program

_COLLECT_AFTER = 20_000
"""Objects made: Python's own 700 has the collector walk through half-loaded rules hundreds of times."""


def main() -> None:
    """The command of this process's arguments has run; the process ends with its exit code."""
    gc.set_threshold(_COLLECT_AFTER, 20, 50)
    program().main(sys.argv[1:], prog_name="mailbot")


if __name__ == "__main__":
    main()
