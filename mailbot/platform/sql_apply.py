"""A drawn plan carried out: rows in one transaction, files after it, each key once.

The journal (one table in the platform's own database) is written in the same transaction as the change: it
says that the key was applied, and which files are still to be removed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Delete, Update

from mailbot.core.plan import Applied, PlatformTrouble
from mailbot.platform.files import Files
from mailbot.platform.sql_schema import Schema, batches, keys_in
from mailbot.platform.sql_work import Doing


def key_hash(idempotency_key: str) -> str:
    """How a key stands in the journal."""
    return hashlib.sha256(idempotency_key.encode()).hexdigest()


def claim(connection: Connection, schema: Schema, key: str, now: datetime) -> bool:
    """The key is ours in this transaction; False when it was applied before. A second process with the same
    key waits here until the first has committed."""
    row = {"key_hash": key, "rows_changed": 0, "files_removed": 0, "open_files": "[]", "applied_at": now}
    claiming = _insert_unless_there(connection, schema).values(row).returning(schema.journal.c.key_hash)
    return connection.execute(claiming).first() is not None


def carry_out(connection: Connection, schema: Schema, doings: Sequence[Doing]) -> int:
    """Every row is changed as drawn; returns how many. Updates go first: they cut links to what is deleted.

    Raises:
        PlatformTrouble: somebody else changed rows meanwhile; nothing may be committed.
    """
    order = {name: index for index, name in enumerate(schema.children_first())}
    updates = [doing for doing in doings if doing.values]
    deletions = sorted(
        (doing for doing in doings if not doing.values), key=lambda doing: order[doing.table.name]
    )
    return sum(_carry_out_one(connection, doing) for doing in [*updates, *deletions])


def close_claim(connection: Connection, schema: Schema, key: str, rows: int, files: Sequence[str]) -> None:
    """The journal says what was changed, and which files are to be removed once this is committed."""
    values = {"rows_changed": rows, "files_removed": len(files), "open_files": json.dumps(list(files))}
    _write_journal(connection, schema, key, values)


def finish_files(schema: Schema, files: Files, key: str) -> Applied:
    """The files of this key's change are gone, and the journal holds their paths no longer."""
    journal = schema.journal
    with schema.reading() as connection:
        row = connection.execute(select(journal).where(journal.c.key_hash == key)).one()
    open_files: list[str] = json.loads(row.open_files)
    for path in open_files:
        files.remove(path)
    if open_files:
        with schema.writing() as connection:
            _write_journal(connection, schema, key, {"open_files": "[]"})
    return Applied(row.rows_changed, row.files_removed)


def open_keys(schema: Schema) -> list[str]:
    """Keys whose files are not all removed."""
    journal = schema.journal
    with schema.reading() as connection:
        return list(
            connection.execute(select(journal.c.key_hash).where(journal.c.open_files != "[]")).scalars()
        )


def _carry_out_one(connection: Connection, doing: Doing) -> int:
    for keys in batches(doing.keys):
        statement: Delete | Update = delete(doing.table)
        if doing.values:
            statement = update(doing.table).values(dict(doing.values))
        if connection.execute(statement.where(keys_in(doing.table, keys))).rowcount != len(keys):
            raise PlatformTrouble(f"rows of {doing.table.name} changed meanwhile", later=True)
    return len(doing.keys)


def _write_journal(connection: Connection, schema: Schema, key: str, values: Mapping[str, object]) -> None:
    journal = schema.journal
    connection.execute(update(journal).where(journal.c.key_hash == key).values(dict(values)))


def _insert_unless_there(connection: Connection, schema: Schema) -> postgresql.Insert | sqlite.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(schema.journal).on_conflict_do_nothing()
    return sqlite.insert(schema.journal).on_conflict_do_nothing()
