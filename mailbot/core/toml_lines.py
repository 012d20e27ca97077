"""On which line of a TOML text something stands: the parser of the standard library does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailbot.core.data_map_table import Path

HEAD = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
KEY = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def line_of(text: str, path: Path) -> int | None:
    """The line, counted from 1, of `path` or of the nearest thing above it that has one; None for none."""
    lines = {place: number for number, place in reversed(list(_places(text)))}
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def _places(text: str) -> Iterator[tuple[int, Path]]:
    """Line and path of every head and key. What is inside a longer text may look like a key: harmless."""
    counts: dict[Path, int] = {}
    head: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if match := HEAD.match(line):
            head = _counted(_parts(match[2]), counts, is_array=match[1] == "[[")
            yield number, head
        elif match := KEY.match(line):
            yield number, (*head, *_parts(match[1]))


def _counted(parts: tuple[str, ...], counts: dict[Path, int], *, is_array: bool) -> Path:
    """`parts` with the number of the entry after every array of tables."""
    path: Path = ()
    for index, part in enumerate(parts):
        path = (*path, part)
        if is_array and index == len(parts) - 1:
            counts[path] = counts.get(path, 0) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in PART.findall(text))
