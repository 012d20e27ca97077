"""The tables. Columns named `sealed_…` are encrypted with the data key of their row's case or message;
columns named `…_hash` are keyed hashes. Nothing else in here is personal data. Times are UTC.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on every database: SQLite forgets time zones, so they are put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (given by SQLAlchemy)
        """Store `value` in UTC; a naive time is a mistake of ours. Raises ValueError for it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone was given to the store")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (as above)
        """An aware UTC time, whatever the database kept."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _time(*, index: bool = False) -> Any:
    return Field(sa_type=UtcDateTime, index=index)


def _time_or_none(*, index: bool = False) -> Any:
    return Field(default=None, sa_type=UtcDateTime, nullable=True, index=index)


def _bytes(*, index: bool = False, unique: bool = False) -> Any:
    return Field(sa_type=LargeBinary, index=index, unique=unique)


def _bytes_or_none(*, index: bool = False) -> Any:
    return Field(default=None, sa_type=LargeBinary, nullable=True, index=index)


def _foreign(target: str) -> ForeignKey:
    # Checked at the commit: rows of one transaction may then be written in any order.
    return ForeignKey(target, deferrable=True, initially="DEFERRED")


def _ref(target: str, *, index: bool = False, unique: bool = False, primary_key: bool = False) -> Any:
    return Field(sa_column_args=[_foreign(target)], index=index, unique=unique, primary_key=primary_key)


def _ref_or_none(target: str, *, index: bool = False) -> Any:
    return Field(default=None, sa_column_args=[_foreign(target)], nullable=True, index=index)


class Row(SQLModel):
    """A table's row. Values are never validated here (SQLModel leaves that to whoever makes a row)."""

    # SQLModel sets each value twice, for SQLAlchemy and for pydantic: most of what making a row cost.
    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


class Secret(Row, table=True):
    """A long-lived secret of the installation (the key of the keyed hashes), wrapped by the master key."""

    __tablename__ = "secret"
    name: str = Field(primary_key=True)
    wrapped: bytes = _bytes()


class DataKey(Row, table=True):
    """The key of one case or one message. `wrapped` is None once the key was destroyed: what it sealed is gone."""

    __tablename__ = "data_key"
    id: uuid.UUID = Field(primary_key=True)
    wrapped: bytes | None = _bytes_or_none()
    destroy_after: date | None = Field(default=None, index=True)


class Message(Row, table=True):
    """One mail taken in. Its bytes are in `MessagePart`, never changed."""

    __tablename__ = "message"
    id: uuid.UUID = Field(primary_key=True)
    key_id: uuid.UUID = _ref("data_key.id")
    case_id: uuid.UUID | None = _ref_or_none("case.id", index=True)
    content_hash: bytes = _bytes(unique=True)
    message_id_hash: bytes | None = _bytes_or_none(index=True)
    sender_hash: bytes | None = _bytes_or_none(index=True)
    source: str
    size: int
    received_at: datetime = _time(index=True)
    stored_at: datetime = _time()
    disposition: str = Field(index=True)
    """case, ignored or quarantined."""
    reason: str = ""
    sealed_reading: bytes | None = _bytes_or_none()
    """JSON: what was understood, as `mailbot explain` prints it."""
    group_hash: bytes | None = _bytes_or_none(index=True)
    """Of the sender's domain, where the mail is for staff: a flood is counted by it."""


class MessagePart(Row, table=True):
    """A stretch of at most 1 MiB of a message's raw bytes, sealed."""

    __tablename__ = "message_part"
    message_id: uuid.UUID = _ref("message.id", primary_key=True)
    position: int = Field(primary_key=True)
    sealed: bytes = _bytes()


class Sighting(Row, table=True):
    """Where on a server a message was seen (RFC 3501 §2.3.1.1). Several sightings may be one message."""

    __tablename__ = "sighting"
    mailbox: str = Field(primary_key=True)
    uidvalidity: int = Field(primary_key=True, sa_type=BigInteger)
    uid: int = Field(primary_key=True, sa_type=BigInteger)
    message_id: uuid.UUID = _ref("message.id", index=True)
    seen_at: datetime = _time()


class Case(Row, table=True):
    """What we owe one person for what they asked."""

    __tablename__ = "case"
    id: uuid.UUID = Field(primary_key=True)
    key_id: uuid.UUID = _ref("data_key.id")
    reference: str = Field(unique=True)
    channel: str
    """mail, link, api or staff: how it came; letters are written only to those who wrote."""
    language: str
    bilingual: bool = False
    answerable: bool = True
    """False where the sender is suspect: no automatic letter ever goes to such a case (law 5)."""
    address_hash: bytes | None = _bytes_or_none(index=True)
    sealed_person: bytes = _bytes()
    """JSON: address, name, subject and Message-ID of the mail answered."""
    opened_at: datetime = _time(index=True)
    received_at: datetime = _time()
    """When the legal clock started."""
    due_on: date = Field(index=True)
    due_why: str
    extended_at: datetime | None = _time_or_none()
    warnings_sent: int = 0
    """How many of the staff warnings before the due date were given."""
    closed_at: datetime | None = _time_or_none(index=True)


class Request(Row, table=True):
    """One thing asked."""

    __tablename__ = "request"
    id: uuid.UUID = Field(primary_key=True)
    case_id: uuid.UUID = _ref("case.id", index=True)
    position: int
    kind: str = Field(index=True)
    capacity: str
    state: str = Field(index=True)
    since: datetime = _time()
    reason: str = ""
    """Why it stands where it stands, for staff. No personal data."""
    confidence: float = 0.0
    proof: str = "none"
    follow_up: str | None = None
    follow_up_at: datetime | None = _time_or_none(index=True)
    reminders_sent: int = 0
    subject_key: str | None = None
    sealed_asked: bytes = _bytes()
    """JSON: evidence and fields as understood, later as confirmed."""
    sealed_subject: bytes | None = _bytes_or_none()
    """JSON: the platform's subject once control is proven; what read-back looks for after a deletion."""
    sealed_result: bytes | None = _bytes_or_none()
    """JSON: what was shown, what was changed, what stayed and why."""
    version: int = 0


class Token(Row, table=True):
    """A single-use secret; only its SHA-256 is here."""

    __tablename__ = "token"
    digest: bytes = Field(sa_type=LargeBinary, primary_key=True)
    purpose: str
    case_id: uuid.UUID = _ref("case.id", index=True)
    request_id: uuid.UUID | None = _ref_or_none("request.id")
    address_hash: bytes | None = _bytes_or_none()
    """Whose control it proves."""
    expires_at: datetime = _time(index=True)
    used_at: datetime | None = _time_or_none()


class Letter(Row, table=True):
    """A mail of ours, written once with its Message-ID for ever; a resend repeats these bytes."""

    __tablename__ = "letter"
    id: uuid.UUID = Field(primary_key=True)
    case_id: uuid.UUID = _ref("case.id", index=True)
    request_id: uuid.UUID | None = _ref_or_none("request.id")
    template: str
    message_id: str = Field(unique=True)
    recipient_hash: bytes = _bytes(index=True)
    sealed_envelope: bytes = _bytes()
    """JSON: envelope sender and recipient."""
    sealed_raw: bytes = _bytes()
    written_at: datetime = _time(index=True)
    state: str = "queued"
    """queued, sent, refused, capped or withheld."""
    sent_at: datetime | None = _time_or_none()
    last_answer: str = ""


class Work(Row, table=True):
    """A thing to do, saved with the state that calls for it."""

    __tablename__ = "work"
    id: uuid.UUID = Field(primary_key=True)
    kind: str
    case_id: uuid.UUID = _ref("case.id", index=True)
    request_id: uuid.UUID | None = _ref_or_none("request.id")
    letter_id: uuid.UUID | None = _ref_or_none("letter.id")
    message_id: uuid.UUID | None = _ref_or_none("message.id")
    telling_id: uuid.UUID | None = _ref_or_none("told_recipient.id")
    due_at: datetime | None = _time_or_none(index=True)
    """None once done or given up."""
    lease_until: datetime | None = _time_or_none()
    attempts: int = 0
    created_at: datetime = _time()
    done_at: datetime | None = _time_or_none()
    failed: str = ""


class ToldRecipient(Row, table=True):
    """One recipient told of what was done for one request (GDPR Art. 19)."""

    __tablename__ = "told_recipient"
    id: uuid.UUID = Field(primary_key=True)
    """Named to the recipient, who knows by it what it was told before."""
    case_id: uuid.UUID = _ref("case.id", index=True)
    request_id: uuid.UUID = _ref("request.id", index=True)
    recipient: str
    """Its name in config.toml."""
    channel: str
    state: str
    """waiting, told or failed."""
    sealed_content: bytes | None = _bytes_or_none()
    """JSON: by what the recipient finds the person; nothing any more once it is told."""
    letter_id: uuid.UUID | None = _ref_or_none("letter.id", index=True)
    written_at: datetime = _time()
    told_at: datetime | None = _time_or_none()
    last_answer: str = ""

    __table_args__ = (UniqueConstraint("request_id", "recipient"),)


class Export(Row, table=True):
    """A copy of a person's data, waiting to be fetched."""

    __tablename__ = "export"
    id: uuid.UUID = Field(primary_key=True)
    case_id: uuid.UUID = _ref("case.id", index=True)
    request_id: uuid.UUID = _ref("request.id", unique=True)
    size: int
    made_at: datetime = _time()
    downloads: int = 0
    is_whole: bool


class ExportPart(Row, table=True):
    """A stretch of at most 1 MiB of an export, sealed."""

    __tablename__ = "export_part"
    export_id: uuid.UUID = _ref("export.id", primary_key=True)
    position: int = Field(primary_key=True)
    sealed: bytes = _bytes()


class LedgerEntry(Row, table=True):
    """Append-only, hash-chained (core/ledger.py). No personal data."""

    __tablename__ = "ledger"
    sequence: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = _time(index=True)
    action: str
    actor: str
    case_reference: str = Field(index=True)
    request_id: str = ""
    grounds: str = ""
    details: dict[str, str | int] = Field(default_factory=dict, sa_type=JSON)
    hash: bytes = _bytes()


class Suppression(Row, table=True):
    """Who gets no promotional mail. Outlives deletion."""

    __tablename__ = "suppression"
    address_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    since: datetime = _time()
    how: str
    """mail, link, one_click, api, staff or import."""
    by: str
    """person, staff:<id> or import:<file hash>."""
    lifted_at: datetime | None = _time_or_none()
    updated_at: datetime = _time(index=True)


class Erasure(Row, table=True):
    """Who was deleted, so that a restored backup can be cleaned again."""

    __tablename__ = "erasure"
    identifier_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    scope: str = Field(primary_key=True)
    """user, or visitor at one host (the host's key)."""
    at: datetime = _time()


class Hold(Row, table=True):
    """Whose data must stay while a dispute lasts: nothing of theirs is deleted, whoever asks (GDPR Art. 17(3)(e))."""

    __tablename__ = "hold"
    address_hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    case_reference: str
    """The case on which staff set it."""
    since: datetime = _time()
    by: str
    lifted_at: datetime | None = _time_or_none()


class Stop(Row, table=True):
    """The emergency stop of one kind of change, as staff pressed it. `lifted_at` None: it holds."""

    __tablename__ = "stop"
    kind: str = Field(primary_key=True)
    since: datetime = _time()
    by: str
    lifted_at: datetime | None = _time_or_none()


class Sweep(Row, table=True):
    """When one sweep of the data map last ran for real, and what it found."""

    __tablename__ = "sweep"
    name: str = Field(primary_key=True)
    ran_at: datetime = _time()
    due: int
    total: int
    taken: int


class Staff(Row, table=True):
    """A person who works the queue. No login without the date the confidentiality agreement was signed (policy 8.7)."""

    __tablename__ = "staff"
    id: uuid.UUID = Field(primary_key=True)
    name: str = Field(unique=True)
    password_hash: str
    role: str = "agent"
    """agent or admin."""
    agreement_signed_on: date | None = None
    disabled_at: datetime | None = _time_or_none()
    failed_logins: int = 0
    locked_until: datetime | None = _time_or_none()
    created_at: datetime = _time()


class StaffSession(Row, table=True):
    """A login of a staff member; only the SHA-256 of the cookie is here."""

    __tablename__ = "staff_session"
    digest: bytes = Field(sa_type=LargeBinary, primary_key=True)
    staff_id: uuid.UUID = _ref("staff.id", index=True)
    csrf: str
    created_at: datetime = _time()
    last_used_at: datetime = _time()
    expires_at: datetime = _time(index=True)

    __table_args__ = (UniqueConstraint("csrf"),)
