"""Every address on the platform, a batch at a time, and since when somebody is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select, tuple_
from sqlalchemy.engine import Connection

from mailbot.core.replay import Created
from mailbot.platform.sql_find import Who, own_rows
from mailbot.platform.sql_schema import BATCH, Key, Schema, as_utc, column_of, primary_key


def people_columns(schema: Schema) -> tuple[tuple[str, str], ...]:
    """Table and column of the addresses by which people are found."""
    rules = [rule for rule in (schema.data_map.user, schema.data_map.visitor) if rule]
    former = [(one.table, one.address) for rule in rules for one in rule.former]
    return tuple(dict.fromkeys([*((rule.table, rule.address) for rule in rules), *former]))


def promotion_columns(schema: Schema) -> tuple[tuple[str, str], ...]:
    """Table and column of the addresses that get promotional mail."""
    places = [(one.table, one.address) for one in schema.data_map.promotions]
    return tuple(dict.fromkeys(places))


def walk(schema: Schema, columns: Sequence[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """The addresses in these columns, some thousand at a time, in the order of the primary keys. Each batch is a
    short transaction of its own, so that nobody waits however long the walk takes."""
    for table, column in columns:
        after: Key | None = None
        while batch := _batch(schema, table, column, after):
            after = batch[-1][1]
            yield tuple(address for address, _ in batch if address)


def count_people(connection: Connection, schema: Schema) -> int:
    """How many accounts there are."""
    table = schema.table(schema.data_map.user.table)
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def created(connection: Connection, schema: Schema, who: Who) -> Created | None:
    """When the subject's own rows came to be; None where the map does not tell."""
    if who.rule.created_at is None:
        return None
    table = schema.table(who.rule.table)
    column = column_of(table, who.rule.created_at)
    query = select(func.min(column), func.max(column), func.count(), func.count(column))
    row = connection.execute(query.select_from(table).where(own_rows(schema, who))).one()
    first, last = as_utc(row[0]), as_utc(row[1])
    if first is None or last is None or row[2] != row[3]:
        return None
    return Created(first, last)


def _batch(schema: Schema, name: str, column: str, after: Key | None) -> list[tuple[str, Key]]:
    with schema.reading() as connection:
        table = schema.table(name)
        key = primary_key(table)
        query = select(column_of(table, column), *key).order_by(*key).limit(BATCH)
        if after is not None:
            there = tuple_(*key) > tuple_(*after) if len(key) > 1 else key[0] > after[0]
            query = query.where(there)
        return [(str(row[0] or "").strip(), tuple(row[1:])) for row in connection.execute(query)]
