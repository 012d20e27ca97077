"""Promotional mail switched off or on, wherever the platform says who gets it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Column, and_, or_, select, true
from sqlalchemy.engine import Connection

from mailbot.core.data_map import PlusRule, Promotion, Switch
from mailbot.core.plan import Action, FieldStep, Finding, PlannedStep, Resubscribe, Unsubscribe
from mailbot.platform.sql_find import Held, account_by_former
from mailbot.platform.sql_schema import (
    ADDRESSES,
    Condition,
    Key,
    Schema,
    column_of,
    primary_key,
    spellings,
)
from mailbot.platform.sql_work import Doing, Drawing, delete_step, digest, these_rows
from mailbot.platform.sql_write import Write, at_once


def draw_promotion(
    connection: Connection, schema: Schema, change: Unsubscribe | Resubscribe, now: datetime
) -> Drawing:
    """What `change` touches, now; nothing where the platform already is as it should be."""
    drawing = Drawing(change, identifiers=(change.address,))
    for promotion in schema.data_map.promotions:
        table = schema.table(promotion.table)
        keys = _to_switch(connection, schema, promotion, change)
        rows = these_rows(table, true(), keys)
        if promotion.switch is Switch.ROW:
            drawing.add(Doing(delete_step(promotion.table, rows, "promotional mail"), rows))
            continue
        name = promotion.column or ""
        value = _value(promotion.switch, change, column_of(table, name), now)
        fields = (FieldStep(name, None, None if value is None else str(value).lower()),)
        step = PlannedStep(promotion.table, Action.UPDATE, len(keys), fields, digest=digest(keys))
        drawing.add(Doing(step, rows, (Write(name, value),)))
    return drawing


def not_switched(
    connection: Connection, schema: Schema, change: Unsubscribe | Resubscribe
) -> tuple[Finding, ...]:
    """Places where the address still stands as before."""
    findings = []
    for promotion in schema.data_map.promotions:
        count = len(_to_switch(connection, schema, promotion, change))
        if count:
            findings.append(Finding(promotion.table, promotion.column or promotion.address, count))
    return tuple(findings)


def _to_switch(
    connection: Connection, schema: Schema, promotion: Promotion, change: Unsubscribe | Resubscribe
) -> list[Key]:
    """The keys of the rows of this address that are not yet as the change wants them."""
    off = isinstance(change, Unsubscribe)
    columns = primary_key(schema.table(promotion.table))
    if schema.data_map.addresses.plus is PlusRule.SAME:
        held = partial(schema.same_address, addresses=[change.address])
        query = select(*columns).where(_unlike(schema, promotion, held, off=off))
        return [tuple(row) for row in connection.execute(query)]
    name = (promotion.table, promotion.address, promotion.column, off)
    if name not in schema.kept:
        schema.kept[name] = select(*columns).where(
            _unlike(schema, promotion, schema.same_address_given, off=off)
        )
    rows = connection.execute(schema.kept[name], {ADDRESSES: spellings([change.address])})
    return [tuple(row) for row in rows]


def _unlike(schema: Schema, promotion: Promotion, is_theirs: Held, *, off: bool) -> Condition:
    """Rows of the given address that get promotional mail although they should not, or the other way round. Rows
    that are gone stay gone: signing up again is the person's own doing. A former address switches its account
    off, but never on."""
    table = schema.table(promotion.table)
    held = is_theirs(column_of(table, promotion.address))
    if off and promotion.table == schema.data_map.user.table:
        held = or_(held, account_by_former(schema, is_theirs))
    if promotion.switch is Switch.ROW:
        return held if off else and_(held, ~true())
    column = column_of(table, promotion.column or "")
    gets_mail = column.is_(None) if promotion.switch is Switch.TIME_OF_END else column == true()
    gets_none = (
        column.is_not(None) if promotion.switch is Switch.TIME_OF_END else column.is_distinct_from(true())
    )
    return and_(held, gets_mail if off else gets_none)


def _value(switch: Switch, change: Unsubscribe | Resubscribe, column: Column[Any], now: datetime) -> object:
    off = isinstance(change, Unsubscribe)
    if switch is Switch.BOOLEAN:
        return not off
    return at_once("now", column, now) if off else None
