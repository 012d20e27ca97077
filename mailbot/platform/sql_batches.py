"""A deletion too large for one transaction: first the account is closed, then its many rows go batch by batch.

What is left fits into one transaction, which is drawn and compared again. Everything is found anew each time,
so a crash at any point is met by doing it again with the same key.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Select, Table, and_, select, tuple_, update
from sqlalchemy.engine import Connection

from mailbot.core.data_map import Place
from mailbot.core.plan import Deletion
from mailbot.platform.files import Files
from mailbot.platform.sql_apply import cuts_of, remove_rows
from mailbot.platform.sql_files import held_by_other_rows, named_by, sources_of
from mailbot.platform.sql_find import Who
from mailbot.platform.sql_journal import add_progress, begin, finish_batch, is_begun
from mailbot.platform.sql_order import DeletionOrder
from mailbot.platform.sql_schema import (
    BATCH,
    Condition,
    Key,
    Schema,
    all_equal,
    column_of,
    keys_in,
    primary_key,
)
from mailbot.platform.sql_work import Doing, Drawing, Rows
from mailbot.platform.sql_write import Write, at_once, write_rows


def is_large(drawing: Drawing) -> bool:
    """Some step of a deletion has more rows than one batch."""
    return isinstance(drawing.change, Deletion) and any(doing.rows.few is None for doing in drawing.doings)


class Batches:
    """The first part of one large deletion. Each method commits as it goes."""

    def __init__(
        self, schema: Schema, files: Files, who: Who, drawing: Drawing, key: str, now: datetime
    ) -> None:
        self.schema = schema
        self.files = files
        self.who = who
        self.drawing = drawing
        self.key = key
        self.now = now
        self.order: DeletionOrder = schema.deletion_order()
        places = schema.data_map.places_of(who.rule.capacity)
        self.places: dict[str, Place] = {place.name: place for place in places}

    def run(self) -> None:
        """The account is closed, and of no place that can go ahead is more than a batch left."""
        with self.schema.writing() as connection:
            if begin(connection, self.schema, self.key, self.now):
                self._deactivate(connection)
        finish_batch(self.schema, self.files, self.key)
        for doing in self.drawing.doings:
            if doing.deletes:
                self._open_circles(doing)
        for doing in self._ahead():
            self._repeat(doing, doing.rows.condition, doing.writes)

    def _deactivate(self, connection: Connection) -> None:
        user = self.schema.data_map.user
        if self.who.subject.host is not None or not user.deactivate:
            return
        table = self.schema.table(user.table)
        values = {name: at_once(value, column_of(table, name), self.now) for name, value in user.deactivate}
        mine = all_equal(table, user.key, self.who.account)
        connection.execute(update(table).where(mine).values(values))

    def _ahead(self) -> list[Doing]:
        """Log-ins; and whatever is large, after all that may refer to it or is found over it."""
        able = self._able()
        large = [self.order.position(doing.table.name) for doing in able if doing.rows.few is None]
        last = max(large, default=-1)
        before = [doing for doing in able if self.order.position(doing.table.name) <= last]
        return sorted((doing for doing in able if doing in before or self._logs_out(doing)), key=self._turn)

    def _turn(self, doing: Doing) -> tuple[bool, int, bool]:
        """Log-ins first, then children before parents; in one table what stays before what goes."""
        return not self._logs_out(doing), self.order.position(doing.table.name), doing.deletes

    def _logs_out(self, doing: Doing) -> bool:
        return self.places[doing.step.place].logs_out

    def _able(self) -> list[Doing]:
        """What can go ahead: not what has to wait by itself, nor what something that waits refers to."""
        waiting = {doing.table.name for doing in self.drawing.doings if self._waits(doing)}
        referred = {key.referred_table.name for name in waiting for key in self._keys_of(name)}
        while not referred <= waiting:
            waiting |= referred
            referred = {key.referred_table.name for name in waiting for key in self._keys_of(name)}
        return [doing for doing in self.drawing.doings if doing.table.name not in waiting]

    def _keys_of(self, table: str) -> list[ForeignKeyConstraint]:
        """The foreign keys of a table that are not emptied before."""
        cut = {one.column for one in self.order.cuts if one.table == table and not one.pathway}
        keys = self.schema.table(table).foreign_key_constraints
        return [key for key in keys if not cut & set(key.column_keys)]

    def _waits(self, doing: Doing) -> bool:
        """The account itself; what is found over rows that go before; what only goes together with others."""
        place = self.places[doing.step.place]
        here = self.order.position(place.table)
        is_account = place.table == self.schema.data_map.user.table
        is_lost = any(self.order.position(hop.table) < here for hop in place.path)
        return is_account or place.shared or is_lost or (doing.deletes and place.table in self.order.held)

    def _open_circles(self, doing: Doing) -> None:
        """References that would hold on to rows that go before their own are emptied."""
        for cut in cuts_of(self.order, doing.table):
            if not cut.pathway:
                column = column_of(doing.table, cut.column)
                refers = and_(doing.rows.condition, column.is_not(None))
                self._repeat(doing, refers, (Write(cut.column, None),))

    def _repeat(self, doing: Doing, condition: Condition, writes: Sequence[Write]) -> None:
        """Batch after batch, by primary key, each in a transaction of its own."""
        last: Key | None = None
        while last is None or last:
            with self.schema.writing() as connection:
                if not is_begun(connection, self.schema, self.key):
                    return  # another process has ended it meanwhile
                keys = _next_keys(connection, doing.table, condition, last)
                self._one(connection, doing, keys, writes)
            last = keys[-1] if len(keys) == BATCH else ()
            finish_batch(self.schema, self.files, self.key)

    def _one(
        self, connection: Connection, doing: Doing, keys: Sequence[Key], writes: Sequence[Write]
    ) -> None:
        if not keys:
            return
        if writes and doing.deletes:  # what is only cut loose is counted, with its files, when it goes
            write_rows(connection, doing.table, writes, keys)
            return
        files = self._files(connection, doing, keys)
        if writes:
            write_rows(connection, doing.table, writes, keys)
        else:
            remove_rows(connection, doing.table, keys)
        add_progress(connection, self.schema, self.key, len(keys), files)

    def _files(self, connection: Connection, doing: Doing, keys: Sequence[Key]) -> list[str]:
        """The files that go with these rows: those that the whole plan lets go, and no row left names."""
        sources = sources_of(self.places[doing.step.place])
        let_go = set(self.drawing.files) if sources else set()
        rows = Rows(doing.table, keys_in(doing.table, keys), len(keys), "", tuple(keys))
        found: set[str] = set()
        for source in sources:
            named = named_by(connection, rows.table, rows.condition, source)
            others = held_by_other_rows(connection, rows, source, named)
            found |= {path for values, path in named.items() if path in let_go and values not in others}
        return sorted(found)


def _next_keys(connection: Connection, table: Table, condition: Condition, last: Key | None) -> list[Key]:
    own = primary_key(table)
    query: Select[tuple[object, ...]] = select(*own).where(condition).order_by(*own).limit(BATCH)
    if last is not None:
        query = query.where(own[0] > last[0] if len(own) == 1 else tuple_(*own) > tuple_(*last))
    return [tuple(row) for row in connection.execute(query)]
