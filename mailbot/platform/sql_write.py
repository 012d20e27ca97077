"""What is written into a column, or into a value inside a JSON column, of rows that stay."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    String,
    Table,
    literal,
    select,
    update,
)
from sqlalchemy import cast as cast_as
from sqlalchemy.engine import Connection

from mailbot.core.data_map import ColumnRule, OnDeletion, Scalar
from mailbot.core.json_place import Json, values_at, with_value
from mailbot.platform.sql_schema import Condition, Key, all_equal, column_of, keys_in, primary_key, typed

KEY = "{key}"


@dataclass(frozen=True, slots=True)
class Write:
    """`value` goes into `column`, or to the place `inside` of its JSON. "{key}" in a text becomes the row's
    primary key when `keyed`."""

    column: str
    value: object = field(repr=False)
    inside: tuple[str, ...] = ()
    keyed: bool = False


def blanking(table: Table, rule: ColumnRule, now: datetime) -> Write:
    """What a deletion writes into this column of rows that stay."""
    column = column_of(table, rule.column)
    match rule.on_deletion:
        case OnDeletion.NOW:
            return Write(rule.column, _time_in(column, now), rule.inside)
        case OnDeletion.NULL:
            return Write(rule.column, None, rule.inside)
        case _:
            word = "" if rule.replacement is None else rule.replacement
            keyed = isinstance(word, str) and KEY in word
            return Write(rule.column, word if rule.inside else fitting(column, word), rule.inside, keyed)


def fitting(column: Column[Any], value: Scalar) -> object:
    """`value`, as the map writes it, in the column's own type."""
    if isinstance(column.type, Boolean) and not isinstance(value, str):
        return bool(value)
    return typed(column, value) if isinstance(value, str) else value


def at_once(value: Scalar, column: Column[Any], now: datetime) -> object:
    """`value` of a deactivation: "now" is the time of it."""
    return _time_in(column, now) if value == "now" else fitting(column, value)


def is_not_yet(table: Table, write: Write, rule: ColumnRule) -> Condition:
    """Rows in which a plain column is not as it will be written."""
    column = column_of(table, write.column)
    if rule.on_deletion is OnDeletion.NOW:
        return column.is_(None)
    return column.is_distinct_from(_expression(table, write))


def inside_of(document: object, inside: Sequence[str]) -> Json:
    """What stands inside a document: one value, or a list of them where the way leads over every entry."""
    found = list(values_at(_parsed(document), inside))
    return found if len(found) > 1 else next(iter(found), None)


def not_yet_inside(document: object, write: Write) -> bool:
    """A document in which the value is not yet as it will be written."""
    return any(value != write.value for value in values_at(_parsed(document), write.inside))


def write_rows(connection: Connection, table: Table, writes: Sequence[Write], keys: Sequence[Key]) -> int:
    """How many of the rows with these keys (at most a batch) are there; in those everything is written."""
    inside = [write for write in writes if write.inside]
    plain = {write.column: _expression(table, write) for write in writes if not write.inside}
    documents = _documents(connection, table, inside, keys) if inside else {}
    for key, values in documents.items():
        names = [column.name for column in primary_key(table)]
        connection.execute(update(table).where(all_equal(table, names, key)).values(values))
    if not plain:
        return len(documents)
    return connection.execute(update(table).where(keys_in(table, keys)).values(plain)).rowcount


def _documents(
    connection: Connection, table: Table, writes: Sequence[Write], keys: Sequence[Key]
) -> dict[Key, dict[str, object]]:
    """Key of each row → its JSON columns as they will be. The rows are locked: what is read is what is there."""
    names = list(dict.fromkeys(write.column for write in writes))
    own = primary_key(table)
    query = select(*own, *(column_of(table, name) for name in names)).where(keys_in(table, keys))
    found: dict[Key, dict[str, object]] = {}
    for row in connection.execute(query.with_for_update()):
        cells = dict(zip(names, row[len(own) :], strict=True))
        found[tuple(row[: len(own)])] = {name: _written(name, cell, writes) for name, cell in cells.items()}
    return found


def _written(name: str, cell: object, writes: Iterable[Write]) -> object:
    document = _parsed(cell)
    for write in writes:
        if write.column == name:
            document = with_value(document, write.inside, _as_json(write.value))
    return json.dumps(document, ensure_ascii=False) if isinstance(cell, str) else document


def _parsed(cell: object) -> Json:
    """JSON kept in a text column is parsed; a text that is none stays one."""
    if not isinstance(cell, str):
        return cell  # type: ignore[return-value]  # what a JSON column gives
    try:
        return json.loads(cell)  # type: ignore[no-any-return]  # json is untyped
    except ValueError:
        return cell


def _as_json(value: object) -> Json:
    return value.isoformat() if isinstance(value, datetime) else value  # type: ignore[return-value]  # scalars


def _expression(table: Table, write: Write) -> object:
    if not write.keyed:
        return write.value
    parts = str(write.value).split(KEY)
    key = cast_as(primary_key(table)[0], String(255))
    whole: ColumnElement[str] = literal(parts[0])
    for part in parts[1:]:
        whole = whole + key + literal(part)
    return whole


def _time_in(column: Column[Any], now: datetime) -> object:
    """`now` (UTC) as the column's type keeps it."""
    if isinstance(column.type, JSON | String):
        return now.isoformat()
    if isinstance(column.type, Date):
        return now.date()
    aware = isinstance(column.type, DateTime) and column.type.timezone
    return now if aware else now.replace(tzinfo=None)
