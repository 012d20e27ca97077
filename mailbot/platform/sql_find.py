"""People in the platform's database: who an address leads to, and which rows are theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, cast
from urllib.parse import quote, unquote

from sqlalchemy import ColumnElement, Row, Table, and_, func, not_, or_, select, tuple_
from sqlalchemy.engine import Connection
from sqlalchemy.sql.selectable import FromClause

from mailbot.core.address import normalise
from mailbot.core.data_map import Former, Hop, Place, SubjectRule
from mailbot.core.plan import HostMode, HostRef, PlatformTrouble, Subject
from mailbot.core.request import Capacity
from mailbot.core.result import EventRef
from mailbot.platform.sql_schema import (
    Condition,
    Key,
    Schema,
    all_equal,
    any_of,
    as_utc,
    column_of,
    only,
    typed,
)

Held = Callable[[ColumnElement[Any]], Condition]
"""Whether a column holds an address that is meant."""


@dataclass(frozen=True, slots=True)
class Who:
    """A subject with what its rows are found by. `account` is the key of the person's own account, or for
    visitors of the host's. `addresses` are those that lead to this person and to no other account."""

    subject: Subject
    rule: SubjectRule
    account: Key
    addresses: tuple[str, ...]

    def with_address(self, address: str) -> Who:
        """The same person under another address."""
        return replace(self, addresses=(address,))


def find(connection: Connection, schema: Schema, address: str) -> tuple[Subject, ...]:
    """Everybody whom `address` leads to: users first, by key, then visitors, by host."""
    if "@" not in address:
        return ()
    return (*_users(connection, schema, address), *_visitors(connection, schema, address))


def who_is(connection: Connection, schema: Schema, subject: Subject) -> Who:
    """What the rows of `subject` are found by."""
    rule = schema.data_map.subject_rule(subject.capacity)
    holder = subject.host.key if subject.host else subject.key
    table, _, key = holder.partition(":")
    user = schema.data_map.user
    if (
        rule is None
        or table != user.table
        or (subject.capacity is Capacity.VISITOR) != (subject.host is not None)
    ):
        raise PlatformTrouble("this subject is not of this platform", later=False)
    account = _key_of(schema, key)
    if rule.capacity is Capacity.VISITOR:
        return Who(subject, rule, account, (subject.address,))
    former = _former_addresses(connection, schema, account)
    return Who(subject, rule, account, (subject.address, *former))


def rows_of(schema: Schema, place: Place, who: Who) -> Condition:
    """The rows of `place` that are this person's."""
    return or_(linked(schema, place, who), matched(schema, place, who))


def linked(schema: Schema, place: Place, who: Who) -> Condition:
    """The rows of `place` that its path leads from; the person's own rows where the place is their table."""
    table = schema.table(place.table)
    if place.table != who.rule.table and not place.path:
        return any_of([])
    if who.rule.capacity is Capacity.USER:
        return to_account(schema, table, place.path, who.account)
    return schema.leads(table, place.path, lambda there: _own_registrations(schema, there, who))


def matched(schema: Schema, place: Place, who: Who) -> Condition:
    """The rows of `place` that hold one of the person's addresses, for visitors at that host only."""
    table = schema.table(place.table)
    held = any_of([schema.same_address(schema.cell(table, name), who.addresses) for name in place.match])
    if not place.scope:
        return held
    return and_(held, to_account(schema, table, place.scope, who.account))


def to_account(schema: Schema, table: Table, hops: Sequence[Hop], account: Key) -> Condition:
    """Rows from which `hops` lead to the account; the last hop is not taken where its columns already hold
    the account's key, so that leftovers are found when the account is gone."""
    user = schema.data_map.user
    if not hops or not is_to_key(hops[-1], user):
        return schema.leads(table, hops, lambda there: all_equal(there, user.key, account))
    last = hops[-1]
    named = dict(zip(user.key, account, strict=True))
    values = tuple(named[target] for target in last.targets)
    return schema.leads(
        table, hops[:-1], lambda there: and_(only(there, last), all_equal(there, last.columns, values))
    )


def is_to_key(hop: Hop, user: SubjectRule) -> bool:
    """The hop leads to an account by its very key."""
    return hop.table == user.table and set(hop.targets) == set(user.key)


def events_of(connection: Connection, schema: Schema, who: Who) -> tuple[EventRef, ...]:
    """The events at which a visitor left data, by date; those without a date are left out."""
    rule = who.rule.event
    if rule is None or who.rule.capacity is not Capacity.VISITOR:
        return ()
    table = schema.table(who.rule.table)
    source, event = _joined(schema, table, rule.path)
    title, held_at = column_of(event, rule.title), column_of(event, rule.held_at)
    query = select(title, held_at).select_from(source).where(_own_registrations(schema, table, who))
    found = {(as_utc(row[1]), row[0] or "") for row in connection.execute(query)}
    dated = [(at, name) for at, name in found if at is not None]
    return tuple(EventRef(name, at.date()) for at, name in sorted(dated))


def address_on_file(connection: Connection, schema: Schema, account: Key) -> str | None:
    """The account's address as it stands now; None when the account is gone."""
    user = schema.data_map.user
    table = schema.table(user.table)
    query = select(column_of(table, user.address)).where(all_equal(table, user.key, account))
    return cast("str | None", connection.execute(query).scalar())


def account_by_former(schema: Schema, held: Held) -> Condition:
    """The accounts that had an address before for which `held` holds."""
    return any_of([_had_before(schema, former, held) for former in schema.data_map.user.former])


def _had_before(schema: Schema, former: Former, held: Held) -> Condition:
    link, user = former.link, schema.table(schema.data_map.user.table)
    here = [column_of(user, name) for name in link.targets]
    there = [schema.column(former.table, name) for name in link.columns]
    query = select(*there).where(held(schema.column(former.table, former.address)))
    return (here[0] if len(here) == 1 else tuple_(*here)).in_(query)


def own_rows(schema: Schema, who: Who) -> Condition:
    """The rows of the person's own table: the account, or the visitor's rows with that host."""
    table = schema.table(who.rule.table)
    if who.rule.capacity is Capacity.USER:
        return all_equal(table, who.rule.key, who.account)
    return _own_registrations(schema, table, who)


def _own_registrations(schema: Schema, table: Table, who: Who) -> Condition:
    held = schema.same_address(column_of(table, who.rule.address), who.addresses)
    return and_(held, to_account(schema, table, who.rule.host, who.account))


def _users(connection: Connection, schema: Schema, address: str) -> Iterator[Subject]:
    rule = schema.data_map.user
    table = schema.table(rule.table)
    held = partial(schema.same_address, addresses=[address])
    found = or_(held(column_of(table, rule.address)), account_by_former(schema, held))
    return _users_where(connection, schema, found)


def subjects_where(
    connection: Connection, schema: Schema, condition: Condition, at_most: int
) -> tuple[Subject, ...]:
    """At most so many account users whose row fulfils `condition`, by key."""
    return tuple(_users_where(connection, schema, condition, at_most))


def _users_where(
    connection: Connection, schema: Schema, condition: Condition, at_most: int | None = None
) -> Iterator[Subject]:
    rule = schema.data_map.user
    table = schema.table(rule.table)
    query = select(table).where(condition).order_by(*(column_of(table, name) for name in rule.key))
    for row in connection.execute(query.limit(at_most)).all():
        account = tuple(row._mapping[name] for name in rule.key)
        yield _user(rule, row, _left_at(connection, schema, account))


def _left_at(connection: Connection, schema: Schema, account: Key) -> datetime | None:
    """When the account last left an address for another, where the platform notes that with the earlier address."""
    times: list[datetime] = []
    for former in schema.data_map.user.former:
        if former.changed_at:
            table = schema.table(former.table)
            newest = func.max(column_of(table, former.changed_at))
            link = _left_by(schema, former, account)
            times += filter(None, [as_utc(connection.execute(select(newest).where(link)).scalar())])
    return max(times, default=None)


def _user(rule: SubjectRule, row: Row[Any], left_at: datetime | None) -> Subject:
    cells = row._mapping
    changed_at = as_utc(cells[rule.changed_at]) if rule.changed_at else None
    return Subject(
        capacity=Capacity.USER,
        key=f"{rule.table}:{key_text([cells[name] for name in rule.key])}",
        address=cells[rule.address] or "",
        name=cells[rule.name] or "",
        language=cells[rule.language] if rule.language else None,
        host=None,
        address_changed_at=max(filter(None, (changed_at, left_at)), default=None),
    )


def _visitors(connection: Connection, schema: Schema, address: str) -> Iterator[Subject]:
    rule = schema.data_map.visitor
    if rule is None:
        return
    seen: set[Key] = set()
    table = schema.table(rule.table)
    source, host = _joined(schema, table, rule.host)
    own = [column_of(table, name) for name in rule.key]
    hosts = [column_of(host, name).label(f"mailbot_host_{name}") for name in schema.data_map.user.key]
    held = schema.same_address(column_of(table, rule.address), [address])
    query = select(table, *hosts).select_from(source).where(held).order_by(*hosts, *own)
    for row in connection.execute(query):
        key = tuple(row[-len(hosts) :])
        if key not in seen:
            seen.add(key)
            yield _visitor(connection, schema, rule, row, key)


def _joined(schema: Schema, table: Table, hops: Sequence[Hop]) -> tuple[FromClause, FromClause]:
    source: FromClause = table
    here: FromClause = table
    for hop in hops:
        there = schema.table(hop.table).alias()
        pairs = zip(hop.columns, hop.targets, strict=True)
        equal = [column_of(here, one) == column_of(there, other) for one, other in pairs]
        source = source.join(there, and_(only(here, hop), *equal))
        here = there
    return source, here


def _visitor(connection: Connection, schema: Schema, rule: SubjectRule, row: Row[Any], host: Key) -> Subject:
    cells = row._mapping
    first = key_text([cells[name] for name in rule.key])
    return Subject(
        capacity=Capacity.VISITOR,
        key=f"{rule.table}:host={key_text(host)}:first={first}",
        address=(cells[rule.address] or "").strip(),
        name=cells[rule.name] or "",
        language=cells[rule.language] if rule.language else None,
        host=_host(connection, schema, rule, host),
    )


def _host(connection: Connection, schema: Schema, rule: SubjectRule, key: Key) -> HostRef:
    user = schema.data_map.user
    table = schema.table(user.table)
    cells = connection.execute(select(table).where(all_equal(table, user.key, key))).one()._mapping
    asked = cells[rule.mode_column] if rule.mode_column else None
    return HostRef(
        key=f"{user.table}:{key_text(key)}",
        address=cells[user.address] or "",
        name=cells[user.name] or "",
        mode=HostMode(asked) if asked in list(HostMode) else rule.mode,
        language=cells[user.language] if user.language else None,
    )


def _former_addresses(connection: Connection, schema: Schema, account: Key) -> tuple[str, ...]:
    """Earlier addresses, without those that are another account's by now: they lead to somebody else."""
    user = schema.data_map.user
    found: list[str] = []
    for former in user.former:
        table, link = schema.table(former.table), _left_by(schema, former, account)
        found += [
            row[0]
            for row in connection.execute(select(column_of(table, former.address)).where(link))
            if row[0]
        ]
    return tuple(address for address in found if not _is_anothers(connection, schema, address, account))


def _left_by(schema: Schema, former: Former, account: Key) -> Condition:
    """The rows of earlier addresses that are this account's."""
    named = dict(zip(schema.data_map.user.key, account, strict=True))
    values = tuple(named[name] for name in former.link.targets)
    return all_equal(schema.table(former.table), former.link.columns, values)


def _is_anothers(connection: Connection, schema: Schema, address: str, account: Key) -> bool:
    user = schema.data_map.user
    table = schema.table(user.table)
    held = schema.same_address(column_of(table, user.address), [address])
    other = and_(held, not_(all_equal(table, user.key, account)))
    return (
        connection.execute(select(column_of(table, user.address)).where(other).limit(1)).first() is not None
    )


def key_text(values: Sequence[object]) -> str:
    """A key in one word; the parts of a composite one are joined by commas."""
    if len(values) == 1:
        return str(values[0])
    return ",".join(quote(str(value), safe="") for value in values)


def _key_of(schema: Schema, text: str) -> Key:
    user = schema.data_map.user
    parts = [text] if len(user.key) == 1 else [unquote(part) for part in text.split(",")]
    if len(parts) != len(user.key):
        raise PlatformTrouble("this subject is not of this platform", later=False)
    columns = [schema.column(user.table, name) for name in user.key]
    return tuple(typed(column, part) for column, part in zip(columns, parts, strict=True))


def is_same_address(one: str | None, other: str) -> bool:
    """Two spellings of one address."""
    return one is not None and normalise(one) == normalise(other)
