"""One table of a data map's TOML being read: what is missing, wrong or unknown is noted with its mend."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from mailbot.core.data_map import Hop, Scalar

NAME = r"[\w$-]+"
LINK = re.compile(rf"^({NAME})\s*=\s*({NAME})\.({NAME})$")
ONLY = re.compile(rf"^({NAME})\s*=\s*(?:'([^']*)'|(-?\d+))$")
AND = re.compile(r"\s+and\s+", re.IGNORECASE)
Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=StrEnum)
Path = tuple[str | int, ...]
"""Keys from the top of the document; entries of an array of tables are counted from 1."""


@dataclass(frozen=True, slots=True)
class MapFault:
    """One thing wrong in the map: where (table and key as in TOML), what, and how to mend it. `path` leads
    there; `line` is known once the text of the file is."""

    where: str
    problem: str
    mend: str
    path: Path = ()
    line: int | None = None

    def __str__(self) -> str:
        line = f"line {self.line}: " if self.line else ""
        return f"{line}{self.where}: {self.problem}. {self.mend}"


class MapTable:
    """Each `take` consumes a key; what is left over at the end is unknown."""

    def __init__(self, content: Mapping[str, object], where: str, path: Path, faults: list[MapFault]) -> None:
        self.left = dict(content)
        self.where = where
        self.path = path
        self.faults = faults

    def fault(self, key: str, problem: str, mend: str) -> None:
        """The fault is noted."""
        path = (*self.path, key) if key else self.path
        self.faults.append(MapFault(self.at(key), problem, mend, path))

    def at(self, key: str) -> str:
        """How `key` is called towards people."""
        return f"{self.where}.{key}" if self.where and key else self.where or key

    def text(self, key: str, default: str | None = None) -> str:
        """The text under `key`."""
        return self._take(key, str, "a text", default, "")

    def maybe_text(self, key: str) -> str | None:
        """The text under `key`, where there is one."""
        return self.text(key) if key in self.left else None

    def flag(self, key: str, *, default: bool = False) -> bool:
        """The boolean under `key`."""
        return self._take(key, bool, "true or false", default, default)

    def number(self, key: str, default: int | None = None) -> int:
        """The whole number under `key`."""
        return self._take(key, int, "a whole number", default, 0)

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The list of texts under `key`."""
        items = self._take(key, list, "a list of texts", list(default), [])
        if all(isinstance(item, str) for item in items):
            return tuple(items)
        self.fault(key, "has entries that are no texts", "Write a list of texts")
        return ()

    def text_or_texts(self, key: str) -> tuple[str, ...]:
        """One text or several under `key`; at least one."""
        found = self.texts(key) if isinstance(self.left.get(key), list) else (self.text(key),)
        if not found:
            self.fault(key, "is empty", "Name at least one column")
        return found

    def scalar(self, key: str) -> Scalar | None:
        """The text, number or boolean under `key`, where there is one."""
        value = self.left.pop(key, None)
        if value is None or isinstance(value, str | int | float | bool):
            return value
        self.fault(key, "has the wrong type", "Write a text, a number, true or false")
        return None

    def scalars(self, key: str) -> tuple[tuple[str, Scalar], ...]:
        """The table under `key`: name → value."""
        inner = self.table(key)
        found = [(name, inner.scalar(name)) for name in list(inner.left)]
        return tuple((name, value) for name, value in found if value is not None)

    def choice(self, key: str, kind: type[Choice], default: Choice | None) -> Choice:
        """One of the words of `kind` under `key`."""
        word = self.text(key, default.value if default else None)
        found = next((item for item in kind if item.value == word), None)
        if found is None:
            if word:
                allowed = ", ".join(item.value for item in kind)
                self.fault(key, f'"{word}" is not known', f"Write one of: {allowed}")
            return next(iter(kind))
        return found

    def hops(self, key: str) -> tuple[Hop, ...]:
        """The list of links under `key`."""
        return tuple(hop for text in self.texts(key) for hop in self._hop(key, text))

    def table(self, key: str) -> MapTable:
        """The table under `key`."""
        content = self._take(key, dict, "a table", {}, {})
        return MapTable(content, self.at(key), (*self.path, key), self.faults)

    def tables(self, key: str) -> Iterator[MapTable]:
        """The array of tables under `key`."""
        for index, item in enumerate(self._take(key, list, "an array of tables", [], []), start=1):
            if isinstance(item, dict):
                where = f"{self.at(key)}[{index}]{_name_of(item)}"
                yield MapTable(item, where, (*self.path, key, index), self.faults)
            else:
                self.fault(key, f"entry {index} is no table", f"Write [[{key}]]")

    def end(self) -> None:
        """Whatever was not taken is a fault."""
        for key in self.left:
            self.fault(key, "is not a key of the data map", "Correct its spelling or remove it")

    def _hop(self, key: str, text: str) -> Iterator[Hop]:
        hop = hop_of(text)
        if hop is None:
            mend = 'Write "column = other_table.column", joined by "and" where a key has several columns'
            self.fault(key, f'"{text}" is no link', mend)
        else:
            yield hop

    def _take(self, key: str, kind: type[Value], says: str, default: Value | None, blank: Value) -> Value:
        value = self.left.pop(key, default)
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        if value is None:
            self.fault(key, "is missing", f"Add it: {says}")
        else:
            self.fault(key, "has the wrong type", f"Write {says}")
        return blank


def hop_of(text: str) -> Hop | None:
    """The link that `text` writes; None when it writes none."""
    parts = [part.strip() for part in AND.split(text.strip())]
    links = [match.groups() for part in parts if (match := LINK.match(part))]
    only = [match.groups() for part in parts if (match := ONLY.match(part))]
    if not links or len(links) + len(only) != len(parts) or len({table for _, table, _ in links}) != 1:
        return None
    return Hop(
        table=links[0][1],
        columns=tuple(column for column, _, _ in links),
        targets=tuple(target for _, _, target in links),
        only=tuple((column, word if number is None else int(number)) for column, word, number in only),
    )


def _name_of(item: Mapping[str, object]) -> str:
    name = item.get("name", item.get("table", item.get("id")))
    return f" ({name})" if isinstance(name, str) else ""
