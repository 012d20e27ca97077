"""A person's named fields with their present values."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.engine import Connection

from mailbot.core.data_map import Access, Place
from mailbot.core.plan import FieldView
from mailbot.platform.sql_find import Who, rows_of
from mailbot.platform.sql_schema import Schema

MOST_ROWS = 1000


def field_views(connection: Connection, schema: Schema, who: Who) -> tuple[FieldView, ...]:
    """Each field once, from the first place of the map that has it; different values of one field (a visitor
    registered twice) are joined by "; "."""
    views: dict[str, FieldView] = {}
    for place in schema.data_map.places_of(who.rule.capacity):
        named = [
            rule
            for rule in place.columns
            if rule.field and rule.access is Access.SHOW and "*" not in rule.inside
        ]
        fresh = [rule for rule in named if rule.field not in views]
        if not fresh:
            continue
        values = _values(connection, schema, who, place, [rule.name for rule in fresh])
        for rule in fresh:
            name = rule.field or ""
            views[name] = FieldView(name, values[rule.name], rule.validator is not None, f"field.{name}")
    return tuple(views.values())


def _values(
    connection: Connection, schema: Schema, who: Who, place: Place, names: list[str]
) -> dict[str, str | None]:
    table = schema.table(place.table)
    columns = [schema.cell(table, name) for name in names]
    query = select(*columns).where(rows_of(schema, place, who)).limit(MOST_ROWS)
    rows = connection.execute(query).all()
    seen = {name: [str(row[at]) for row in rows if row[at] is not None] for at, name in enumerate(names)}
    return {name: "; ".join(dict.fromkeys(values)) or None for name, values in seen.items()}
