"""`mailbot` and `python -m mailbot`."""

from __future__ import annotations

import sys

from mailbot.cli.program import program


def main() -> None:
    """The command of this process's arguments has run; the process ends with its exit code."""
    program().main(sys.argv[1:], prog_name="mailbot")


if __name__ == "__main__":
    main()
