"""After a deletion: is the person's address in any text column that the data map does not name?

What the map names is judged by its rules (other hosts' visitors stay, invoices are kept); what it does not name
was overlooked. Each table is read once, for a bounded time; matches are judged here, so that joanna@example.org
is not taken for anna@example.org. The values never leave this module.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    DateTime,
    Enum,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Time,
    Uuid,
    func,
    inspect,
    or_,
    select,
)
from sqlalchemy import cast as cast_as
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Column
from sqlalchemy.sql.elements import ColumnElement

from mailbot.core.data_map_names import named_columns
from mailbot.core.plan import Finding, PlatformTrouble
from mailbot.platform.sql_schema import Schema, quiet, spellings

NO_TEXT = (Integer, Numeric, Boolean, Date, DateTime, Time, Interval, LargeBinary, Uuid, Enum)
MOST_HITS = 10_000
"""In one table; more are not counted."""

LEAST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found where the map does not look, and which tables could not be searched, each with why."""

    findings: tuple[Finding, ...]
    unsearched: tuple[str, ...]


def search_texts(schema: Schema, addresses: Sequence[str]) -> Searched:
    """Every text column that the map does not name was searched for `addresses`."""
    rules = schema.data_map.text_search
    if not rules.is_on or not addresses:
        return Searched((), ())
    until = time.monotonic() + rules.seconds
    findings: list[Finding] = []
    unsearched: list[str] = []
    for table in _tables(schema):
        left = until - time.monotonic()
        try:
            findings += _search(schema, table, addresses, max(LEAST_SECONDS, left / 2))
        except PlatformTrouble:
            why = "took too long" if time.monotonic() > until - left / 2 else "the database refused"
            unsearched.append(f"{table.name} ({why})")
    return Searched(tuple(findings), tuple(unsearched))


def _tables(schema: Schema) -> list[Table]:
    """Every table that has a text column the map does not name, with those columns alone, as they are now."""
    named = named_columns(schema.data_map)
    left_out = schema.data_map.text_search.leave_out | {schema.journal.name, schema.begun.name}
    with schema.reading() as connection, quiet():
        found = inspect(connection).get_multi_columns()
    tables = []
    for (_, name), columns in sorted(found.items(), key=lambda item: item[0][1]):
        texts = [one for one in columns if not isinstance(one["type"], NO_TEXT)]
        unnamed = [one for one in texts if (name, one["name"]) not in named]
        if unnamed and name not in left_out:
            tables.append(Table(name, MetaData(), *(Column(one["name"], one["type"]) for one in unnamed)))
    return tables


def _search(schema: Schema, table: Table, addresses: Sequence[str], seconds: float) -> list[Finding]:
    needles = spellings(addresses)
    texts = [_as_text(column) for column in table.columns]
    holds = or_(*(text.contains(needle, autoescape=True) for text in texts for needle in needles))
    query = select(*texts).where(holds).limit(MOST_HITS).execution_options(yield_per=500)
    whole = re.compile("|".join(_whole(needle) for needle in needles))
    counts: Counter[str] = Counter()
    with schema.reading() as connection, _at_most(connection, seconds):
        for row in connection.execute(query):
            counts.update(
                column.name
                for column, cell in zip(table.columns, row, strict=True)
                if isinstance(cell, str) and whole.search(cell)
            )
    return [Finding(table.name, name, count) for name, count in sorted(counts.items())]


def _as_text(column: Column[Any]) -> ColumnElement[str]:
    plain = isinstance(column.type, String) and not isinstance(column.type, JSON)
    return func.lower(column if plain else cast_as(column, String))


def _whole(needle: str) -> str:
    """The address, and not a longer one that ends or begins with it."""
    return rf"(?<![\w.+-]){re.escape(needle)}(?![\w-]|\.\w)"


@contextmanager
def _at_most(connection: Connection, seconds: float) -> Iterator[None]:
    """Whatever runs inside is ended by the database when its time is over."""
    match connection.dialect.name:
        case "postgresql":
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
            yield
        case "sqlite":
            driver = cast(Any, connection.connection.driver_connection)
            until = time.monotonic() + seconds
            driver.set_progress_handler(lambda: time.monotonic() > until, 10_000)
            try:
                yield
            finally:
                driver.set_progress_handler(None, 0)
        case _:
            yield from _mysql_at_most(connection, seconds)


def _mysql_at_most(connection: Connection, seconds: float) -> Iterator[None]:
    is_mariadb = getattr(connection.dialect, "is_mariadb", False)
    name = "max_statement_time" if is_mariadb else "max_execution_time"
    limit = seconds if is_mariadb else int(seconds * 1000)
    connection.exec_driver_sql(f"SET {name} = {limit}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"SET {name} = DEFAULT")
