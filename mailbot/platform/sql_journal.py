"""Which changes were made under which key, so that none is made twice: two tables in the platform's database.

The journal says that a key was applied and which files are still to be removed; it is written in the change's
own transaction. A change too large for one transaction stands in the second table while it is going on, with
what it has done so far.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Insert, Table, delete, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine import Connection

from mailbot.core.plan import Applied
from mailbot.platform.files import Files
from mailbot.platform.sql_schema import Schema


def key_hash(idempotency_key: str) -> str:
    """How a key stands in the journal."""
    return hashlib.sha256(idempotency_key.encode()).hexdigest()


def claim(connection: Connection, schema: Schema, key: str, now: datetime) -> bool:
    """The key is ours in this transaction; False when it was applied before. A second process with the same
    key waits here until the first has committed."""
    row = {"key_hash": key, "rows_changed": 0, "files_removed": 0, "open_files": "[]", "applied_at": now}
    return _insert_unless_there(connection, schema.journal, row)


def was_applied(connection: Connection, schema: Schema, key: str) -> bool:
    """The key was applied, wholly."""
    query = select(schema.journal.c.key_hash).where(schema.journal.c.key_hash == key)
    return connection.execute(query).first() is not None


def close_claim(connection: Connection, schema: Schema, key: str, rows: int, files: Sequence[str]) -> Applied:
    """The journal says what was changed in all, and which files are to be removed once this is committed."""
    so_far = _so_far(connection, schema, key)
    whole = Applied(so_far.rows + rows, so_far.files + len(files))
    values = {
        "rows_changed": whole.rows,
        "files_removed": whole.files,
        "open_files": json.dumps(list(files)),
    }
    _write(connection, schema.journal, key, values)
    connection.execute(delete(schema.begun).where(schema.begun.c.key_hash == key))
    return whole


def begin(connection: Connection, schema: Schema, key: str, now: datetime) -> bool:
    """The change of this key is begun; False when it was before."""
    row = {"key_hash": key, "rows_changed": 0, "files_removed": 0, "open_files": "[]", "begun_at": now}
    return _insert_unless_there(connection, schema.begun, row)


def is_begun(connection: Connection, schema: Schema, key: str) -> bool:
    """The change is going on. Whoever asks holds it alone until the end of the transaction."""
    query = select(schema.begun.c.key_hash).where(schema.begun.c.key_hash == key).with_for_update()
    return connection.execute(query).first() is not None


def add_progress(connection: Connection, schema: Schema, key: str, rows: int, files: Sequence[str]) -> None:
    """So many rows more are done, and these files are to be removed once this is committed."""
    so_far = _so_far(connection, schema, key)
    values = {
        "rows_changed": so_far.rows + rows,
        "files_removed": so_far.files + len(files),
        "open_files": json.dumps(list(files)),
    }
    _write(connection, schema.begun, key, values)


def finish_files(schema: Schema, files: Files, key: str) -> Applied:
    """The files of this key's change are gone, and the journal holds their paths no longer."""
    return _finish(schema, schema.journal, files, key)


def finish_batch(schema: Schema, files: Files, key: str) -> None:
    """The same for the last batch of a change that is going on."""
    _finish(schema, schema.begun, files, key)


def finish_all(schema: Schema, files: Files) -> int:
    """The files of all changes are gone that a crash left; returns how many."""
    return sum(
        len(_open_files(schema, table, key)) and _finish(schema, table, files, key).files
        for table in (schema.journal, schema.begun)
        for key in _open_keys(schema, table)
    )


def _so_far(connection: Connection, schema: Schema, key: str) -> Applied:
    row = connection.execute(select(schema.begun).where(schema.begun.c.key_hash == key)).first()
    return Applied(row.rows_changed, row.files_removed) if row else Applied(0, 0)


def _finish(schema: Schema, table: Table, files: Files, key: str) -> Applied:
    with schema.reading() as connection:
        row = connection.execute(select(table).where(table.c.key_hash == key)).first()
    if row is None:
        return Applied(0, 0)
    open_files: list[str] = json.loads(row.open_files)
    for path in open_files:
        files.remove(path)
    if open_files:
        with schema.writing() as connection:
            _write(connection, table, key, {"open_files": "[]"})
    return Applied(row.rows_changed, row.files_removed)


def _open_keys(schema: Schema, table: Table) -> list[str]:
    with schema.reading() as connection:
        return list(connection.execute(select(table.c.key_hash).where(table.c.open_files != "[]")).scalars())


def _open_files(schema: Schema, table: Table, key: str) -> list[str]:
    with schema.reading() as connection:
        found = connection.execute(select(table.c.open_files).where(table.c.key_hash == key)).scalar()
    return list(json.loads(found)) if found else []


def _write(connection: Connection, table: Table, key: str, values: Mapping[str, object]) -> None:
    connection.execute(update(table).where(table.c.key_hash == key).values(dict(values)))


def _insert_unless_there(connection: Connection, table: Table, row: Mapping[str, object]) -> bool:
    statement: Insert
    match connection.dialect.name:
        case "postgresql":
            statement = postgresql.insert(table).on_conflict_do_nothing()
        case "sqlite":
            statement = sqlite.insert(table).on_conflict_do_nothing()
        case _:
            statement = mysql.insert(table).prefix_with("IGNORE")
    counted = statement.values(dict(row)).execution_options(preserve_rowcount=True)
    return connection.execute(counted).rowcount == 1
