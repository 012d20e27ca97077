"""The column that says that somebody's data may not be used: written, and read back."""

from __future__ import annotations

from sqlalchemy import and_, func, select
from sqlalchemy.engine import Connection

from mailbot.core.data_map import Flag, Scalar
from mailbot.core.plan import Action, FieldStep, Finding, Flagging, PlannedStep
from mailbot.core.request import Kind
from mailbot.platform.sql_find import Who, own_rows
from mailbot.platform.sql_schema import Condition, Schema, column_of
from mailbot.platform.sql_work import Doing, Drawing, digest, keys_of, these_rows
from mailbot.platform.sql_write import Write


def draw_flag(connection: Connection, schema: Schema, who: Who, change: Flagging) -> Drawing:
    """What `change` touches, now. Without such a column in the map it is a thing for staff."""
    drawing, flag = Drawing(change), _flag_of(who, change)
    if flag is None:
        drawing.vetoes.append(
            f"no_flag: the data map names no column for a {change.kind} of a {who.rule.capacity}"
        )
        return drawing
    table, value = schema.table(who.rule.table), _wanted(flag, change)
    condition = _unlike(schema, who, flag, change)
    keys = keys_of(connection, table, condition)
    fields = (FieldStep(flag.column, None, None if value is None else str(value).lower()),)
    step = PlannedStep(who.rule.table, Action.UPDATE, len(keys), fields, digest=digest(keys))
    drawing.add(Doing(step, these_rows(table, condition, keys), (Write(flag.column, value),)))
    return drawing


def not_flagged(connection: Connection, schema: Schema, who: Who, change: Flagging) -> tuple[Finding, ...]:
    """Where it does not stand as the change wants it; gone people are no finding."""
    flag, table = _flag_of(who, change), schema.table(who.rule.table)
    if flag is None:
        return (Finding(who.rule.table, change.kind, 0),)
    query = select(func.count()).select_from(table).where(_unlike(schema, who, flag, change))
    count = connection.execute(query).scalar_one()
    return (Finding(who.rule.table, flag.column, count),) if count else ()


def _flag_of(who: Who, change: Flagging) -> Flag | None:
    return who.rule.restriction if change.kind is Kind.RESTRICTION else who.rule.objection


def _wanted(flag: Flag, change: Flagging) -> Scalar | None:
    return flag.value if change.on else flag.lifted


def _unlike(schema: Schema, who: Who, flag: Flag, change: Flagging) -> Condition:
    column = column_of(schema.table(who.rule.table), flag.column)
    return and_(own_rows(schema, who), column.is_distinct_from(_wanted(flag, change)))
