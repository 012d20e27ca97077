"""Cases and their requests: open, find, read and change what is sealed in them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlmodel import col, func, select

from mailbot.core.case import REFERENCE_BYTES, Person, spell_reference
from mailbot.core.plan import Subject
from mailbot.core.request import Asked, Kind
from mailbot.core.result import Result
from mailbot.core.workflow import OPEN_STATES, STAFF_STATES, State
from mailbot.store.database import Transaction, new_id
from mailbot.store.sealed import open_value, seal_value
from mailbot.store.tables import Case, DataKey, Letter, Request

_OPEN = [state.value for state in OPEN_STATES]
_STAFF = [state.value for state in STAFF_STATES]


def open_case(
    tx: Transaction,
    person: Person,
    *,
    channel: str,
    language: str,
    bilingual: bool,
    answerable: bool,
    received_at: datetime,
    due_on: date,
    due_why: str,
    now: datetime,
) -> Case:
    """A new case with its own data key."""
    key_id, _ = tx.new_key()
    case = Case(
        id=new_id(),
        key_id=key_id,
        reference=spell_reference(os.urandom(REFERENCE_BYTES)),
        channel=channel,
        language=language,
        bilingual=bilingual,
        answerable=answerable,
        address_hash=tx.pseudonyms.address(person.address) if person.address else None,
        sealed_person=seal_value(tx, key_id, person, "case.person"),
        opened_at=now,
        received_at=received_at,
        due_on=due_on,
        due_why=due_why,
    )
    tx.session.add(case)
    tx.known.requests[case.id] = []
    if case.address_hash in tx.known.open_cases:
        tx.known.open_cases[case.address_hash].append(case)
    return case


def add_request(tx: Transaction, case: Case, asked: Asked, position: int, now: datetime) -> Request:
    """A new request of `case` in state received."""
    request = Request(
        id=new_id(),
        case_id=case.id,
        position=position,
        kind=asked.kind,
        capacity=asked.capacity,
        state=State.RECEIVED,
        since=now,
        confidence=asked.confidence,
        sealed_asked=seal_value(tx, case.key_id, asked, "request.asked"),
    )
    tx.session.add(request)
    if case.id in tx.known.requests:
        tx.known.requests[case.id].append(request)
    return request


def split(tx: Transaction, case: Case, request: Request, now: datetime) -> Request:
    """A further request of the same words, in the same state, for another subject of the platform."""
    twin = add_request(tx, case, asked_of(tx, case, request), request.position, now)
    twin.state, twin.since, twin.reminders_sent = request.state, request.since, request.reminders_sent
    twin.proof, twin.reason = request.proof, request.reason
    tx.session.flush()
    return twin


def person_of(tx: Transaction, case: Case) -> Person:
    """Who wrote. Raises Destroyed after the case's retention."""
    return open_value(tx, case.key_id, case.sealed_person, Person, "case.person")


def asked_of(tx: Transaction, case: Case, request: Request) -> Asked:
    """What was asked, with its evidence and fields."""
    return open_value(tx, case.key_id, request.sealed_asked, Asked, "request.asked")


def set_asked(tx: Transaction, case: Case, request: Request, asked: Asked) -> None:
    """The request now asks this (staff reclassified it, or the person edited the fields)."""
    request.kind, request.capacity, request.confidence = asked.kind, asked.capacity, asked.confidence
    request.sealed_asked = seal_value(tx, case.key_id, asked, "request.asked")


def subject_of(tx: Transaction, case: Case, request: Request) -> Subject | None:
    """The platform's subject the request is about, once known."""
    if request.sealed_subject is None:
        return None
    return open_value(tx, case.key_id, request.sealed_subject, Subject, "request.subject")


def set_subject(tx: Transaction, case: Case, request: Request, subject: Subject) -> None:
    """The request is about this subject of the platform."""
    request.subject_key = subject.key
    request.sealed_subject = seal_value(tx, case.key_id, subject, "request.subject")


def result_of(tx: Transaction, case: Case, request: Request) -> Result:
    """What was shown, changed and kept; empty before."""
    if request.sealed_result is None:
        return Result()
    return open_value(tx, case.key_id, request.sealed_result, Result, "request.result")


def set_result(tx: Transaction, case: Case, request: Request, result: Result) -> None:
    """What was shown, changed and kept is this."""
    request.sealed_result = seal_value(tx, case.key_id, result, "request.result")


def set_note(tx: Transaction, case: Case, request: Request, note: str) -> None:
    """What staff or a host wrote last about the request is this; for staff only."""
    set_result(tx, case, request, replace(result_of(tx, case, request), note=note))


def requests_of(tx: Transaction, case_id: UUID) -> Sequence[Request]:
    """The requests of a case in serving order."""
    if case_id in tx.known.requests:
        return sorted(tx.known.requests[case_id], key=lambda request: request.position)
    query = select(Request).where(Request.case_id == case_id).order_by(col(Request.position))
    return tx.session.exec(query).all()


def by_reference(tx: Transaction, reference: str) -> Case | None:
    """The case of a reference as a person types it (any case, spaces around)."""
    return tx.session.exec(select(Case).where(Case.reference == reference.strip().upper())).first()


def locked(tx: Transaction, case_id: UUID) -> Case:
    """The case, and nobody else changes it until the transaction ends. What was read before is read anew.

    The ledger is locked first: whoever changes a case writes there too, and one order has no deadlock.
    """
    if case_id in tx.known.locked:
        return tx.known.locked[case_id][0]
    query = select(Case).where(Case.id == case_id)
    if tx.is_postgresql:  # on SQLite nobody else writes since the transaction began
        tx.lock_ledger()
        tx.session.flush()
        tx.session.expire_all()
        query = query.with_for_update()
    return tx.session.exec(query).one()


def lock_all(tx: Transaction, case_ids: Sequence[UUID]) -> list[Case]:
    """These cases are locked, and known with their keys and requests, by two queries for all of them; says which of
    them can still be opened."""
    if tx.is_postgresql:
        tx.lock_ledger()
        tx.session.flush()
        tx.session.expire_all()
    query = select(Case, DataKey).join(DataKey, col(DataKey.id) == Case.key_id)
    query = query.where(col(Case.id).in_(case_ids)).order_by(col(Case.id))
    for case, key in tx.session.exec(query.with_for_update(of=Case) if tx.is_postgresql else query):
        tx.known.locked[case.id], tx.known.requests[case.id] = (case, key), []
    requests = select(Request).where(col(Request.case_id).in_(case_ids)).order_by(col(Request.position))
    for request in tx.session.exec(requests):
        tx.known.requests[request.case_id].append(request)
    return [case for case, key in tx.known.locked.values() if key.wrapped is not None]


def of_address(tx: Transaction, address: str) -> Sequence[Case]:
    """Every case of one address, oldest first."""
    query = select(Case).where(Case.address_hash == tx.pseudonyms.address(address))
    return tx.session.exec(query.order_by(col(Case.opened_at))).all()


def open_of_group(tx: Transaction, group: bytes) -> Case | None:
    """The open case that gathers the mails of a flood."""
    query = select(Case).where(Case.address_hash == group, col(Case.closed_at).is_(None))
    return tx.session.exec(query).first()


def open_of_address(tx: Transaction, address: str) -> Sequence[Case]:
    """The open cases of one address, oldest first."""
    address_hash = tx.pseudonyms.address(address)
    if address_hash not in tx.known.open_cases:
        look_ahead(tx, [address])
    return [case for case in tx.known.open_cases[address_hash] if case.closed_at is None]


def look_ahead(tx: Transaction, addresses: Sequence[str]) -> None:
    """`open_of_address` knows of these addresses for the rest of the transaction, by one query for all of them."""
    found: dict[bytes, list[Case]] = {tx.pseudonyms.address(address): [] for address in addresses}
    query = select(Case).where(col(Case.address_hash).in_(found), col(Case.closed_at).is_(None))
    for case in tx.session.exec(query.order_by(col(Case.opened_at))):
        found[case.address_hash or b""].append(case)
    tx.known.open_cases.update(found)


def last_unsubscribe(tx: Transaction, address: str) -> tuple[Case, Request] | None:
    """The newest unsubscription of an address that was not taken back and whose key still opens it."""
    query = (
        select(Case, Request)
        .join(Request, col(Request.case_id) == Case.id)
        .join(DataKey, col(DataKey.id) == Case.key_id)
        .where(col(DataKey.wrapped).is_not(None))
        .where(Case.address_hash == tx.pseudonyms.address(address), Request.kind == Kind.UNSUBSCRIBE.value)
        .where(Request.state != State.WITHDRAWN.value)
        .order_by(col(Case.opened_at).desc())
    )
    return tx.session.exec(query).first()


def of_thread(tx: Transaction, message_ids: Sequence[str], sender: str) -> Case | None:
    """The case of one of our letters named by these Message-IDs, if it was written to `sender` and its
    retention has not ended."""
    if not message_ids:
        return None
    query = (
        select(Case)
        .join(Letter, col(Letter.case_id) == Case.id)
        .join(DataKey, col(DataKey.id) == Case.key_id)
        .where(
            col(DataKey.wrapped).is_not(None),
            col(Letter.message_id).in_(message_ids),
            Letter.recipient_hash == tx.pseudonyms.address(sender),
        )
        .order_by(col(Letter.written_at).desc())
    )
    return tx.session.exec(query).first()


def is_open(tx: Transaction, case: Case) -> bool:
    """True while one of its requests is in an open state."""
    return any(request.state in _OPEN for request in requests_of(tx, case.id))


def waiting_for_staff(tx: Transaction, limit: int = 500) -> Sequence[tuple[Request, Case]]:
    """What staff must look at, the most urgent first."""
    query = (
        select(Request, Case)
        .join(Case, col(Case.id) == Request.case_id)
        .where(col(Request.state).in_(_STAFF))
        .order_by(col(Request.kind) != "authority", col(Case.due_on), col(Case.opened_at))
    )
    return tx.session.exec(query.limit(limit)).all()


def open_reasons(tx: Transaction, channel: str) -> frozenset[str]:
    """Why the open requests of a channel stand where they stand."""
    query = select(Request.reason).join(Case, col(Case.id) == Request.case_id)
    return frozenset(tx.session.exec(query.where(Case.channel == channel, col(Request.state).in_(_OPEN))))


def list_requests(
    tx: Transaction, *, state: str | None = None, kind: str | None = None, limit: int = 100, offset: int = 0
) -> Sequence[tuple[Request, Case]]:
    """Requests with their cases, newest first, filtered."""
    query = select(Request, Case).join(Case, col(Case.id) == Request.case_id)
    if state:
        query = query.where(Request.state == state)
    if kind:
        query = query.where(Request.kind == kind)
    query = query.order_by(col(Case.opened_at).desc(), col(Request.position)).limit(limit).offset(offset)
    return tx.session.exec(query).all()


def due_follow_ups(tx: Transaction, now: datetime, limit: int) -> Sequence[Request]:
    """Requests whose follow-up is due, oldest first."""
    query = (
        select(Request)
        .where(col(Request.follow_up_at) <= now)
        .order_by(col(Request.follow_up_at))
        .limit(limit)
    )
    return tx.session.exec(query).all()


def open_cases_due_before(tx: Transaction, day: date) -> Sequence[Case]:
    """Open cases whose legal due date is on or before `day`."""
    query = select(Case).where(col(Case.closed_at).is_(None), col(Case.due_on) <= day)
    return tx.session.exec(query.order_by(col(Case.due_on))).all()


def count_by_state(tx: Transaction) -> dict[str, int]:
    """How many requests there are in each state."""
    return dict(tx.session.exec(select(Request.state, func.count()).group_by(Request.state)).all())


def count(tx: Transaction) -> int:
    """How many cases there are."""
    return tx.session.exec(select(func.count()).select_from(Case)).one()
