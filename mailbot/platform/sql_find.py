"""People in the platform's database: who an address leads to, and which rows are theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Table, and_, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.selectable import FromClause

from mailbot.core.address import normalise
from mailbot.core.data_map import Hop, Place, SubjectRule
from mailbot.core.plan import HostMode, HostRef, PlatformTrouble, Subject
from mailbot.core.request import Capacity
from mailbot.core.result import EventRef
from mailbot.platform.sql_schema import (
    Condition,
    Schema,
    any_of,
    as_utc,
    column_of,
    same_address,
    typed,
)


@dataclass(frozen=True, slots=True)
class Who:
    """A subject with what its rows are found by. `account` is the key of the person's own account, or for
    visitors of the host's. `addresses` are those that lead to this person and to no other account."""

    subject: Subject
    rule: SubjectRule
    account: object
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
    account = typed(schema.column(user.table, user.key), key)
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
    held = any_of([same_address(column_of(table, name), who.addresses) for name in place.match])
    if not place.scope:
        return held
    return and_(held, to_account(schema, table, place.scope, who.account))


def to_account(schema: Schema, table: Table, hops: Sequence[Hop], account: object) -> Condition:
    """Rows from which `hops` lead to the account; the last hop is not taken where its column already holds
    the account's key, so that leftovers are found when the account is gone."""
    user = schema.data_map.user
    if hops and (hops[-1].table, hops[-1].target) == (user.table, user.key):
        last = hops[-1].column
        return schema.leads(table, hops[:-1], lambda there: column_of(there, last) == account)
    return schema.leads(table, hops, lambda there: column_of(there, user.key) == account)


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


def address_on_file(connection: Connection, schema: Schema, account: object) -> str | None:
    """The account's address as it stands now; None when the account is gone."""
    user = schema.data_map.user
    table = schema.table(user.table)
    query = select(column_of(table, user.address)).where(column_of(table, user.key) == account)
    return cast("str | None", connection.execute(query).scalar())


def account_by_former(schema: Schema, held: Callable[[ColumnElement[Any]], Condition]) -> Condition:
    """The accounts that had an address before for which `held` holds."""
    user = schema.data_map.user
    key = schema.column(user.table, user.key)
    links = [
        key.in_(
            select(schema.column(former.table, former.link.column)).where(
                held(schema.column(former.table, former.address))
            )
        )
        for former in user.former
    ]
    return any_of(links)


def _own_registrations(schema: Schema, table: Table, who: Who) -> Condition:
    held = same_address(column_of(table, who.rule.address), who.addresses)
    return and_(held, to_account(schema, table, who.rule.host, who.account))


def _users(connection: Connection, schema: Schema, address: str) -> Iterator[Subject]:
    rule = schema.data_map.user
    table = schema.table(rule.table)
    former = account_by_former(schema, lambda column: same_address(column, [address]))
    found = or_(same_address(column_of(table, rule.address), [address]), former)
    query = select(table).where(found).order_by(column_of(table, rule.key))
    for row in connection.execute(query):
        yield _user(rule, row)


def _user(rule: SubjectRule, row: Row[Any]) -> Subject:
    cells = row._mapping
    return Subject(
        capacity=Capacity.USER,
        key=f"{rule.table}:{cells[rule.key]}",
        address=cells[rule.address] or "",
        name=cells[rule.name] or "",
        language=cells[rule.language] if rule.language else None,
        host=None,
        address_changed_at=as_utc(cells[rule.changed_at]) if rule.changed_at else None,
    )


def _visitors(connection: Connection, schema: Schema, address: str) -> Iterator[Subject]:
    rule = schema.data_map.visitor
    if rule is None:
        return
    seen: set[object] = set()
    table = schema.table(rule.table)
    source, host = _joined(schema, table, rule.host)
    key = column_of(table, rule.key)
    host_key = column_of(host, schema.data_map.user.key).label("mailbot_host")
    held = same_address(column_of(table, rule.address), [address])
    for row in connection.execute(
        select(table, host_key).select_from(source).where(held).order_by(host_key, key)
    ):
        if row.mailbot_host not in seen:
            seen.add(row.mailbot_host)
            yield _visitor(connection, schema, rule, row)


def _joined(schema: Schema, table: Table, hops: Sequence[Hop]) -> tuple[FromClause, FromClause]:
    source: FromClause = table
    here: FromClause = table
    for hop in hops:
        there = schema.table(hop.table).alias()
        source = source.join(there, column_of(here, hop.column) == column_of(there, hop.target))
        here = there
    return source, here


def _visitor(connection: Connection, schema: Schema, rule: SubjectRule, row: Row[Any]) -> Subject:
    cells = row._mapping
    host = cells["mailbot_host"]
    return Subject(
        capacity=Capacity.VISITOR,
        key=f"{rule.table}:host={host}:first={cells[rule.key]}",
        address=(cells[rule.address] or "").strip(),
        name=cells[rule.name] or "",
        language=cells[rule.language] if rule.language else None,
        host=_host(connection, schema, rule, host),
    )


def _host(connection: Connection, schema: Schema, rule: SubjectRule, key: object) -> HostRef:
    user = schema.data_map.user
    table = schema.table(user.table)
    cells = connection.execute(select(table).where(column_of(table, user.key) == key)).one()._mapping
    asked = cells[rule.mode_column] if rule.mode_column else None
    return HostRef(
        key=f"{user.table}:{key}",
        address=cells[user.address] or "",
        name=cells[user.name] or "",
        mode=HostMode(asked) if asked in list(HostMode) else rule.mode,
        language=cells[user.language] if user.language else None,
    )


def _former_addresses(connection: Connection, schema: Schema, account: object) -> tuple[str, ...]:
    """Earlier addresses, without those that are another account's by now: they lead to somebody else."""
    user = schema.data_map.user
    found: list[str] = []
    for former in user.former:
        table = schema.table(former.table)
        link = column_of(table, former.link.column) == account
        found += [
            row[0]
            for row in connection.execute(select(column_of(table, former.address)).where(link))
            if row[0]
        ]
    return tuple(address for address in found if not _is_anothers(connection, schema, address, account))


def _is_anothers(connection: Connection, schema: Schema, address: str, account: object) -> bool:
    user = schema.data_map.user
    table = schema.table(user.table)
    other = and_(
        same_address(column_of(table, user.address), [address]), column_of(table, user.key) != account
    )
    return connection.execute(select(column_of(table, user.key)).where(other).limit(1)).first() is not None


def is_same_address(one: str | None, other: str) -> bool:
    """Two spellings of one address."""
    return one is not None and normalise(one) == normalise(other)
