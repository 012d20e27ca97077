"""Recipients to be told: one row for each and request, so that each is told for itself and once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import col, select

from mailbot.core.telling import Channel, Recipient, Telling
from mailbot.store import works
from mailbot.store.database import Transaction
from mailbot.store.sealed import open_value, seal_value
from mailbot.store.tables import Case, Letter, Request, ToldRecipient
from mailbot.store.works import WorkKind

_CONTEXT = "told_recipient.content"


class TellingState(StrEnum):
    """How far it is."""

    WAITING = "waiting"
    TOLD = "told"
    FAILED = "failed"


def add(
    tx: Transaction, case: Case, request: Request, recipient: Recipient, telling: Telling, now: datetime
) -> ToldRecipient | None:
    """The recipient is to be told; None when it was asked for before. A random id of version 4 names it for ever."""
    query = select(ToldRecipient).where(
        ToldRecipient.request_id == request.id, ToldRecipient.recipient == recipient.name
    )
    if tx.session.exec(query).first() is not None:
        return None
    row = ToldRecipient(
        id=UUID(bytes=os.urandom(16), version=4),
        case_id=case.id,
        request_id=request.id,
        recipient=recipient.name,
        channel=recipient.channel,
        state=TellingState.WAITING,
        sealed_content=seal_value(tx, case.key_id, telling, _CONTEXT),
        written_at=now,
    )
    tx.session.add(row)
    tx.session.flush()
    return row


def content(tx: Transaction, case: Case, row: ToldRecipient) -> Telling:
    """What the recipient is told. Raises Destroyed after the case's retention."""
    return open_value(tx, case.key_id, row.sealed_content or b"", Telling, _CONTEXT)


def of_request(tx: Transaction, request_id: UUID) -> Sequence[ToldRecipient]:
    """Everybody to be told of a request, by name."""
    query = select(ToldRecipient).where(ToldRecipient.request_id == request_id)
    return tx.session.exec(query.order_by(col(ToldRecipient.recipient))).all()


def of_letter(tx: Transaction, letter_id: UUID) -> ToldRecipient | None:
    """Whom a letter tells."""
    return tx.session.exec(select(ToldRecipient).where(ToldRecipient.letter_id == letter_id)).first()


def again(tx: Transaction, request_id: UUID, now: datetime) -> None:
    """Those who could not be told are tried once more, under the same id and the same Message-ID."""
    for row in of_request(tx, request_id):
        if row.state == TellingState.FAILED:
            row.state = TellingState.WAITING
            put_to_work(tx, row, now)


def put_to_work(tx: Transaction, row: ToldRecipient, now: datetime) -> None:
    """Work that tells the recipient is due now."""
    if row.channel == Channel.MAIL and row.letter_id is not None:
        tx.session.get_one(Letter, row.letter_id).state = "queued"
        works.add(tx, WorkKind.SEND, case_id=row.case_id, letter_id=row.letter_id, now=now)
    else:
        works.add(
            tx, WorkKind.TELL, case_id=row.case_id, request_id=row.request_id, telling_id=row.id, now=now
        )
