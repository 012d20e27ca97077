"""Proof before promise: the platform asked again, after a change, whether it is as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.engine import Connection

from mailbot.core.data_map import OnDeletion, Place
from mailbot.core.plan import (
    Anchor,
    Correction,
    Deletion,
    Finding,
    Flagging,
    Plan,
    ReadBack,
    Resubscribe,
    Unsubscribe,
)
from mailbot.core.request import Capacity
from mailbot.platform.files import Files
from mailbot.platform.sql_correct import columns_for, concerns, differs, wanted_values
from mailbot.platform.sql_delete import not_yet_blank
from mailbot.platform.sql_find import Who, linked, matched, rows_of, who_is
from mailbot.platform.sql_flag import not_flagged
from mailbot.platform.sql_promote import not_switched
from mailbot.platform.sql_schema import BATCH, Condition, Schema, column_of, only, typed
from mailbot.platform.sql_write import blanking


def read_back(connection: Connection, schema: Schema, files: Files, plan: Plan) -> ReadBack:
    """Whether what `plan` (made before the change) was for is so now, in the places of the map."""
    found = {(one.place, one.column): one for one in _findings(connection, schema, files, plan)}
    return ReadBack(ok=not found, findings=tuple(found.values()))


def _findings(connection: Connection, schema: Schema, files: Files, plan: Plan) -> Iterator[Finding]:
    match plan.change:
        case Deletion(subject):
            who = who_is(connection, schema, subject)
            who = replace(who, addresses=plan.identifiers or who.addresses)
            yield from _after_deletion(connection, schema, files, plan, who)
        case Correction(subject):
            who = who_is(connection, schema, subject)
            yield from _after_correction(connection, schema, plan, plan.change, who)
        case Flagging(subject):
            yield from not_flagged(connection, schema, who_is(connection, schema, subject), plan.change)
        case Unsubscribe() | Resubscribe():
            yield from not_switched(connection, schema, plan.change)


def _after_deletion(
    connection: Connection, schema: Schema, files: Files, plan: Plan, who: Who
) -> Iterator[Finding]:
    for place in schema.data_map.places_of(who.rule.capacity):
        stays = place.on_deletion in (OnDeletion.KEEP, OnDeletion.ANONYMISE)
        if stays:
            yield from _not_blank(connection, schema, place, who)
        else:
            yield from _still_there(connection, schema, place, who, plan)
    left = sum(files.exists(path) for path in plan.files)
    if left:
        yield Finding("files", "path", left)


def _still_there(
    connection: Connection, schema: Schema, place: Place, who: Who, plan: Plan
) -> Iterator[Finding]:
    for column, condition in _leftovers(schema, place, who, plan):
        count = _count(connection, schema, place, condition)
        if count:
            yield Finding(place.table, column, count)


def _leftovers(schema: Schema, place: Place, who: Who, plan: Plan) -> Iterator[tuple[str, Condition]]:
    """By link, by address, and by what the links led over: none of these may find a row."""
    table = schema.table(place.table)
    root = place.table == who.rule.table
    link = who.rule.key[0] if root else place.path[0].columns[0] if place.path else ""
    if not place.shared and link:
        yield link, linked(schema, place, who)
    if place.match:
        yield place.match[0], matched(schema, place, who)
    if root and who.rule.capacity is Capacity.USER:
        yield who.rule.address, schema.same_address(column_of(table, who.rule.address), [who.subject.address])
    for anchor in plan.anchors:
        if (anchor.place or anchor.table) == place.name:
            yield from ((anchor.column, condition) for condition in _anchored(schema, place, anchor))


def _anchored(schema: Schema, place: Place, anchor: Anchor) -> Iterator[Condition]:
    table = schema.table(anchor.table)
    column = column_of(table, anchor.column)
    led = only(table, place.path[0])
    for start in range(0, len(anchor.values), BATCH):
        some = anchor.values[start : start + BATCH]
        yield and_(led, column.in_([typed(column, value) for value in some]))


def _not_blank(connection: Connection, schema: Schema, place: Place, who: Who) -> Iterator[Finding]:
    """Rows may stay, but blanked columns of the person's rows are blank and no address is in them."""
    table = schema.table(place.table)
    mine = rows_of(schema, place, who)
    for rule in place.columns:
        if rule.on_deletion is OnDeletion.KEEP:
            continue
        write = blanking(table, rule, datetime.min)
        count = not_yet_blank(connection, table, mine, [rule], [write]).count
        if rule.address and "*" not in rule.inside:
            held = schema.same_address(schema.cell(table, rule.name), who.addresses)
            count = max(count, _count(connection, schema, place, held))
        if count:
            yield Finding(place.table, rule.name, count)


def _after_correction(
    connection: Connection, schema: Schema, plan: Plan, change: Correction, who: Who
) -> Iterator[Finding]:
    refused = {refusal.field for refusal in plan.refusals}
    places = schema.data_map.places_of(who.rule.capacity)
    wanted, _ = wanted_values(places, [field for field in change.fields if field.field not in refused])
    new_address = wanted.get(_address_field(schema, who))
    now = who.with_address(new_address) if new_address else who
    for field in wanted:
        held = [place for place, _ in columns_for(places, field)]
        if not any(_count(connection, schema, place, rows_of(schema, place, now)) for place in held):
            yield Finding(held[0].table, field, 0)
    for place in places:
        if concerns(place, wanted):
            wrong = and_(rows_of(schema, place, now), differs(schema, place, wanted))
            old = _under_old_address(schema, place, who, new_address)
            count = _count(connection, schema, place, or_(wrong, old) if old is not None else wrong)
            if count:
                yield Finding(place.table, ", ".join(sorted(wanted)), count)


def _under_old_address(schema: Schema, place: Place, who: Who, new_address: str | None) -> Condition | None:
    """After a change of address nothing of the person stands under the old one."""
    if new_address is None or new_address.lower() == who.subject.address.strip().lower():
        return None
    before = who.with_address(who.subject.address)
    if place.table == who.rule.table and who.rule.capacity is Capacity.VISITOR:
        return linked(schema, place, before)
    return matched(schema, place, before) if place.match else None


def _address_field(schema: Schema, who: Who) -> str:
    rules = (
        rule.field
        for place in schema.data_map.places_of(who.rule.capacity)
        for rule in place.columns
        if place.table == who.rule.table and rule.name == who.rule.address
    )
    return next(rules, None) or ""


def _count(connection: Connection, schema: Schema, place: Place, condition: Condition) -> int:
    table = schema.table(place.table)
    return connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()
