"""What deleting a person means: which rows and files go, which stay and on what ground."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from dateutil.relativedelta import relativedelta
from sqlalchemy import Table, and_, false, func, not_, or_, select
from sqlalchemy.engine import Connection

from mailbot.core.data_map import ColumnRule, FileRule, Keeping, Limit, OnDeletion, Place
from mailbot.core.plan import Action, Anchor, Deletion, FieldStep, PlannedStep
from mailbot.core.request import Capacity
from mailbot.platform.file_store import Measure
from mailbot.platform.files import Files
from mailbot.platform.sql_files import Source, Values, held_by_other_rows, named_by, sources_of, where_of
from mailbot.platform.sql_find import (
    Who,
    address_on_file,
    is_same_address,
    is_to_key,
    linked,
    rows_of,
    to_account,
)
from mailbot.platform.sql_schema import (
    BATCH,
    Condition,
    Schema,
    all_equal,
    any_of,
    as_utc,
    column_of,
    moment,
    only,
    primary_key,
)
from mailbot.platform.sql_vetoes import vetoed
from mailbot.platform.sql_work import Doing, Drawing, Rows, delete_step, digest, rows_where, these_rows
from mailbot.platform.sql_write import Write, blanking, is_not_yet, not_yet_inside

ADDRESS_CHANGED = "address_changed: the address on file is not the one that was found any more"


def draw_deletion(
    connection: Connection,
    schema: Schema,
    files: Files,
    who: Who,
    change: Deletion,
    now: datetime,
    *,
    measured: bool,
) -> Drawing:
    """What `change` touches, now. `measured`: files are counted in their store where that takes asking it."""
    drawing = Drawing(change, identifiers=who.addresses)
    for place in schema.data_map.places_of(who.rule.capacity):
        _Places(connection, schema, files, who, now, drawing, measured).draw(place)
    if who.rule.capacity is Capacity.USER and drawing.doings:
        drawing.notes += _left_with_hosts(connection, schema, who)
        passed = limits_passed(connection, schema, who, now)
        drawing.limits += [said.partition(":")[0] for said in passed]
        drawing.vetoes += [*passed, *vetoed(connection, schema, who, now)]
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
    held = schema.same_address(column_of(table, rule.address), who.addresses)
    own = to_account(schema, table, rule.host, who.account)
    rows = connection.execute(select(func.count()).select_from(table).where(held, not_(own))).scalar_one()
    why = "left with other hosts, who are its controllers; asked for host by host"
    return [PlannedStep(rule.table, Action.KEEP, rows, why=why, may_grow=True)] if rows else []


class _Places:
    """Draws one place after the other into a drawing."""

    def __init__(
        self,
        connection: Connection,
        schema: Schema,
        files: Files,
        who: Who,
        now: datetime,
        drawing: Drawing,
        measured: bool,
    ) -> None:
        self.connection = connection
        self.schema = schema
        self.files = files
        self.who = who
        self.now = now
        self.drawing = drawing
        self.measured = measured

    def draw(self, place: Place) -> None:
        table = self.schema.table(place.table)
        mine = rows_of(self.schema, place, self.who)
        if place.keeping:
            overdue = self._overdue(place, place.keeping)
            self._delete(place, rows_where(self.connection, table, and_(mine, overdue)))
            self._keep(place, place.keeping, and_(mine, not_(overdue)))
        elif place.on_deletion is OnDeletion.ANONYMISE:
            self._blank(place, mine)
            self._blanked_files(place, mine)
        else:
            self._delete(place, self._unshared(place, mine))

    def _delete(self, place: Place, rows: Rows) -> None:
        if not rows.count:
            return
        step = delete_step(place.name, rows, place.purpose, may_grow=place.may_grow)
        self.drawing.add(Doing(step, rows))
        self._anchor(place, rows)
        for source in sources_of(place):
            self._files(place, source, rows)

    def _anchor(self, place: Place, rows: Rows) -> None:
        """Where the way to the person leads over rows that go too, remember the first step of it."""
        if not place.path or self._is_direct(place):
            return
        column = column_of(rows.table, place.path[0].columns[0])
        path = and_(linked(self.schema, place, self.who), only(rows.table, place.path[0]))
        if place.shared:
            path = and_(path, rows.condition)
        values = self.connection.execute(select(column).where(path, column.is_not(None)).distinct()).scalars()
        texts = tuple(sorted(map(str, values)))
        self.drawing.anchors.append(Anchor(place.table, column.name, texts, place.name))

    def _is_direct(self, place: Place) -> bool:
        return len(place.path) == 1 and is_to_key(place.path[0], self.schema.data_map.user)

    def _unshared(self, place: Place, mine: Condition) -> Rows:
        table = self.schema.table(place.table)
        if not place.shared:
            return rows_where(self.connection, table, mine)
        held = and_(mine, held_by_others(self.schema, place, self.who))
        count = self.connection.execute(select(func.count()).select_from(table).where(held)).scalar_one()
        if count:
            note = PlannedStep(place.name, Action.KEEP, count, why="others hold on to it too")
            self.drawing.notes.append(note)
        alone = and_(mine, not_(held_by_others(self.schema, place, self.who)))
        return rows_where(self.connection, table, alone)

    def _overdue(self, place: Place, keeping: Keeping) -> Condition:
        since = self.schema.column(place.table, keeping.since)
        limit = self.now - relativedelta(years=keeping.years)
        return and_(since.is_not(None), since < moment(since, limit))

    def _keep(self, place: Place, keeping: Keeping, stays: Condition) -> None:
        table = self.schema.table(place.table)
        rows = rows_where(self.connection, table, stays)
        if not rows.count:
            return
        newest = as_utc(
            self.connection.execute(select(func.max(column_of(table, keeping.since))).where(stays)).scalar()
        )
        until = (newest + relativedelta(years=keeping.years)).date() if newest else None
        note = PlannedStep(
            place.name, Action.KEEP, rows.count, why=keeping.ground, until=until, digest=rows.digest
        )
        self.drawing.notes.append(note)
        self._blank(place, stays)

    def _blank(self, place: Place, stays: Condition) -> None:
        """What names the person goes from rows that stay."""
        rules = [rule for rule in place.columns if rule.on_deletion is not OnDeletion.KEEP]
        if not rules:
            return
        table = self.schema.table(place.table)
        writes = tuple(blanking(table, rule, self.now) for rule in rules)
        rows = not_yet_blank(self.connection, table, stays, rules, writes)
        is_null = all(write.value is None for write in writes)
        step = PlannedStep(
            place.name,
            Action.NULL if is_null else Action.ANONYMISE,
            rows.count,
            tuple(
                FieldStep(rule.name, None, _shown(write)) for rule, write in zip(rules, writes, strict=True)
            ),
            place.purpose,
            digest=rows.digest,
            may_grow=place.may_grow,
        )
        self.drawing.add(Doing(step, rows, writes))

    def _blanked_files(self, place: Place, mine: Condition) -> None:
        """Of rows that stay those files go whose column is blanked, and those that no column names."""
        for source in sources_of(place):
            if isinstance(source, FileRule) or source.on_deletion is not OnDeletion.KEEP:
                rows = rows_where(self.connection, self.schema.table(place.table), mine)
                self._files(place, source, rows)

    def _files(self, place: Place, source: Source, rows: Rows) -> None:
        where = where_of(place, source)
        named = named_by(self.connection, rows.table, rows.condition, source)
        unsafe = [values for values, path in named.items() if path is None or not self.files.is_safe(path)]
        others = held_by_other_rows(self.connection, rows, source, named) - set(unsafe)
        left = others.union(unsafe)
        gone = sorted({path for values, path in named.items() if path is not None and values not in left})
        self.drawing.files += gone
        if isinstance(source, ColumnRule):
            self._go(where, gone, Measure(len(gone)), source.purpose)
        elif self.measured:
            self._go(where, gone, sum(map(self.files.measure, gone), Measure()), place.purpose)
        self._left(where, "unsafe_path", unsafe, "the path leads out of the files root or is not clean")
        self._left(where, "shared_file", others, "somebody else's row names the same file")

    def _go(self, where: str, paths: Sequence[str], measure: Measure, why: str) -> None:
        if measure.files:
            marks = digest(paths)
            step = PlannedStep(
                where, Action.DELETE, measure.files, why=why, digest=marks, bytes=measure.bytes
            )
            self.drawing.notes.append(step)

    def _left(self, where: str, veto: str, paths: Collection[Values], why: str) -> None:
        if paths:
            step = PlannedStep(where, Action.KEEP, len(paths), why=why, digest=digest(paths))
            self.drawing.notes.append(step)
            self.drawing.vetoes.append(f"{veto}: {len(paths)} in {where}: {why}")


def not_yet_blank(
    connection: Connection,
    table: Table,
    stays: Condition,
    rules: Sequence[ColumnRule],
    writes: Sequence[Write],
) -> Rows:
    """The rows in which something is not yet as it will be written. Inside JSON no database of ours can tell
    for every entry of a list, so those documents are read."""
    pairs = list(zip(writes, rules, strict=True))
    plain = [is_not_yet(table, write, rule) for write, rule in pairs if not write.inside]
    inside = [write for write in writes if write.inside]
    if not inside:
        return rows_where(connection, table, and_(stays, or_(*plain)))
    own = primary_key(table)
    columns = [column_of(table, write.column) for write in inside]
    due = any_of(plain).is_distinct_from(false()) if plain else false()
    query = select(*own, due.label("mailbot_due"), *columns).where(stays).execution_options(yield_per=BATCH)
    keys = [
        tuple(row[: len(own)])
        for row in connection.execute(query)
        if row.mailbot_due or any(map(not_yet_inside, row[len(own) + 1 :], inside))
    ]
    rows = these_rows(table, stays, keys)
    return rows if rows.count <= BATCH else replace(rows, few=None)


def _shown(write: Write) -> str | None:
    return None if write.value is None else str(write.value)


def held_by_others(schema: Schema, place: Place, who: Who) -> Condition:
    """Rows of a shared place that an account other than this one points at."""
    hop, user = place.path[0], schema.data_map.user
    other = schema.table(hop.table).alias()
    here = column_of(schema.table(place.table), hop.columns[0])
    target = column_of(other, hop.targets[0])
    query = select(target).where(not_(all_equal(other, user.key, who.account)), target.is_not(None))
    return func.coalesce(here.in_(query), false())
