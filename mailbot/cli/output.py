"""What is printed: JSON for machines, tables and lines for people."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_STATUS_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}
_KEPT_CONTROLS = "\n\t"
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing, so that a text can show as another one."""


class _Screen(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the program itself here, with exit code 1."""
        raise BrokenPipeError


def print_json(value: object) -> None:
    """`value` is one line of JSON on standard output, at once."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    try:
        octets = line.encode()
    except UnicodeEncodeError:  # lone surrogates, of a header that is no text: escaped, JSON can say them
        octets = json.dumps(value, default=str).encode()
    sys.stdout.flush()
    sys.stdout.buffer.write(octets + b"\n")
    sys.stdout.buffer.flush()


def say(line: str = "") -> None:
    """`line` is on standard output."""
    typer.echo(safe(line))


def note(line: str) -> None:
    """`line` is on standard error: for people, whatever standard output is for."""
    typer.echo(safe(line), err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people; as wide as it must be where no terminal limits it."""
    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(safe(str(cell)) for cell in row))
    screen = _Screen(markup=False, highlight=False, emoji=False)
    if not screen.is_terminal:
        screen.width = 10_000
        table.expand = False
    screen.print(table, soft_wrap=not screen.is_terminal)


def print_status(part: str, status: str, message: str, mend: str) -> None:
    """One line on how a part stands, coloured on a terminal; the mend below it."""
    typer.echo(f"{_styled(status)}  {part}: {safe(message)}")
    if mend:
        typer.echo(f"         {safe(mend)}")


def safe(text: str) -> str:
    """`text` without what a terminal would obey: a stranger's mail must not move the cursor of staff."""
    return "".join(char if _is_harmless(char) else "\ufffd" for char in text)


def _styled(status: str) -> str:
    style = _STATUS_STYLES[status].split()
    return typer.style(f"{status:7}", fg=style[-1], bold="bold" in style)


def _is_harmless(char: str) -> bool:
    if char in _KEPT_CONTROLS:
        return True
    return unicodedata.category(char) not in ("Cc", "Cs") and char not in _TURNING
