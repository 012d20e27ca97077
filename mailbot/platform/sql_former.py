"""The address a person had before, written to the platform's own table of such addresses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, Table, func, select
from sqlalchemy.engine import Connection

from mailbot.core.data_map import Former
from mailbot.core.plan import Action, FieldStep, PlannedStep
from mailbot.platform.sql_find import Who
from mailbot.platform.sql_schema import Schema, column_of, primary_key
from mailbot.platform.sql_work import Doing, these_rows
from mailbot.platform.sql_write import at_once


def remembered(connection: Connection, schema: Schema, who: Who, former: Former, now: datetime) -> Doing:
    """The present address is added to the former ones, so that mail from it is still known to be theirs."""
    table = schema.table(former.table)
    account = dict(zip(schema.data_map.user.key, who.account, strict=True))
    links = zip(former.link.columns, former.link.targets, strict=True)
    row: dict[str, object] = {column: account[target] for column, target in links}
    row[former.address] = who.subject.address
    if former.changed_at:
        row[former.changed_at] = at_once("now", column_of(table, former.changed_at), now)
    row |= _own_number(connection, table)
    step = PlannedStep(former.table, Action.ADD, 1, (FieldStep(former.address, None, who.subject.address),))
    return Doing(
        step, these_rows(table, column_of(table, former.address).is_(None), ()), new=tuple(row.items())
    )


def _own_number(connection: Connection, table: Table) -> dict[str, object]:
    """A number for tables whose database gives none by itself. Two at one moment clash and are tried again."""
    own = primary_key(table)
    gives_none = len(own) == 1 and own[0].server_default is None and own[0].identity is None
    if not gives_none or own[0].autoincrement is True or not isinstance(own[0].type, Integer):
        return {}
    highest = connection.execute(select(func.max(own[0]))).scalar()
    return {own[0].name: (highest or 0) + 1}
