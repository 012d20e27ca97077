"""Letters: the durable outbox. A letter is written once; sending it again repeats its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, func, select

from mailbot.store.database import Transaction
from mailbot.store.sealed import open_value, seal_value
from mailbot.store.tables import Case, Letter

CHALLENGES = ("confirm", "confirm_reminder")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What SMTP is told (RFC 5321 §3.3)."""

    sender: str
    recipient: str


def save(
    tx: Transaction,
    case: Case,
    *,
    letter_id: UUID,
    template: str,
    message_id: str,
    envelope: Envelope,
    raw: bytes,
    now: datetime,
    request_id: UUID | None = None,
    state: str = "queued",
) -> Letter:
    """The letter with its Message-ID for ever."""
    letter = Letter(
        id=letter_id,
        case_id=case.id,
        request_id=request_id,
        template=template,
        message_id=message_id,
        recipient_hash=tx.pseudonyms.address(envelope.recipient),
        sealed_envelope=seal_value(tx, case.key_id, envelope, "letter.envelope"),
        sealed_raw=tx.seal(case.key_id).seal(raw, "letter.raw"),
        written_at=now,
        state=state,
    )
    tx.session.add(letter)
    return letter


def content(tx: Transaction, letter: Letter) -> tuple[Envelope, bytes]:
    """Envelope and bytes of a letter. Raises Destroyed after the case's retention."""
    key_id = tx.session.get_one(Case, letter.case_id).key_id
    envelope = open_value(tx, key_id, letter.sealed_envelope, Envelope, "letter.envelope")
    return envelope, tx.seal(key_id).open(letter.sealed_raw, "letter.raw")


def written_today(tx: Transaction, address: str, now: datetime, templates: Sequence[str] = ()) -> int:
    """How many automatic letters were written to this address in the last 24 hours (those capped do not count)."""
    query = select(func.count()).where(
        Letter.recipient_hash == tx.pseudonyms.address(address),
        col(Letter.written_at) > now - timedelta(days=1),
        col(Letter.state) != "capped",
    )
    return tx.session.exec(query.where(col(Letter.template).in_(templates)) if templates else query).one()


def of_case(tx: Transaction, case_id: UUID) -> Sequence[Letter]:
    """The letters of a case, oldest first."""
    return tx.session.exec(
        select(Letter).where(Letter.case_id == case_id).order_by(col(Letter.written_at))
    ).all()


def by_id(tx: Transaction, letter_id: UUID) -> Letter:
    """The letter of this id."""
    return tx.session.get_one(Letter, letter_id)


def count_by_state(tx: Transaction) -> dict[str, int]:
    """How many letters there are in each state."""
    return dict(tx.session.exec(select(Letter.state, func.count()).group_by(Letter.state)).all())
