"""What deleting a person means: which rows and files go, which stay and on what ground."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dateutil.relativedelta import relativedelta
from sqlalchemy import and_, func, not_, select
from sqlalchemy.engine import Connection

from mailbot.core.data_map import ColumnRule, Keeping, Limit, OnDeletion, Place
from mailbot.core.plan import Action, Anchor, Deletion, FieldStep, PlannedStep
from mailbot.core.request import Capacity
from mailbot.platform.files import Files
from mailbot.platform.sql_find import Who, address_on_file, is_same_address, linked, rows_of, to_account
from mailbot.platform.sql_schema import (
    Condition,
    Key,
    Schema,
    as_utc,
    batches,
    column_of,
    keys_in,
    moment,
    primary_key,
    same_address,
)
from mailbot.platform.sql_work import Drawing, delete_step, digest, keys_of

ADDRESS_CHANGED = "address_changed: the address on file is not the one that was found any more"


def draw_deletion(
    connection: Connection, schema: Schema, files: Files, who: Who, change: Deletion, now: datetime
) -> Drawing:
    """What `change` touches, now."""
    drawing = Drawing(change, identifiers=who.addresses)
    for place in schema.data_map.places_of(who.rule.capacity):
        _Places(connection, schema, files, who, now, drawing).draw(place)
    if who.rule.capacity is Capacity.USER and drawing.doings:
        drawing.notes += _left_with_hosts(connection, schema, who)
        drawing.vetoes += limits_passed(connection, schema, who, now)
        drawing.vetoes += address_veto(connection, schema, who)
    return drawing


def address_veto(connection: Connection, schema: Schema, who: Who) -> list[str]:
    """Proof was asked of another address than the one that is on file now."""
    present = address_on_file(connection, schema, who.account)
    return [] if present is None or is_same_address(present, who.subject.address) else [ADDRESS_CHANGED]


def limits_passed(connection: Connection, schema: Schema, who: Who, now: datetime) -> list[str]:
    """Limits of the data map beyond which staff must look first."""
    counted = [(limit, _count(connection, schema, who, limit, now)) for limit in schema.data_map.limits]
    return [
        f"{limit.id}: {count} rows in {limit.table}, limit {limit.more_than}: {limit.reason}"
        for limit, count in counted
        if count > limit.more_than
    ]


def _count(connection: Connection, schema: Schema, who: Who, limit: Limit, now: datetime) -> int:
    table = schema.table(limit.table)
    condition = to_account(schema, table, limit.path, who.account)
    if limit.after_now:
        column = column_of(table, limit.after_now)
        condition = and_(condition, column > moment(column, now))
    return connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()


def _left_with_hosts(connection: Connection, schema: Schema, who: Who) -> list[PlannedStep]:
    """What the same person left as a visitor of others stays: those hosts decide, each asked on its own."""
    rule = schema.data_map.visitor
    if rule is None:
        return []
    table = schema.table(rule.table)
    held = same_address(column_of(table, rule.address), who.addresses)
    own = to_account(schema, table, rule.host, who.account)
    rows = connection.execute(select(func.count()).select_from(table).where(held, not_(own))).scalar_one()
    why = "left with other hosts, who are its controllers; asked for host by host"
    return [PlannedStep(rule.table, Action.KEEP, rows, why=why, may_grow=True)] if rows else []


class _Places:
    """Draws one place after the other into a drawing."""

    def __init__(
        self, connection: Connection, schema: Schema, files: Files, who: Who, now: datetime, drawing: Drawing
    ) -> None:
        self.connection = connection
        self.schema = schema
        self.files = files
        self.who = who
        self.now = now
        self.drawing = drawing

    def draw(self, place: Place) -> None:
        table = self.schema.table(place.table)
        mine = rows_of(self.schema, place, self.who)
        if place.keeping:
            overdue = self._overdue(place, place.keeping)
            self._delete(place, keys_of(self.connection, table, and_(mine, overdue)))
            self._keep(place, place.keeping, and_(mine, not_(overdue)))
        elif place.on_deletion is OnDeletion.ANONYMISE:
            self._blank(place, keys_of(self.connection, table, mine))
        else:
            self._delete(place, self._unshared(place, mine))

    def _delete(self, place: Place, keys: Sequence[Key]) -> None:
        table = self.schema.table(place.table)
        step = delete_step(place.table, keys, place.purpose, may_grow=place.may_grow)
        self.drawing.add(step, table, keys, {})
        if keys:
            self._anchor(place, keys)
            for rule in place.columns:
                if rule.file:
                    self._files(place, rule, keys)

    def _anchor(self, place: Place, keys: Sequence[Key]) -> None:
        """Where the way to the person leads over rows that go too, remember the first step of it."""
        if not place.path or self._is_direct(place):
            return
        table = self.schema.table(place.table)
        column = column_of(table, place.path[0].column)
        path = linked(self.schema, place, self.who)
        if place.shared:
            path = and_(path, keys_in(table, keys))
        values = self.connection.execute(select(column).where(path, column.is_not(None)).distinct()).scalars()
        self.drawing.anchors.append(Anchor(place.table, column.name, tuple(sorted(map(str, values)))))

    def _is_direct(self, place: Place) -> bool:
        last, rule = place.path[-1], self.schema.data_map.user
        return len(place.path) == 1 and (last.table, last.target) == (rule.table, rule.key)

    def _unshared(self, place: Place, mine: Condition) -> list[Key]:
        table = self.schema.table(place.table)
        keys = keys_of(self.connection, table, mine)
        if not place.shared or not keys:
            return keys
        held = set(keys_of(self.connection, table, and_(mine, held_by_others(self.schema, place, self.who))))
        if held:
            why = "others hold on to it too"
            self.drawing.notes.append(PlannedStep(place.table, Action.KEEP, len(held), why=why))
        return [key for key in keys if key not in held]

    def _overdue(self, place: Place, keeping: Keeping) -> Condition:
        since = self.schema.column(place.table, keeping.since)
        limit = self.now - relativedelta(years=keeping.years)
        return and_(since.is_not(None), since < moment(since, limit))

    def _keep(self, place: Place, keeping: Keeping, stays: Condition) -> None:
        table = self.schema.table(place.table)
        keys = keys_of(self.connection, table, stays)
        if not keys:
            return
        newest = as_utc(
            self.connection.execute(select(func.max(column_of(table, keeping.since))).where(stays)).scalar()
        )
        until = (newest + relativedelta(years=keeping.years)).date() if newest else None
        note = PlannedStep(
            place.table, Action.KEEP, len(keys), why=keeping.ground, until=until, digest=digest(keys)
        )
        self.drawing.notes.append(note)
        self._blank(place, keys)

    def _blank(self, place: Place, keys: Sequence[Key]) -> None:
        """What names the person goes from rows that stay."""
        blanks = [rule for rule in place.columns if rule.on_deletion is not OnDeletion.KEEP]
        if not blanks:
            return
        values = {rule.name: blank_value(rule) for rule in blanks}
        replaced = any(value is not None for value in values.values())
        action = Action.ANONYMISE if replaced else Action.NULL
        fields = tuple(FieldStep(name, None, value) for name, value in values.items())
        step = PlannedStep(
            place.table,
            action,
            len(keys),
            fields,
            place.purpose,
            digest=digest(keys),
            may_grow=place.may_grow,
        )
        self.drawing.add(step, self.schema.table(place.table), keys, values)

    def _files(self, place: Place, rule: ColumnRule, keys: Sequence[Key]) -> None:
        where = f"files:{place.table}.{rule.name}"
        paths = sorted(
            {path for batch in batches(keys) for path in self._paths(place, rule, keys_batch=batch)}
        )
        unsafe = [path for path in paths if not self.files.is_safe(path)]
        others = self._held_by_other_rows(place, rule, keys, paths)
        gone = [path for path in paths if path not in unsafe and path not in others]
        self.drawing.files += gone
        if gone:
            step = PlannedStep(where, Action.DELETE, len(gone), why=rule.purpose, digest=digest(gone))
            self.drawing.notes.append(step)
        self._left(where, "unsafe_path", unsafe, "the path leads out of the files root or is not clean")
        self._left(
            where, "shared_file", sorted(others - set(unsafe)), "somebody else's row names the same file"
        )

    def _left(self, where: str, veto: str, paths: Sequence[str], why: str) -> None:
        if paths:
            step = PlannedStep(where, Action.KEEP, len(paths), why=why, digest=digest(paths))
            self.drawing.notes.append(step)
            self.drawing.vetoes.append(f"{veto}: {len(paths)} in {where}: {why}")

    def _paths(self, place: Place, rule: ColumnRule, keys_batch: Sequence[Key]) -> list[str]:
        table = self.schema.table(place.table)
        column = column_of(table, rule.name)
        rows = self.connection.execute(select(column).where(keys_in(table, keys_batch))).scalars()
        return [path for path in rows if path]

    def _held_by_other_rows(
        self, place: Place, rule: ColumnRule, keys: Sequence[Key], paths: Sequence[str]
    ) -> set[str]:
        table = self.schema.table(place.table)
        column, mine = column_of(table, rule.name), set(keys)
        found: set[str] = set()
        for start in range(0, len(paths), 500):
            some = list(paths[start : start + 500])
            query = select(column, *primary_key(table)).where(column.in_(some))
            found |= {row[0] for row in self.connection.execute(query) if tuple(row[1:]) not in mine}
        return found


def held_by_others(schema: Schema, place: Place, who: Who) -> Condition:
    """Rows of a shared place that an account other than this one points at."""
    hop, user = place.path[0], schema.data_map.user
    other = schema.table(hop.table).alias()
    here = column_of(schema.table(place.table), hop.column)
    query = select(column_of(other, hop.target)).where(
        column_of(other, user.key) != who.account, column_of(other, hop.target).is_not(None)
    )
    return here.in_(query)


def blank_value(rule: ColumnRule) -> str | None:
    """What stands in a blanked column afterwards."""
    return rule.replacement or "" if rule.on_deletion is OnDeletion.ANONYMISE else None
