"""What correcting a person's fields means: which columns of which rows get which value, or why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.engine import Connection

from mailbot.core.data_map import ColumnRule, Place, Validator
from mailbot.core.plan import Action, Correction, FieldStep, PlannedStep, Refusal, RefusalReason
from mailbot.core.request import Capacity, FieldChange
from mailbot.platform.sql_delete import address_veto, held_by_others
from mailbot.platform.sql_find import Who, rows_of
from mailbot.platform.sql_former import remembered
from mailbot.platform.sql_schema import Condition, Key, Schema, column_of, keys_in
from mailbot.platform.sql_work import Doing, Drawing, digest, keys_of, these_rows
from mailbot.platform.sql_write import Write, at_once
from mailbot.platform.validators import accepted

Wanted = dict[str, str]
"""field → value as it will be written"""


def draw_correction(
    connection: Connection, schema: Schema, who: Who, change: Correction, now: datetime
) -> Drawing:
    """What `change` touches, now. Fields that cannot be changed are refused, the others stay planned."""
    drawing = Drawing(change, identifiers=who.addresses)
    places = schema.data_map.places_of(who.rule.capacity)
    wanted, drawing.refusals = wanted_values(places, change.fields)
    for refusal in _refused_by_data(connection, schema, who, places, wanted):
        drawing.refusals.append(refusal)
        wanted.pop(refusal.field, None)
    for place in places:
        _draw_place(connection, schema, who, place, wanted, drawing, now)
    if who.rule.capacity is Capacity.USER:
        drawing.vetoes += address_veto(connection, schema, who)
    return drawing


def wanted_values(places: Sequence[Place], fields: Sequence[FieldChange]) -> tuple[Wanted, list[Refusal]]:
    """What each field shall be, and which cannot be at all, whatever the data."""
    wanted: Wanted = {}
    refusals: list[Refusal] = []
    for change in fields:
        value = _judge(columns_for(places, change.field), change.new)
        if isinstance(value, RefusalReason):
            refusals.append(Refusal(change.field, value))
        else:
            wanted[change.field] = value
    return wanted, refusals


def columns_for(places: Sequence[Place], field: str) -> list[tuple[Place, ColumnRule]]:
    """Every column that holds `field`."""
    return [(place, rule) for place in places for rule in place.columns if rule.field == field]


def differs(schema: Schema, place: Place, wanted: Wanted) -> Condition:
    """Rows in which a column is not what it shall be."""
    table = schema.table(place.table)
    changed = [
        schema.cell(table, rule.name).is_distinct_from(wanted[name]) for rule, name in _rules(place, wanted)
    ]
    return or_(*changed)


def concerns(place: Place, wanted: Wanted) -> bool:
    """A wanted field is held in this place."""
    return any(True for _ in _rules(place, wanted))


def _judge(columns: Sequence[tuple[Place, ColumnRule]], value: str) -> str | RefusalReason:
    if not columns:
        return RefusalReason.UNKNOWN_FIELD
    validators = [rule.validator for _, rule in columns if rule.validator]
    if not validators:
        return RefusalReason.NOT_CHANGEABLE
    return accepted(validators[0], value) or RefusalReason.INVALID


def _rules(place: Place, wanted: Wanted) -> Iterator[tuple[ColumnRule, str]]:
    return ((rule, rule.field) for rule in place.columns if rule.field in wanted and rule.validator)


def _refused_by_data(
    connection: Connection, schema: Schema, who: Who, places: Sequence[Place], wanted: Wanted
) -> Iterator[Refusal]:
    for field, value in list(wanted.items()):
        columns = columns_for(places, field)
        if not any(_has_rows(connection, schema, who, place) for place, _ in columns):
            yield Refusal(field, RefusalReason.NOTHING_ON_FILE)
        elif any(_is_too_long(schema, place, rule, value) for place, rule in columns):
            yield Refusal(field, RefusalReason.INVALID)
        elif any(
            _is_taken(connection, schema, who, place, rule, value) for place, rule in columns if rule.unique
        ):
            yield Refusal(field, RefusalReason.TAKEN)


def _has_rows(connection: Connection, schema: Schema, who: Who, place: Place) -> bool:
    table = schema.table(place.table)
    query = select(func.count()).select_from(table).where(rows_of(schema, place, who))
    return connection.execute(query).scalar_one() > 0


def _is_too_long(schema: Schema, place: Place, rule: ColumnRule, value: str) -> bool:
    length = getattr(schema.column(place.table, rule.column).type, "length", None)
    return not rule.inside and isinstance(length, int) and len(value) > length


def _is_taken(
    connection: Connection, schema: Schema, who: Who, place: Place, rule: ColumnRule, value: str
) -> bool:
    """Another row has the value. Where the person has no row here, nothing is written and none can clash."""
    table = schema.table(place.table)
    column = schema.cell(table, rule.name)
    mine = set(keys_of(connection, table, rows_of(schema, place, who)))
    same = schema.same_address(column, [value]) if rule.validator is Validator.EMAIL else column == value
    return bool(mine) and bool(set(keys_of(connection, table, same)) - mine)


def _draw_place(
    connection: Connection,
    schema: Schema,
    who: Who,
    place: Place,
    wanted: Wanted,
    drawing: Drawing,
    now: datetime,
) -> None:
    if not concerns(place, wanted):
        return
    table = schema.table(place.table)
    keys = keys_of(connection, table, and_(rows_of(schema, place, who), differs(schema, place, wanted)))
    if not keys:
        return
    fields = tuple(_field_steps(connection, schema, place, keys, wanted))
    marks = digest([*keys, *((step.column, step.old, step.new) for step in fields)])
    step = PlannedStep(place.name, Action.UPDATE, len(keys), fields, digest=marks)
    writes = [Write(rule.column, wanted[field], rule.inside) for rule, field in _rules(place, wanted)]
    rows = these_rows(table, rows_of(schema, place, who), keys)
    moves = place.table == who.rule.table and who.rule.address in {field.column for field in fields}
    if moves and who.rule.changed_at:
        changed_at = column_of(table, who.rule.changed_at)
        writes.append(Write(changed_at.name, at_once("now", changed_at, now)))
    drawing.add(Doing(step, rows, tuple(writes)))
    if moves and who.rule.capacity is Capacity.USER:
        for former in who.rule.former:
            drawing.add(remembered(connection, schema, who, former, now))
    if place.shared:
        drawing.vetoes += _shared_veto(connection, schema, who, place, keys)


def _field_steps(
    connection: Connection, schema: Schema, place: Place, keys: Sequence[Key], wanted: Wanted
) -> Iterator[FieldStep]:
    table = schema.table(place.table)
    for rule, field in _rules(place, wanted):
        column = schema.cell(table, rule.name)
        query = select(column).where(keys_in(table, keys[:1000])).distinct()
        present = sorted({str(value) for value in connection.execute(query).scalars() if value is not None})
        if present != [wanted[field]]:
            yield FieldStep(rule.name, "; ".join(present) or None, wanted[field])


def _shared_veto(
    connection: Connection, schema: Schema, who: Who, place: Place, keys: Sequence[Key]
) -> list[str]:
    table = schema.table(place.table)
    condition = and_(keys_in(table, keys), held_by_others(schema, place, who))
    shared = keys_of(connection, table, condition)
    return [f"shared_record: {len(shared)} rows in {place.table} are others' too"] if shared else []
