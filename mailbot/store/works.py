"""Work: saved with the state that calls for it, leased by one worker at a time, marked done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import aliased
from sqlmodel import col, func, or_, select

from mailbot.core.request import Kind
from mailbot.core.workflow import OPEN_STATES
from mailbot.store.database import Transaction, new_id
from mailbot.store.tables import Case, DataKey, Letter, Request, Work

LEASE_SECONDS = 300
"""Longer than any one piece of work may take; a dead worker's work is taken up after it."""

_BEFORE_DELETION = (Kind.CORRECTION, Kind.ACCESS, Kind.PORTABILITY)


class WorkKind(StrEnum):
    """What there is to do outside mailbot's own database."""

    SEND = "send"
    APPLY = "apply"
    UNDO = "undo"
    JUDGE = "judge"
    """Look a mail's sender up again: DNS failed when it came."""
    SEEK = "seek"
    """Look for the address on file of somebody who writes from another one."""
    TELL = "tell"
    """Tell a recipient of data what was done (GDPR Art. 19)."""
    LOOK = "look"
    """Ask the platform what could not be asked when the person confirmed: it was down."""
    LET_IN = "let_in"
    """Take a mail in that was held in a flood."""


def add(
    tx: Transaction,
    kind: WorkKind,
    *,
    case_id: UUID,
    now: datetime,
    request_id: UUID | None = None,
    letter_id: UUID | None = None,
    message_id: UUID | None = None,
    telling_id: UUID | None = None,
    due: datetime | None = None,
) -> None:
    """Work that is due now, or at `due`."""
    tx.put(
        Work,
        {
            "id": new_id(),
            "kind": kind,
            "case_id": case_id,
            "request_id": request_id,
            "letter_id": letter_id,
            "message_id": message_id,
            "telling_id": telling_id,
            "due_at": due or now,
            "lease_until": None,
            "attempts": 0,
            "created_at": now,
            "done_at": None,
            "failed": "",
        },
    )


def claim(tx: Transaction, kinds: Sequence[WorkKind], now: datetime, limit: int) -> Sequence[Work]:
    """Due work that nobody else has, leased to the caller. A deletion waits for what must come before it."""
    query = (
        select(Work)
        .where(
            col(Work.due_at) <= now,
            col(Work.kind).in_([kind.value for kind in kinds]),
            or_(col(Work.lease_until).is_(None), col(Work.lease_until) <= now),
            ~_waits_for_another(),
        )
        .order_by(col(Work.due_at), col(Work.id))
        .limit(limit)
    )
    works = tx.session.exec(query.with_for_update(skip_locked=True) if tx.is_postgresql else query).all()
    for work in works:
        work.lease_until = now + timedelta(seconds=LEASE_SECONDS)
        work.attempts += 1
    return works


def with_letters(tx: Transaction, work_ids: Sequence[UUID]) -> dict[UUID, tuple[Work, Letter]]:
    """The work and the letter it sends, by the work's id."""
    query = select(Work, Letter).join(Letter, col(Letter.id) == Work.letter_id)
    rows = tx.session.exec(query.where(col(Work.id).in_(work_ids)))
    return {work.id: (work, letter) for work, letter in rows}


def count_of_letter(tx: Transaction, letter_id: UUID) -> int:
    """How often a letter was put into the outbox."""
    query = select(func.count()).select_from(Work).where(Work.letter_id == letter_id)
    return tx.session.exec(query).one()


def with_cases(tx: Transaction, work_ids: Sequence[UUID]) -> dict[UUID, tuple[Request, Case]]:
    """The request and the case that each work is for, by the work's id; the keys of the cases are known."""
    query = (
        select(Work.id, Request, Case, DataKey)
        .join(Request, col(Request.id) == Work.request_id)
        .join(Case, col(Case.id) == Work.case_id)
        .join(DataKey, col(DataKey.id) == Case.key_id)
        .where(col(Work.id).in_(work_ids))
    )
    found = {}
    for work_id, request, case, key in tx.session.exec(query):
        found[work_id] = request, case
        if key.wrapped is not None:
            tx.know_key(key.id, key.wrapped)
    return found


def by_ids(tx: Transaction, work_ids: Sequence[UUID]) -> dict[UUID, Work]:
    """Work by its id."""
    return {work.id: work for work in tx.session.exec(select(Work).where(col(Work.id).in_(work_ids)))}


def prolong(tx: Transaction, work: Work, now: datetime) -> bool:
    """The lease of work in hand lasts anew from `now`; False when another worker has it or has done it."""
    row = tx.session.get_one(Work, work.id)
    if row.done_at is not None or row.attempts != work.attempts:
        return False
    row.lease_until = now + timedelta(seconds=LEASE_SECONDS)
    return True


def finish(work: Work, now: datetime) -> None:
    """The work is done."""
    work.due_at, work.lease_until, work.done_at = None, None, now


def give_up(work: Work, reason: str) -> None:
    """The work is not tried again; the reason holds no personal data."""
    work.due_at, work.lease_until, work.failed = None, None, reason


def try_later(work: Work, at: datetime, reason: str) -> None:
    """The work is due again at `at`."""
    work.due_at, work.lease_until, work.failed = at, None, reason


def count_due(tx: Transaction, now: datetime) -> int:
    """How much work is due and not done."""
    return tx.session.exec(select(func.count()).select_from(Work).where(col(Work.due_at) <= now)).one()


def oldest_due(tx: Transaction) -> datetime | None:
    """Since when the oldest undone work is due."""
    return tx.session.exec(select(func.min(Work.due_at))).one()


def _waits_for_another() -> ColumnElement[bool]:
    """Work of a deletion while an earlier request of its case still needs the data (or its export)."""
    mine, earlier = aliased(Request), aliased(Request)
    return exists().where(
        col(Work.kind) == WorkKind.APPLY.value,
        col(mine.id) == col(Work.request_id),
        col(mine.kind) == Kind.DELETION.value,
        col(earlier.case_id) == col(mine.case_id),
        col(earlier.position) < col(mine.position),
        col(earlier.kind).in_([kind.value for kind in _BEFORE_DELETION]),
        col(earlier.state).in_([state.value for state in OPEN_STATES]),
    )
