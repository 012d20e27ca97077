"""Messages: three-fold identity, raw bytes in sealed stretches, disposition."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col, func, select, tuple_

from mailbot.store.database import Transaction, new_id
from mailbot.store.tables import Case, DataKey, Message, MessagePart, Sighting

STRETCH_BYTES = 1 << 20
_CONTEXT = "message.raw"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail stands on its server: mailbox name of the configuration, UIDVALIDITY and UID."""

    mailbox: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Incoming:
    """One mail as it arrived; `place` is None for mail pushed in by LMTP. `received_at` is UTC."""

    raw: bytes
    received_at: datetime
    source: str
    place: Place | None = None
    message_id: str = ""
    sender: str | None = None

    @property
    def content_hash(self) -> bytes:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.raw).digest()


@dataclass(frozen=True, slots=True)
class Stored:
    """A message that is stored already."""

    message_id: UUID
    content_hash: bytes
    disposition: str


def known_places(tx: Transaction, places: Sequence[Place]) -> dict[Place, Stored]:
    """What is stored of those of `places` that were seen before."""
    if not places:
        return {}
    keys = [(place.mailbox, place.uidvalidity, place.uid) for place in places]
    columns = tuple_(col(Sighting.mailbox), col(Sighting.uidvalidity), col(Sighting.uid))
    query = select(Sighting, Message.content_hash, Message.disposition).join(
        Message, col(Message.id) == Sighting.message_id
    )
    return {
        Place(seen.mailbox, seen.uidvalidity, seen.uid): Stored(seen.message_id, content_hash, disposition)
        for seen, content_hash, disposition in tx.session.exec(query.where(columns.in_(keys)))
    }


def by_content(tx: Transaction, hashes: Sequence[bytes]) -> dict[bytes, Stored]:
    """The messages that have exactly these bytes, by content hash."""
    query = select(Message.content_hash, Message.id, Message.disposition)
    rows = tx.session.exec(query.where(col(Message.content_hash).in_(hashes)))
    return {digest: Stored(message_id, digest, disposition) for digest, message_id, disposition in rows}


def forget_place(tx: Transaction, place: Place) -> None:
    """Nothing is known to stand at `place`: the server has put another mail there."""
    row = tx.session.get(Sighting, (place.mailbox, place.uidvalidity, place.uid))
    if row is not None:
        tx.session.delete(row)
        tx.session.flush()


def sight(tx: Transaction, place: Place, message_id: UUID, now: datetime) -> None:
    """The message is known to stand at `place` too."""
    tx.put(
        Sighting,
        {
            "mailbox": place.mailbox,
            "uidvalidity": place.uidvalidity,
            "uid": place.uid,
            "message_id": message_id,
            "seen_at": now,
        },
    )


def save(
    tx: Transaction,
    incoming: Incoming,
    *,
    key_id: UUID,
    case: Case | None,
    disposition: str,
    reason: str,
    now: datetime,
) -> Message:
    """The message, its bytes and where it was seen are saved with the transaction."""
    message = Message(
        id=new_id(),
        key_id=key_id,
        case_id=case.id if case else None,
        content_hash=incoming.content_hash,
        message_id_hash=tx.pseudonyms.text("message-id", incoming.message_id)
        if incoming.message_id
        else None,
        sender_hash=tx.pseudonyms.address(incoming.sender) if incoming.sender else None,
        source=incoming.source,
        size=len(incoming.raw),
        received_at=incoming.received_at,
        stored_at=now,
        disposition=disposition,
        reason=reason,
    )
    tx.session.add(message)
    _save_raw(tx, message, incoming.raw)
    if incoming.place:
        sight(tx, incoming.place, message.id, now)
    return message


def raw_of(tx: Transaction, message: Message) -> bytes:
    """The message's bytes as they came. Raises Destroyed when its retention ended."""
    return b"".join(_stretches(tx, message))


def destroy_after(tx: Transaction, key_id: UUID, days: int, now: datetime) -> None:
    """The data key will be destroyed `days` days from now."""
    tx.end_key(key_id, now.date() + timedelta(days=days))


def destroy_due_keys(tx: Transaction, today: date) -> int:
    """Every key whose retention has ended is gone, and with it all that it sealed; says how many."""
    due = tx.session.exec(
        select(DataKey).where(col(DataKey.destroy_after) <= today, col(DataKey.wrapped).is_not(None))
    ).all()
    for key in due:
        key.wrapped = None
    return len(due)


def of_case(tx: Transaction, case_id: UUID, limit: int | None = None) -> Sequence[Message]:
    """The messages of a case, oldest first; at most `limit`."""
    query = select(Message).where(Message.case_id == case_id).order_by(col(Message.received_at))
    return tx.session.exec(query.limit(limit)).all()


def count_of_case(tx: Transaction, case_id: UUID) -> int:
    """How many messages a case has."""
    return tx.session.exec(select(func.count()).select_from(Message).where(Message.case_id == case_id)).one()


def count_of_group(tx: Transaction, group: bytes, since: datetime) -> int:
    """How many messages for staff of one group were stored since then."""
    query = select(func.count()).select_from(Message)
    return tx.session.exec(query.where(Message.group_hash == group, Message.stored_at > since)).one()


def move(tx: Transaction, message: Message, case: Case) -> None:
    """The message belongs to `case`, sealed with its key."""
    raw = raw_of(tx, message)
    tx.session.execute(delete(MessagePart).where(col(MessagePart.message_id) == message.id))
    message.key_id, message.case_id = case.key_id, case.id
    _save_raw(tx, message, raw)


def is_first(tx: Transaction, message: Message) -> bool:
    """True when its case was opened by this message."""
    return of_case(tx, _known(message.case_id), 1)[0].id == message.id


def why_ignored(tx: Transaction, sender: str) -> str | None:
    """Why the newest ignored mail of this sender was ignored; None when there is none."""
    query = select(Message.reason).where(
        Message.disposition == "ignored", Message.sender_hash == tx.pseudonyms.address(sender)
    )
    return tx.session.exec(query.order_by(col(Message.stored_at).desc())).first()


def quarantined(tx: Transaction, limit: int = 200) -> Sequence[Message]:
    """The quarantined messages, newest first."""
    query = select(Message).where(Message.disposition == "quarantined")
    return tx.session.exec(query.order_by(col(Message.stored_at).desc()).limit(limit)).all()


def count_by_disposition(tx: Transaction) -> dict[str, int]:
    """How many messages there are of each disposition."""
    rows = tx.session.exec(select(Message.disposition, func.count()).group_by(Message.disposition))
    return dict(rows.all())


def _known(case_id: UUID | None) -> UUID:
    if case_id is None:
        raise ValueError("this message belongs to no case")
    return case_id


def _save_raw(tx: Transaction, message: Message, raw: bytes) -> None:
    seal = tx.seal(message.key_id)
    for position, start in enumerate(range(0, max(len(raw), 1), STRETCH_BYTES)):
        sealed = seal.seal(raw[start : start + STRETCH_BYTES], _CONTEXT)
        tx.put(MessagePart, {"message_id": message.id, "position": position, "sealed": sealed})


def _stretches(tx: Transaction, message: Message) -> Iterator[bytes]:
    seal = tx.seal(message.key_id)
    query = (
        select(MessagePart).where(MessagePart.message_id == message.id).order_by(col(MessagePart.position))
    )
    for part in tx.session.exec(query):
        yield seal.open(part.sealed, _CONTEXT)
