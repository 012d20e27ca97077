"""Plain text fit for a mail: no control characters, no lines that a reader's window would break."""

from __future__ import annotations

import re

LINE_LENGTH = 78

_INVISIBLE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\ud800-\udfff"
)
_NOT_READABLE = re.compile(f"[{_INVISIBLE}]")
_NOT_IN_A_LINE = re.compile(f"[\t\n{_INVISIBLE}]+| {{2,}}")
_EMPTY_LINES = re.compile(r"\n{3,}")


def readable(text: str) -> str:
    """`text` without control characters and without marks that turn the direction of writing, which can
    make a text show other words than it holds. Line breaks are LF, at most one empty line in a row."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _EMPTY_LINES.sub("\n\n", _NOT_READABLE.sub("", lines)).strip("\n")


def one_line(text: str) -> str:
    """`text` as one readable line."""
    return _NOT_IN_A_LINE.sub(" ", text).strip()


def wrapped(text: str) -> str:
    """`text` with each line broken at blanks to at most 78 characters; a longer word (a link) stays whole.

    Items of a list ("- ") hang. Empty lines are single, none at the ends.
    """
    lines = (
        line if len(line) <= LINE_LENGTH else _broken(line) for line in map(str.rstrip, text.split("\n"))
    )
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def _broken(line: str) -> str:
    indent = "  " if line.startswith("- ") else ""
    done: list[str] = []
    while len(line) > LINE_LENGTH:
        cut = line.rfind(" ", len(indent) + 1, LINE_LENGTH + 1)
        cut = line.find(" ", LINE_LENGTH) if cut < 0 else cut
        if cut < 0:
            break
        done.append(line[:cut])
        line = indent + line[cut + 1 :].lstrip(" ")
    return "\n".join([*done, line])
