"""The database: one engine, one kind of write transaction, the same code on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, insert, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlmodel import Session, SQLModel, col, select

from mailbot.store.encryption import KEY_BYTES, Keyring, Pseudonyms, Seal
from mailbot.store.tables import Case, DataKey, Request, Secret

_BUSY_SECONDS = 30
_LEDGER_LOCK = 0x6D61696C
_SEALS_KEPT = 4096


class StoreTrouble(Exception):
    """The database cannot be used; the text names it and the mend."""


@dataclass(slots=True)
class Group:
    """Mails for staff of one group: how many came in the last hour, and the open case of their flood."""

    mails: int
    flood: Case | None


@dataclass(slots=True)
class Known:
    """What a transaction knows without asking: looked up for a whole batch at once, or made by itself.

    `requests`: all of each case that was opened or locked here. `locked`: cases that nobody else can change now.
    `open_cases` and `letters_today` (by template, those that count): by address hash, complete for every address
    that is in there. `suppressed`: put on the list here, or found on it.
    """

    requests: dict[UUID, list[Request]] = field(default_factory=dict)
    locked: dict[UUID, tuple[Case, DataKey]] = field(default_factory=dict)
    open_cases: dict[bytes, list[Case]] = field(default_factory=dict)
    letters_today: dict[bytes, Counter[str]] = field(default_factory=dict)
    suppressed: set[bytes] = field(default_factory=set)
    groups: dict[bytes, Group] = field(default_factory=dict)


@dataclass(slots=True)
class Transaction:
    """One transaction of the store, with what opens and hashes its values. Either all of it is kept or nothing."""

    session: Session
    keyring: Keyring
    pseudonyms: Pseudonyms
    ledger_tail: tuple[int, bytes] | None = None
    known: Known = field(default_factory=Known)
    _seals: dict[UUID, Seal] = field(default_factory=dict)
    _rows: dict[type[SQLModel], list[dict[str, Any]]] = field(default_factory=dict)
    _new_keys: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    def put(self, kind: type[SQLModel], row: dict[str, Any]) -> None:
        """A row (all its columns) that this transaction will not change. All of a kind are written in one go, before
        anything is read and at the commit: a tenth of what single objects cost."""
        self._rows.setdefault(kind, []).append(row)

    def write_out(self) -> None:
        """Everything that was put is in the database."""
        rows, self._rows, self._new_keys = self._rows, {}, {}
        for kind, values in rows.items():
            self.session.connection().execute(insert(kind), values)

    def new_key(self) -> tuple[UUID, Seal]:
        """A fresh data key, saved."""
        seal, wrapped = self.keyring.new_key()
        key_id = new_id()
        self._new_keys[key_id] = {"id": key_id, "wrapped": wrapped, "destroy_after": None}
        self.put(DataKey, self._new_keys[key_id])
        self._seals[key_id] = seal
        return key_id, seal

    def end_key(self, key_id: UUID, day: date) -> None:
        """The data key will be destroyed on `day`."""
        if key_id in self._new_keys:
            self._new_keys[key_id]["destroy_after"] = day
        else:
            self.session.get_one(DataKey, key_id).destroy_after = day

    def know_key(self, key_id: UUID, wrapped: bytes | None) -> None:
        """A data key that was read beside something else. Raises Destroyed when its retention ended."""
        if key_id not in self._seals:
            self._seals[key_id] = self.keyring.open_key(wrapped)

    def seal(self, key_id: UUID) -> Seal:
        """The seal of a data key. Raises Destroyed when its retention ended."""
        if key_id not in self._seals:
            row = self.session.get_one(DataKey, key_id)
            self._seals[key_id] = self.keyring.open_key(row.wrapped)
        return self._seals[key_id]

    @property
    def is_postgresql(self) -> bool:
        """True where rows can be locked one by one."""
        return self.session.get_bind().dialect.name == "postgresql"

    def lock_ledger(self) -> None:
        """No other transaction appends to the ledger until this one ends (SQLite has one writer anyway)."""
        if self.is_postgresql:
            self.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LEDGER_LOCK})


class Store:
    """Gives transactions. Safe to share between threads; any number of processes may have their own."""

    def __init__(self, url: str, keyring: Keyring) -> None:
        """Raises StoreTrouble when `url` is not one; nothing is opened yet."""
        self.url = url
        self._keyring = keyring
        self.engine = _engine(url)
        self._pseudonyms: Pseudonyms | None = None
        # SQLite has one writer; threads queue here instead of polling its lock. Other processes still poll.
        is_sqlite = self.engine.dialect.name == "sqlite"
        self._writing: AbstractContextManager[object] = threading.Lock() if is_sqlite else nullcontext()

    @property
    def pseudonyms(self) -> Pseudonyms:
        """Keyed hashes and links of this installation."""
        if self._pseudonyms is None:
            self._pseudonyms = self._load_pseudonyms()
        return self._pseudonyms

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A write transaction: committed at the end, rolled back on any exception."""
        pseudonyms = self.pseudonyms
        with self._writing, Session(self.engine, expire_on_commit=False) as session, session.begin():
            tx = Transaction(session, self._keyring, pseudonyms)
            event.listen(session, "do_orm_execute", lambda _: tx.write_out() if session.autoflush else None)
            yield tx
            tx.write_out()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only reads; never waits for a writer."""
        reading = self.engine.execution_options(mailbot_read=True)
        with Session(reading, expire_on_commit=False) as session, session.begin():
            yield Transaction(session, self._keyring, self.pseudonyms)

    def upgrade(self) -> None:
        """The schema is the newest one."""
        _alembic(self.engine, "upgrade")
        self._pseudonyms = None

    def schema_state(self) -> str:
        """`current`, `empty` (a new database) or `outdated`. Raises StoreTrouble when it cannot be opened."""
        try:
            with self.engine.connect() as connection:
                revision = MigrationContext.configure(connection).get_current_revision()
        except SQLAlchemyError as error:
            raise StoreTrouble(
                f"the database cannot be opened ({type(error).__name__}): check [database] url"
            ) from error
        if revision is None:
            return "empty"
        return "current" if revision == _head() else "outdated"

    def open(self) -> None:
        """The store is ready. A new SQLite file is made by itself. Raises StoreTrouble when the schema is old."""
        state = self.schema_state()
        if state == "empty" and self.engine.dialect.name == "sqlite":
            self.upgrade()
        elif state != "current":
            raise StoreTrouble("the database schema is not up to date: run `mailbot db upgrade` first")

    def rewrap(self) -> int:
        """Every data key is wrapped by the newest master key; returns how many there are."""
        with self.begin() as tx:
            keys = select(DataKey).where(col(DataKey.wrapped).is_not(None))
            rows: list[DataKey | Secret] = [*tx.session.exec(keys), *tx.session.exec(select(Secret))]
            for row in rows:
                row.wrapped = self._keyring.wrap(self._keyring.unwrap(row.wrapped or b""))
            return len(rows)

    def _load_pseudonyms(self) -> Pseudonyms:
        """The secret is made once: of several that come first, one has the lock and the others find it there."""
        with Session(self.engine) as session, session.begin():
            if self.engine.dialect.name == "postgresql":
                session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LEDGER_LOCK})
            row = session.get(Secret, "pseudonyms")
            if row is None:
                row = Secret(name="pseudonyms", wrapped=self._keyring.wrap(os.urandom(KEY_BYTES)))
                session.add(row)
            return Pseudonyms(self._keyring.unwrap(row.wrapped))


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562 §5.7): ordered by time, so that indexes stay compact."""
    return _uuid7(_milliseconds(), os.urandom(10))


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


def _uuid7(milliseconds: int, random: bytes) -> UUID:
    value = (milliseconds << 80) | int.from_bytes(random, "big")
    value = (value & ~(0xF << 76)) | (7 << 76)
    return UUID(int=(value & ~(0x3 << 62)) | (2 << 62))


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20}
        if parsed.get_backend_name() == "sqlite":
            if parsed.database:
                Path(parsed.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
            options = {"connect_args": {"timeout": _BUSY_SECONDS, "check_same_thread": False}}
        engine = create_engine(parsed, **options)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise StoreTrouble(f"[database] url is not one that can be opened: {type(error).__name__}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself: _sqlite_begin does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32000"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Any) -> None:
    reading = connection.get_execution_options().get("mailbot_read")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _alembic_config() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _head() -> str | None:
    return ScriptDirectory.from_config(_alembic_config()).get_current_head()


def _alembic(engine: Engine, what: str) -> None:
    config = _alembic_config()
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            getattr(command, what)(config, "head")
    except OperationalError as error:
        raise StoreTrouble(f"the database cannot be upgraded ({type(error.orig).__name__})") from error
