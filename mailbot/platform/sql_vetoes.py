"""Why an account must not be deleted yet, by the vetoes of the data map."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Table, and_, func, not_, select, true
from sqlalchemy.engine import Connection

from mailbot.core.data_map import Veto
from mailbot.platform.sql_find import Who, to_account
from mailbot.platform.sql_schema import Condition, Schema, all_equal, column_of, moment


def vetoed(connection: Connection, schema: Schema, who: Who, now: datetime) -> list[str]:
    """The vetoes that hold now, each "id: how many rows: reason"."""
    counted = [(veto, _count(connection, schema, who, veto, now)) for veto in schema.data_map.vetoes]
    return [f"{veto.id}: {count} in {veto.table}: {veto.reason}" for veto, count in counted if count]


def _count(connection: Connection, schema: Schema, who: Who, veto: Veto, now: datetime) -> int:
    table = schema.table(veto.table)
    mine = and_(to_account(schema, table, veto.path, who.account), _fits(table, veto, now))
    if veto.sole_in and not _others_depend(connection, schema, who, veto, now):
        return 0
    return connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one()


def _fits(table: Table, veto: Veto, now: datetime) -> Condition:
    named = [column_of(table, name) == value for name, value in veto.where]
    empty = [column_of(table, name).is_(None) for name in veto.empty]
    return and_(true(), *named, *empty, *_soon(table, veto, now))


def _soon(table: Table, veto: Veto, now: datetime) -> list[Condition]:
    if veto.near is None:
        return []
    column, span = column_of(table, veto.near), timedelta(hours=veto.hours)
    return [column >= moment(column, now - span), column <= moment(column, now + span)]


def _others_depend(connection: Connection, schema: Schema, who: Who, veto: Veto, now: datetime) -> bool:
    """Others share the account's group, and none of them fits."""
    table, user = schema.table(veto.table), schema.data_map.user
    mine = all_equal(table, user.key, who.account)
    group = column_of(table, veto.sole_in or "")
    value = connection.execute(select(group).where(mine)).scalar()
    if value is None:
        return False
    others = and_(group == value, not_(mine))

    def count(condition: Condition) -> int:
        return connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()

    return count(others) > 0 and count(and_(others, _fits(table, veto, now))) == 0
