"""The platform's database as it is: a connection, its reflected tables, and what a data map's links mean."""

from __future__ import annotations

import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    create_engine,
    event,
    false,
    func,
    inspect,
    literal,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy import cast as cast_as
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SAWarning,
    SQLAlchemyError,
)
from sqlalchemy.sql.selectable import FromClause

from mailbot.core.address import normalise
from mailbot.core.data_map import CaseRule, DataMap, Hop, PlusRule
from mailbot.core.plan import PlatformTrouble
from mailbot.platform.sql_order import DeletionOrder, deletion_order

_LONG_TEXT = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
"""MySQL's own Text ends at 64 KiB."""

BATCH = 1000
"""Keys in one statement; SQLite allows 32,766 bound values, PostgreSQL 65,535."""

WAIT_SECONDS = 20
"""For a connection, and for rows that somebody else has locked; then it is tried again later."""

STILL_REFERRED = (
    "the platform's database refuses: a row that is new, or that the data map does not name, refers to what "
    "would be deleted, or a value is taken; see: mailbot platform check"
)
"""Tried again, since rows may have come at that very moment; if it stays so, staff see it."""

READING: dict[str, dict[str, Any]] = {
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    "mysql": {"isolation_level": "REPEATABLE READ"},
}
"""All reads of one plan, read-back or export see one state. SQLite transactions do anyway."""

WRITING: dict[str, dict[str, Any]] = {"mysql": {"isolation_level": "READ COMMITTED"}}
"""MySQL's default would show, after the wait for a lock, what was there before it."""

PATIENCE = {
    "postgresql": f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'",
    "mysql": f"SET innodb_lock_wait_timeout = {WAIT_SECONDS}",
}

ADDRESSES = "addresses"
"""The parameter of statements that are built once and asked for many addresses."""

Key = tuple[object, ...]
Condition = ColumnElement[bool]
End = Callable[[Table], Condition]


class Schema:
    """The tables that a data map names, reflected from the live database at first use."""

    def __init__(self, url: str, data_map: DataMap) -> None:
        self.data_map = data_map
        self.engine = _engine(url)
        self.dialect = "mysql" if self.engine.dialect.name == "mariadb" else self.engine.dialect.name
        self.metadata = MetaData()
        self._reflecting = threading.Lock()
        self._wanted = sorted(data_map.tables())
        self._own = MetaData()
        self.kept: dict[tuple[object, ...], Select[Any]] = {}
        """Statements built once; building one costs more than asking it."""
        self.journal = _journal(data_map.journal_table, self._own)
        self.begun = _begun(data_map.journal_table + "_begun", self._own)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection whose reads see one state."""
        with _trouble(), self.engine.connect() as plain:
            connection = plain.execution_options(**READING.get(self.dialect, {}))
            self._reflect(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with _trouble(), self.engine.connect() as plain:
            connection = plain.execution_options(mailbot_writes=True, **WRITING.get(self.dialect, {}))
            with connection.begin():
                if self.dialect in PATIENCE:
                    connection.exec_driver_sql(PATIENCE[self.dialect])
                self._reflect(connection)
                yield connection

    def make_journal(self) -> None:
        """The journal's tables are there, whoever made them: several processes may start at once."""
        with _trouble():
            if self._has_journal():
                return
            try:
                self._create_journal()
            except SQLAlchemyError:
                if not self._has_journal():
                    raise

    def _has_journal(self) -> bool:
        inspector = inspect(self.engine)
        return all(inspector.has_table(name) for name in self._own.tables)

    def _create_journal(self) -> None:
        with self.engine.connect() as plain:
            connection = plain.execution_options(mailbot_writes=True)
            with connection.begin():
                self._own.create_all(connection)

    def table(self, name: str) -> Table:
        """The reflected table `name`."""
        found = self.metadata.tables.get(name)
        if found is None:
            raise PlatformTrouble(_drift(f'table "{name}"'), later=False)
        return found

    def column(self, table: str, name: str) -> Column[Any]:
        """The reflected column `name` of `table`."""
        return column_of(self.table(table), name)

    def deletion_order(self) -> DeletionOrder:
        """In which order rows of the mapped tables go."""
        return deletion_order(self.metadata.tables, self.data_map)

    def cell(self, table: FromClause, name: str) -> ColumnElement[Any]:
        """The column `name`, or with "column.key.key" the text of what is there inside a JSON column."""
        column, *inside = name.split(".")
        found = column_of(table, column)
        if not inside:
            return found
        is_json = isinstance(found.type, JSON) or self.dialect != "postgresql"
        document: ColumnElement[Any] = type_coerce(found, JSON) if is_json else cast_as(found, JSON)
        return cast("ColumnElement[Any]", document[tuple(inside)].as_string())

    def same_address(self, column: ColumnElement[Any], addresses: Iterable[str]) -> Condition:
        """`column` holds one of `addresses`, as the platform writes addresses down and compares them."""
        wanted = spellings(addresses)
        if not wanted:
            return false()
        held = self._plain(column)
        if self.data_map.addresses.plus is PlusRule.DISTINCT:
            return held.in_(wanted)
        bare = {_without_tag(address) for address in wanted}
        tagged = [
            held.like(f"{_escaped(local)}+%@{_escaped(at)}", escape="\\") for local, at in map(_halves, bare)
        ]
        return or_(held.in_(sorted({*wanted, *bare})), *tagged)

    def same_address_given(self, column: ColumnElement[Any]) -> Condition:
        """The same for a statement that is kept: the `spellings` are given as its parameter ADDRESSES. Not for
        platforms to which plus addresses are the same."""
        return self._plain(column).in_(bindparam(ADDRESSES, expanding=True))

    def _plain(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        is_lower = self.data_map.addresses.case is CaseRule.LOWER
        return column if is_lower else func.lower(func.trim(column))

    def leads(self, table: Table, hops: Sequence[Hop], end: End) -> Condition:
        """Rows of `table` from which `hops` lead to rows for which `end` holds."""
        if not hops:
            return end(table)
        hop = hops[0]
        target = self.table(hop.table).alias()
        there = self.leads(cast(Table, target), hops[1:], end)
        here = [column_of(table, name) for name in hop.columns]
        inner = [alike(column_of(target, name), mine) for name, mine in zip(hop.targets, here, strict=True)]
        led = here[0] if len(here) == 1 else tuple_(*here)
        return and_(only(table, hop), led.in_(select(*inner).where(there)))

    def _reflect(self, connection: Connection) -> None:
        """Whole before anybody sees it: a thread that met half of it would report tables as missing."""
        if self.metadata.tables:
            return
        with self._reflecting:
            if self.metadata.tables:
                return
            dialect, reflected = connection.dialect, MetaData()
            present = dialect.get_table_names(connection) + dialect.get_view_names(connection)
            with quiet():
                reflected.reflect(connection, only=[name for name in self._wanted if name in present])
            self.metadata = reflected


@contextmanager
def reading_any(url: str) -> Iterator[Connection]:
    """A connection to a database that no map describes yet."""
    engine = _engine(url)
    try:
        with _trouble(), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def quiet() -> Iterator[None]:
    """SQLAlchemy warns of index expressions and column types it does not know; neither matters here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        yield


def column_of(table: FromClause, name: str) -> Column[Any]:
    """The column `name` of a table or alias, or trouble that says what has vanished."""
    try:
        return cast("Column[Any]", table.c[name])
    except KeyError:
        where = getattr(table, "element", table)
        raise PlatformTrouble(_drift(f'column "{name}" of "{where}"'), later=False) from None


def only(table: FromClause, hop: Hop) -> Condition:
    """Rows for which the hop holds at all."""
    return and_(true(), *(column_of(table, name) == value for name, value in hop.only))


def alike(target: Column[Any], here: Column[Any]) -> ColumnElement[Any]:
    """`target` as it compares with `here`: polymorphic references keep numbers as texts."""
    is_text = isinstance(here.type, String) and not isinstance(target.type, String)
    return cast_as(target, String(255)) if is_text else target


def all_equal(table: FromClause, names: Sequence[str], values: Key) -> Condition:
    """Rows whose columns `names` have these values."""
    columns = [column_of(table, name) for name in names]
    return and_(*(column == _fitting(column, value) for column, value in zip(columns, values, strict=True)))


def _fitting(column: Column[Any], value: object) -> object:
    return str(value) if isinstance(column.type, String) else value


def spellings(addresses: Iterable[str]) -> list[str]:
    """Every way in which a column in lower case may hold one of `addresses`."""
    variants = {variant for address in addresses for variant in _variants(address)}
    return sorted(variant for variant in variants if _is_storable(variant))


def keys_in(table: Table, keys: Sequence[Key]) -> Condition:
    """The rows of `table` with these primary keys (at most a batch)."""
    columns = list(table.primary_key.columns)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(list(keys))


def batches(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """`keys` in pieces that one statement can take."""
    return (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))


def primary_key(table: Table) -> list[Column[Any]]:
    """The primary key's columns; without any, rows cannot be named and nothing is changed."""
    columns = list(table.primary_key.columns)
    if not columns:
        raise PlatformTrouble(f'table "{table.name}" has no primary key; give it one', later=False)
    return columns


def typed(column: Column[Any], text: str) -> object:
    """A key that went through text, as the column's own type again."""
    try:
        kind = column.type.python_type
        return text.lower() in ("true", "1") if kind is bool else kind(text)
    except (NotImplementedError, TypeError, ValueError):
        return text


def moment(column: Column[Any], at: datetime) -> ColumnElement[Any]:
    """`at` (UTC) as a bound value that compares rightly with `column`, whether that knows zones or not."""
    aware = isinstance(column.type, DateTime) and column.type.timezone
    return literal(at if aware else at.replace(tzinfo=None), column.type)


def as_utc(value: object) -> datetime | None:
    """A time read from the database, in UTC; platforms that store no zone are taken to mean UTC."""
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def any_of(conditions: Sequence[Condition]) -> Condition:
    """Rows for which at least one holds; none where there is none."""
    return or_(*conditions) if conditions else false()


def _is_storable(text: str) -> bool:
    """No database keeps NUL or half a surrogate pair in a text; asking for one is an error in some."""
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _variants(address: str) -> Iterator[str]:
    plain = address.strip().lower()
    yield plain
    yield "".join(sign.lower() if sign.isascii() else sign for sign in address.strip())  # SQLite's lower()
    yield normalise(address)
    local, at, domain = plain.rpartition("@")
    try:
        yield local + at + domain.encode("ascii").decode("idna")
    except UnicodeError:
        return


def _without_tag(address: str) -> str:
    local, at = _halves(address)
    return f"{local.partition('+')[0]}@{at}"


def _halves(address: str) -> tuple[str, str]:
    local, _, domain = address.rpartition("@")
    return local, domain


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _begun(name: str, metadata: MetaData) -> Table:
    """Changes of many transactions that are begun and not yet ended: what each has done so far."""
    return Table(
        name,
        metadata,
        Column("key_hash", String(64), primary_key=True),
        Column("rows_changed", Integer, nullable=False),
        Column("files_removed", Integer, nullable=False),
        Column("open_files", _LONG_TEXT, nullable=False),
        Column("begun_at", DateTime(timezone=True), nullable=False),
    )


def _journal(name: str, metadata: MetaData) -> Table:
    return Table(
        name,
        metadata,
        Column("key_hash", String(64), primary_key=True),
        Column("rows_changed", Integer, nullable=False),
        Column("files_removed", Integer, nullable=False),
        Column("open_files", _LONG_TEXT, nullable=False),
        Column("applied_at", DateTime(timezone=True), nullable=False),
    )


def _engine(url: str) -> Engine:
    address = make_url(url)
    patience = {} if address.get_backend_name() == "sqlite" else {"connect_timeout": WAIT_SECONDS}
    engine = create_engine(address, pool_pre_ping=True, hide_parameters=True, connect_args=patience)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _sqlite_is_there)
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_is_there(_dialect: object, _record: object, arguments: list[str], _options: object) -> None:
    """SQLite would make a new, empty database where the path is wrong."""
    name = arguments[0] if arguments else ""
    if name and not name.startswith((":memory:", "file:")) and not Path(name).exists():
        raise PlatformTrouble("the platform's database file is not there", later=True)


def _sqlite_connect(connection: sqlite3.Connection, _record: object) -> None:
    """SQLAlchemy says BEGIN itself; the driver's own guesses at it would split transactions."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")


def _sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("mailbot_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _trouble() -> Iterator[None]:
    """Whatever the database raises becomes PlatformTrouble, without the statement and its values."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise PlatformTrouble(f"the platform's database: {_kind(error)}", later=True) from None
    except IntegrityError:
        raise PlatformTrouble(STILL_REFERRED, later=True) from None
    except SQLAlchemyError as error:
        raise PlatformTrouble(f"the platform's database: {_kind(error)}", later=False) from None


def _kind(error: SQLAlchemyError) -> str:
    cause = type(error.orig).__name__ if isinstance(error, DBAPIError) else ""
    return f"{type(error).__name__} ({cause})" if cause else type(error).__name__


def _drift(what: str) -> str:
    return f"{what} is in the data map but not in the platform's database; see: mailbot platform check"
