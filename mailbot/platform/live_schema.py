"""The platform's whole schema as it is now, and what its names and values look like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Inspector,
    MetaData,
    Select,
    String,
    Table,
    inspect,
    literal_column,
    select,
    text,
)
from sqlalchemy.engine import Connection

from mailbot.platform.sql_schema import quiet

SAMPLES = 200
"""Rows of a table whose values are looked at."""

MANY_ROWS = 10_000
"""A table with more is slow to read whole."""


class Looks(StrEnum):
    """What a column seems to hold."""

    EMAIL = "email"
    NAME = "name"
    PHONE = "phone"
    IP = "ip"
    ADDRESS = "address"
    SECRET = "secret"  # noqa: S105  # the word for such columns
    PERSONAL = "personal"
    """Of some other kind."""
    FREE_TEXT = "free text"
    FILE = "file"

    @property
    def names_somebody(self) -> bool:
        """By itself enough to think of people; files and secrets belong to things too."""
        return self not in (Looks.FILE, Looks.SECRET)


BY_NAME: tuple[tuple[Looks, re.Pattern[str]], ...] = tuple(
    (looks, re.compile(pattern, re.IGNORECASE))
    for looks, pattern in (
        (Looks.SECRET, r"passw|pwd|secret|token(?!_type)|api_?key|(^|_)(otp|salt)($|_)|key_hash"),
        (
            Looks.EMAIL,
            r"mail$|(^|_)(e_?)?mails?(_addr(ess(es)?)?|_recipients?|_to|_from|_normali[sz]ed|_lower)?$",
        ),
        (Looks.IP, r"(^|_)ip($|_|v4|v6|addr)|ip_?address|remote_addr"),
        (Looks.PHONE, r"phone|mobile|(^|_)(tel|fax|cell|sms|whatsapp)($|_)"),
        (
            Looks.NAME,
            r"(first|last|full|middle|sur|family|given|nick|user|display|contact|author|real|maiden)_?name|^name$",
        ),
        (Looks.ADDRESS, r"street|address|(^|_)(city|town|zip|postcode|country)($|_)|postal|^line\d$"),
        (Looks.FILE, r"(^|_)(avatar|photo|picture|file|attachment|upload|image)(_?path)?$"),
        (
            Looks.PERSONAL,
            r"birth|(^|_)(dob|gender|sex|vat|ssn|iban|bic)($|_)|passport|bank|skype|latitude|longitude|"
            r"user_?agent|signature|(^|_)(bio|about)($|_)",
        ),
    )
)
BY_VALUE: tuple[tuple[Looks, re.Pattern[str]], ...] = (
    (Looks.EMAIL, re.compile(r"[^\s@<>]+@[^\s@<>]+\.[a-z]{2,}>?", re.IGNORECASE)),
    (Looks.IP, re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?:/\d+)?")),
    (Looks.PHONE, re.compile(r"\+\d[\d ()./-]{7,20}")),
)
OPEN_REFERENCE = re.compile(r"(.+?)_type(?:_id)?", re.IGNORECASE)
ABOUT_THINGS = re.compile(
    r"^(name|address)$|(group|role|permission|category|categories|type|tag|country|product|template|migration|"
    r"content|site|setting|option|state|status|plan|currency|language|theme)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Link:
    """A foreign key: `columns` of `table` refer to `targets` of `to`. `on_delete` in capitals, or empty."""

    table: str
    columns: tuple[str, ...]
    to: str
    targets: tuple[str, ...]
    on_delete: str
    deferrable: bool

    def __str__(self) -> str:
        pairs = zip(self.columns, self.targets, strict=True)
        return " and ".join(f"{one} = {self.to}.{other}" for one, other in pairs)


@dataclass
class LiveSchema:
    """Every table of the database."""

    connection: Connection
    tables: Mapping[str, Table] = field(default_factory=dict)

    @cached_property
    def inspector(self) -> Inspector:
        """Asks the database about indexes."""
        return inspect(self.connection)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Every foreign key."""
        keys = (key for table in self.tables.values() for key in table.foreign_key_constraints)
        return tuple(sorted((_link(key) for key in keys), key=lambda link: (link.table, link.columns)))

    def links_from(self, table: str) -> list[Link]:
        """The foreign keys of `table`."""
        return [link for link in self.links if link.table == table]

    def ways_to(self, goal: str, staying: frozenset[str] = frozenset()) -> dict[str, tuple[Link, ...]]:
        """Every table from which foreign keys lead to `goal`, with the shortest way; links that always hold
        are taken before those that may be null. No way leads over tables whose rows are `staying`."""
        ways: dict[str, tuple[Link, ...]] = {goal: ()}
        reached = [goal]
        while reached:
            found = [link for link in self.links if link.to in reached and link.table not in ways]
            for link in sorted(found, key=lambda link: self._may_be_null(link)):
                ways.setdefault(link.table, (link, *ways[link.to]))
            reached = list(dict.fromkeys(link.table for link in found if link.table not in staying))
        return ways

    def _may_be_null(self, link: Link) -> bool:
        return any(self.tables[link.table].c[name].nullable for name in link.columns)

    def looks(self, table: Table) -> dict[str, Looks]:
        """Columns that look personal, by their names and some of their values. The values are looked at here
        and go nowhere."""
        by_name = {column.name: _named_like(column) for column in table.columns}
        by_value = self._valued_like(table)
        found = {name: by_value.get(name) or looks for name, looks in by_name.items()}
        return {name: looks for name, looks in found.items() if looks}

    def _valued_like(self, table: Table) -> dict[str, Looks]:
        texts = [column for column in table.columns if isinstance(column.type, String)]
        if not texts:
            return {}
        rows = self.connection.execute(select(*texts).limit(SAMPLES)).all()
        found: dict[str, Looks] = {}
        for column, cells in zip(texts, zip(*rows, strict=True), strict=False):
            looks = _valued([cell for cell in cells if isinstance(cell, str) and cell])
            if looks:
                found[column.name] = looks
        return found

    def open_references(self) -> list[tuple[str, str, str]]:
        """table, column of the type, column of the number: references that may lead to any table."""
        return [
            (name, kind.name, number)
            for name, table in self.tables.items()
            for kind in table.columns
            if (stem := OPEN_REFERENCE.fullmatch(kind.name))
            for number in (f"{stem[1]}_id", "object_id", "object_pk")
            if number in table.c and number != kind.name
        ]

    def is_large(self, table: Table) -> bool:
        """It has more than MANY_ROWS rows."""
        query: Select[Any] = select(literal_column("1")).select_from(table).limit(1).offset(MANY_ROWS)
        return self.connection.execute(query).first() is not None

    def is_indexed(self, table: str, column: str) -> bool:
        """An index, key or unique constraint begins with the column."""
        firsts: set[str | None] = {key.name for key in list(self.tables[table].primary_key.columns)[:1]}
        with quiet():
            firsts |= {
                index["column_names"][0]
                for index in self.inspector.get_indexes(table, include_auto_indexes=True)
            }
        firsts |= {unique["column_names"][0] for unique in self.inspector.get_unique_constraints(table)}
        return column in firsts

    def is_indexed_lower(self, table: str, column: str) -> bool:
        """There is an index on lower(trim(column))."""
        written = "".join(self._index_texts(table)).lower()
        plain = re.sub(r"[\s\"`]|::\w+|both|from", "", written)
        return f"lower(trim({column}))" in plain or f"lower(btrim({column}))" in plain

    def _index_texts(self, table: str) -> Iterator[str]:
        match self.connection.dialect.name:
            case "postgresql":
                yield from self._asked("SELECT indexdef FROM pg_indexes WHERE tablename = :name", table)
            case "sqlite":
                query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :name"
                yield from self._asked(query, table)
            case _:
                for index in self.inspector.get_indexes(table):
                    yield from (str(one) for one in index.get("expressions", []))

    def _asked(self, query: str, table: str) -> Iterator[str]:
        rows = self.connection.execute(text(query), {"name": table}).scalars()
        return (row for row in rows if row)


def read_live_schema(connection: Connection) -> LiveSchema:
    """The schema behind `connection`; its values are read when they are asked for."""
    metadata = MetaData()
    with quiet():
        metadata.reflect(connection)
    return LiveSchema(connection, dict(sorted(metadata.tables.items())))


def _link(key: ForeignKeyConstraint) -> Link:
    return Link(
        table=key.table.name,
        columns=tuple(element.parent.name for element in key.elements),
        to=key.referred_table.name,
        targets=tuple(element.column.name for element in key.elements),
        on_delete=(key.ondelete or "").upper(),
        deferrable=bool(key.deferrable),
    )


def _named_like(column: Column[Any]) -> Looks | None:
    if column.foreign_keys or column.primary_key:
        return None
    kind = getattr(column.type, "python_type", None) if not _is_odd(column) else str
    found = next((looks for looks, pattern in BY_NAME if pattern.search(column.name)), None)
    if found in (None, Looks.PERSONAL) or kind is str:
        about_things = found in (Looks.NAME, Looks.ADDRESS) and ABOUT_THINGS.search(column.table.name)
        return None if about_things else found
    return None


def _is_odd(column: Column[Any]) -> bool:
    """The type has no Python type that SQLAlchemy would know."""
    try:
        return column.type.python_type is None
    except NotImplementedError:
        return True


def _valued(cells: list[str]) -> Looks | None:
    """What most of the values are; for free text it is enough that some hold an address."""
    if not cells:
        return None
    for looks, pattern in BY_VALUE:
        if sum(bool(pattern.fullmatch(cell.strip())) for cell in cells) * 2 > len(cells):
            return looks
    return Looks.FREE_TEXT if any(BY_VALUE[0][1].search(cell) for cell in cells) else None
