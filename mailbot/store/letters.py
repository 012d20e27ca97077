"""Letters: the durable outbox. A letter is written once; sending it again repeats its bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, func, select

from mailbot.store.database import Transaction
from mailbot.store.sealed import open_value, seal_value
from mailbot.store.tables import Case, DataKey, Letter

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
) -> None:
    """The letter is written, with its Message-ID for ever."""
    recipient_hash = tx.pseudonyms.address(envelope.recipient)
    tx.put(
        Letter,
        {
            "id": letter_id,
            "case_id": case.id,
            "request_id": request_id,
            "template": template,
            "message_id": message_id,
            "recipient_hash": recipient_hash,
            "sealed_envelope": seal_value(tx, case.key_id, envelope, "letter.envelope"),
            "sealed_raw": tx.seal(case.key_id).seal(raw, "letter.raw"),
            "written_at": now,
            "state": state,
            "sent_at": None,
            "last_answer": "",
        },
    )
    if state != "capped" and recipient_hash in tx.known.letters_today:
        tx.known.letters_today[recipient_hash][template] += 1


def content(tx: Transaction, letter: Letter) -> tuple[Envelope, bytes]:
    """Envelope and bytes of a letter. Raises Destroyed after the case's retention."""
    key_id = tx.session.get_one(Case, letter.case_id).key_id
    envelope = open_value(tx, key_id, letter.sealed_envelope, Envelope, "letter.envelope")
    return envelope, tx.seal(key_id).open(letter.sealed_raw, "letter.raw")


def contents(tx: Transaction, letter_ids: Sequence[UUID]) -> dict[UUID, tuple[Envelope, bytes]]:
    """Envelope and bytes of each of these letters whose case's retention has not ended."""
    query = (
        select(Letter.id, Letter.sealed_envelope, Letter.sealed_raw, Case.key_id, DataKey.wrapped)  # type: ignore[call-overload]  # sqlmodel's overloads end at four
        .join(Case, col(Case.id) == Letter.case_id)
        .join(DataKey, col(DataKey.id) == Case.key_id)
        .where(col(Letter.id).in_(letter_ids), col(DataKey.wrapped).is_not(None))
    )
    found = {}
    for letter_id, sealed_envelope, sealed_raw, key_id, wrapped in tx.session.exec(query):
        tx.know_key(key_id, wrapped)
        envelope = open_value(tx, key_id, sealed_envelope, Envelope, "letter.envelope")
        found[letter_id] = envelope, tx.seal(key_id).open(sealed_raw, "letter.raw")
    return found


def look_ahead(tx: Transaction, addresses: Sequence[str], now: datetime) -> None:
    """`written_today` knows of these addresses for the rest of the transaction, by one query for all of them."""
    counts = {tx.pseudonyms.address(address): Counter[str]() for address in addresses}
    query = (
        select(Letter.recipient_hash, Letter.template, func.count())
        .where(
            col(Letter.recipient_hash).in_(counts),
            col(Letter.written_at) > now - timedelta(days=1),
            col(Letter.state) != "capped",
        )
        .group_by(col(Letter.recipient_hash), col(Letter.template))
    )
    for recipient_hash, template, count in tx.session.exec(query):
        counts[recipient_hash][template] = count
    tx.known.letters_today.update(counts)


def written_today(tx: Transaction, address: str, now: datetime, templates: Sequence[str] = ()) -> int:
    """How many automatic letters were written to this address in the last 24 hours (those capped do not count)."""
    recipient_hash = tx.pseudonyms.address(address)
    if recipient_hash not in tx.known.letters_today:
        look_ahead(tx, [address], now)
    counts = tx.known.letters_today[recipient_hash]
    return sum(counts[template] for template in templates) if templates else counts.total()


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
