"""What has ended by its age: accounts and rows that nobody used for the days the data map allows."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.engine import Connection

from mailbot.core.data_map import SweepRule
from mailbot.core.plan import Subject
from mailbot.platform.interface import SweepFound
from mailbot.platform.sql_find import subjects_where
from mailbot.platform.sql_schema import (
    Condition,
    Key,
    Schema,
    all_equal,
    batches,
    column_of,
    keys_in,
    moment,
    primary_key,
)


def found(connection: Connection, schema: Schema, rule: SweepRule, now: datetime) -> SweepFound:
    """How many rows there are, and how many are due."""
    table = schema.table(rule.table)
    count = select(func.count()).select_from(table)
    total = connection.execute(count).scalar_one()
    return SweepFound(total, connection.execute(count.where(due(schema, rule, now))).scalar_one())


def accounts_due(
    connection: Connection, schema: Schema, rule: SweepRule, now: datetime, at_most: int
) -> tuple[Subject, ...]:
    """At most so many of the accounts that are due, by key."""
    return subjects_where(connection, schema, due(schema, rule, now), at_most)


def delete_due(connection: Connection, schema: Schema, rule: SweepRule, now: datetime) -> int:
    """At most `rule.at_most` rows that are due are gone; says how many."""
    table = schema.table(rule.table)
    query = select(*primary_key(table)).where(due(schema, rule, now)).limit(rule.at_most)
    keys = [tuple(row) for row in connection.execute(query)]
    gone = 0
    for some in batches(keys):
        still = and_(keys_in(table, some), due(schema, rule, now))
        gone += connection.execute(delete(table).where(still)).rowcount
    return gone


def is_due(connection: Connection, schema: Schema, rule: SweepRule, account: Key, now: datetime) -> bool:
    """The account with this key is due."""
    table, user = schema.table(rule.table), schema.data_map.user
    mine = and_(all_equal(table, user.key, account), due(schema, rule, now))
    return connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one() > 0


def due(schema: Schema, rule: SweepRule, now: datetime) -> Condition:
    """Every time that says when it was last used is long past, and there is one."""
    table = schema.table(rule.table)
    used = [column_of(table, name) for name in rule.last_used]
    limit = now - timedelta(days=rule.after_days)
    old = [or_(column.is_(None), column < moment(column, limit)) for column in used]
    there = [column_of(table, name).is_not(None) for name in rule.only_with]
    return and_(or_(*(column.is_not(None) for column in used)), *old, *there)
