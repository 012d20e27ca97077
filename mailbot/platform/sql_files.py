"""Which files belong to rows: those a column names, and those whose path a row's columns fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Table, select, tuple_
from sqlalchemy.engine import Connection

from mailbot.core.data_map import ColumnRule, FileRule, Place
from mailbot.core.file_paths import columns_in, filled, is_clean, reference
from mailbot.platform.sql_schema import Condition, column_of, primary_key
from mailbot.platform.sql_work import Rows

Source = ColumnRule | FileRule
Values = tuple[object, ...]
Named = dict[Values, str | None]
"""What the columns of rows hold → the file's path and store; None where it is not safe to follow."""


def sources_of(place: Place) -> list[Source]:
    """All that names files in this place."""
    return [*(rule for rule in place.columns if rule.file), *place.files]


def where_of(place: Place, source: Source) -> str:
    """How these files are called in a plan."""
    return f"files:{place.name}.{source.name if isinstance(source, ColumnRule) else source.path}"


def named_by(connection: Connection, table: Table, mine: Condition, source: Source) -> Named:
    """Every file that the rows of `table` for which `mine` holds name, once."""
    columns = _columns(table, source)
    there = [column.is_not(None) for column in columns]
    query = select(*columns).where(mine, *there).distinct()
    found = (tuple(row) for row in connection.execute(query))
    return {values: path_of(source, values) for values in found if any(value != "" for value in values)}


def path_of(source: Source, values: Values) -> str | None:
    """Where the file of a row with these values is; None where they could lead elsewhere."""
    if isinstance(source, FileRule):
        path = filled(source.path, dict(zip(columns_in(source.path), values, strict=True)))
        return None if path is None else reference(source.store, path)
    path = str(values[0])
    return reference(source.store, path) if is_clean(path) else None


def held_by_other_rows(
    connection: Connection, rows: Rows, source: Source, named: Mapping[Values, object]
) -> set[Values]:
    """Those of `named` that a row of the table other than `rows` names too."""
    found: set[Values] = set()
    columns, own = _columns(rows.table, source), primary_key(rows.table)
    some = list(named)
    for start in range(0, len(some), 500):
        held = _is_one_of(columns, some[start : start + 500])
        mine = {tuple(row) for row in connection.execute(select(*own).where(held, rows.condition))}
        query = select(*own, *columns).where(held)
        others = (row for row in connection.execute(query) if tuple(row[: len(own)]) not in mine)
        found |= {tuple(row[len(own) :]) for row in others}
    return found


def _columns(table: Table, source: Source) -> list[ColumnElement[object]]:
    names = [source.column] if isinstance(source, ColumnRule) else columns_in(source.path)
    return [column_of(table, name) for name in names]


def _is_one_of(columns: Sequence[ColumnElement[object]], some: Sequence[Values]) -> Condition:
    if len(columns) == 1:
        return columns[0].in_([values[0] for values in some])
    return tuple_(*columns).in_(some)
