"""Recipients of data are told of deletions and corrections (GDPR Art. 19): who of them, and that they were.

Each is told for itself: a row, a piece of work and a ledger entry of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailbot.core.data_map import DataMap
from mailbot.core.ledger import Entry
from mailbot.core.plan import Change, Correction, Deletion, Plan
from mailbot.core.request import Kind
from mailbot.core.result import Result
from mailbot.core.telling import (
    Channel,
    NewValue,
    Recipient,
    Telling,
    categories_of,
    categories_of_field,
)
from mailbot.letters import LetterWriter
from mailbot.mail.contexts import RecipientTold
from mailbot.store import ledger, tellings
from mailbot.store.database import Transaction
from mailbot.store.tables import Case, Request, ToldRecipient
from mailbot.store.tellings import TellingState

_GROUNDS = "GDPR Art. 19"
_MAILBOT = "mailbot"


@dataclass(frozen=True, slots=True)
class Done:
    """What was done and read back, as far as recipients are concerned."""

    change: Deletion | Correction
    shown: Plan
    result: Result

    @property
    def kind(self) -> Kind:
        """What the recipients are asked to do, too."""
        return Kind.DELETION if isinstance(self.change, Deletion) else Kind.CORRECTION

    @property
    def identifiers(self) -> tuple[str, ...]:
        """By which a recipient may know the person; before a correction."""
        on_file = self.change.subject.address
        return tuple(dict.fromkeys((on_file, *self.shown.identifiers))) if on_file else self.shown.identifiers


def done_of(change: Change, shown: Plan, result: Result) -> Done | None:
    """None for a change that no recipient is told of."""
    return Done(change, shown, result) if isinstance(change, Deletion | Correction) else None


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who is told of what."""

    known: Sequence[Recipient]
    data_map: DataMap
    writer: LetterWriter

    def named(self, name: str) -> Recipient | None:
        """The recipient as it is configured now."""
        return next((one for one in self.known if one.name == name), None)

    def tell(self, tx: Transaction, case: Case, request: Request, what: Done, now: datetime) -> None:
        """Everybody concerned is to be told, once; nobody is when nothing was there to change."""
        capacity = what.change.subject.capacity
        touched = categories_of(self.data_map, capacity, what.shown)
        for recipient in self.known:
            if what.kind not in recipient.kinds or not recipient.had(touched):
                continue
            telling = Telling(
                what.kind, what.identifiers, self._changes(recipient, what), case.received_at, now
            )
            if what.kind is Kind.CORRECTION and not telling.changes:
                continue
            row = tellings.add(tx, case, request, recipient, telling, now)
            if row is not None:
                self._put_to_work(tx, case, row, recipient, telling, now)

    def _changes(self, recipient: Recipient, what: Done) -> tuple[NewValue, ...]:
        """The corrected fields of the categories that the recipient had."""
        capacity = what.change.subject.capacity
        return tuple(
            NewValue(one.field, one.after)
            for one in what.result.changes
            if recipient.had(categories_of_field(self.data_map, capacity, one.field))
        )

    def _put_to_work(
        self,
        tx: Transaction,
        case: Case,
        row: ToldRecipient,
        recipient: Recipient,
        telling: Telling,
        now: datetime,
    ) -> None:
        if recipient.channel is not Channel.MAIL:
            tellings.put_to_work(tx, row, now)
            return
        context = RecipientTold(
            reference=case.reference,
            kind=telling.kind,
            identifiers=telling.identifiers,
            changes=telling.changes,
            number=str(row.id),
        )
        row.letter_id = self.writer.write_to_recipient(tx, case, row.request_id, recipient, context, now)


def note_told(tx: Transaction, row: ToldRecipient, now: datetime) -> None:
    """The recipient is told: the ledger says so, and what it was told is not kept."""
    if row.state == TellingState.TOLD:
        return
    row.state, row.told_at, row.sealed_content, row.last_answer = TellingState.TOLD, now, None, ""
    _log(tx, row, "recipient_told", "", now)


def note_failed(tx: Transaction, row: ToldRecipient, reason: str, now: datetime) -> str:
    """The recipient could not be told; returns what staff are told of it."""
    row.state, row.last_answer = TellingState.FAILED, reason
    _log(tx, row, "recipient_not_told", reason, now)
    return f"the recipient '{row.recipient}' could not be told: {reason}"


def _log(tx: Transaction, row: ToldRecipient, action: str, reason: str, now: datetime) -> None:
    case = tx.session.get_one(Case, row.case_id)
    details: dict[str, str | int] = {"recipient": row.recipient, "channel": row.channel, "id": str(row.id)}
    if reason:
        details["reason"] = reason
    ledger.append(tx, Entry(now, action, _MAILBOT, case.reference, str(row.request_id), _GROUNDS, details))
