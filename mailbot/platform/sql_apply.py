"""A drawn plan carried out in one transaction.

Updates go first: they cut links to what is deleted. Then rows go, children before parents, in statements of a
batch each.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table, delete, insert, update
from sqlalchemy.engine import Connection

from mailbot.core.plan import PlatformTrouble
from mailbot.platform.sql_order import Cut, DeletionOrder
from mailbot.platform.sql_schema import Key, Schema, batches, column_of, keys_in
from mailbot.platform.sql_work import Doing
from mailbot.platform.sql_write import write_rows

DEFER = {"sqlite": "PRAGMA defer_foreign_keys = ON", "postgresql": "SET CONSTRAINTS ALL DEFERRED"}
"""References in circles are checked at the end, where the database can do that."""

Found = tuple[Doing, Sequence[Key]]


def carry_out(connection: Connection, schema: Schema, doings: Sequence[Doing]) -> int:
    """Every row is changed as drawn; returns how many.

    Raises:
        PlatformTrouble: somebody else changed rows meanwhile; nothing may be committed.
    """
    order = schema.deletion_order()
    if order.stuck and schema.dialect in DEFER:
        connection.exec_driver_sql(DEFER[schema.dialect])
    found = _each_row_once([(doing, doing.rows.keys(connection)) for doing in doings])
    others = [one for one in found if not one[0].deletes]
    deletions = sorted(
        (one for one in found if one[0].deletes), key=lambda one: order.position(one[0].table.name)
    )
    rows = sum(_write(connection, doing, keys) for doing, keys in others)
    for doing, keys in deletions:
        _open_circles(connection, doing.table, order, keys)
    return rows + sum(remove_rows(connection, doing.table, keys) for doing, keys in deletions)


def remove_rows(connection: Connection, table: Table, keys: Sequence[Key]) -> int:
    """The rows are gone; returns how many there were."""
    for some in batches(keys):
        _expect(table, connection.execute(delete(table).where(keys_in(table, some))).rowcount, some)
    return len(keys)


def cuts_of(order: DeletionOrder, table: Table) -> list[Cut]:
    """The references of this table's rows that are set to null before the rows go."""
    return [cut for cut in order.cuts if cut.table == table.name]


def _each_row_once(found: Sequence[Found]) -> list[Found]:
    """A row that is in two places of the map is deleted once."""
    seen: set[tuple[str, Key]] = set()
    once: list[Found] = []
    for doing, keys in found:
        if doing.deletes:
            keys = [key for key in keys if (doing.table.name, key) not in seen]
            seen |= {(doing.table.name, key) for key in keys}
        once.append((doing, keys))
    return once


def _open_circles(connection: Connection, table: Table, order: DeletionOrder, keys: Sequence[Key]) -> None:
    for cut in cuts_of(order, table):
        column = column_of(table, cut.column)
        for some in batches(keys):
            held = keys_in(table, some) & column.is_not(None)
            connection.execute(update(table).where(held).values({cut.column: None}))


def _write(connection: Connection, doing: Doing, keys: Sequence[Key]) -> int:
    if doing.new:
        connection.execute(insert(doing.table).values(dict(doing.new)))
        return 1
    for some in batches(keys):
        _expect(doing.table, write_rows(connection, doing.table, doing.writes, some), some)
    return len(keys)


def _expect(table: Table, rows: int, keys: Sequence[Key]) -> None:
    if rows != len(keys):
        raise PlatformTrouble(f"rows of {table.name} changed meanwhile", later=True)
