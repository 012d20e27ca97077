"""Senders that could not be judged when their mail came, because DNS failed: looked up again until it is known.

Until then such a mail goes the way of an unproven one; only what needs the sender's proof waits. Never proven is
what stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from mailbot.advance import MAILBOT, Advance, Happening
from mailbot.core.message import Unreadable
from mailbot.core.sender import Verdict
from mailbot.core.workflow import Event, State, possible
from mailbot.reading import Reader, Reading
from mailbot.store import cases, messages, works
from mailbot.store.database import Store, Transaction
from mailbot.store.encryption import Destroyed
from mailbot.store.tables import Case, Message, Request, Work
from mailbot.store.works import WorkKind
from mailbot.understood import Understood, proves_sender, sealed_reading, withdrawals
from mailbot.work import pause

BATCH = 10
GIVES_UP_AFTER = timedelta(days=2)
"""Longer than an outage of a domain's name servers usually lasts; resolvers remember no longer either."""


def judge_later(tx: Transaction, case: Case, message: Message, reading: Reading, now: datetime) -> None:
    """The sender will be looked up again where DNS failed."""
    if reading.sender.retry:
        due = now + pause(1)
        works.add(tx, WorkKind.JUDGE, case_id=case.id, message_id=message.id, now=now, due=due)


@dataclass(slots=True)
class Senders:
    """Judges again. `clock` gives aware UTC times; any number of workers may run."""

    store: Store
    reader: Reader
    advance: Advance
    understood: Understood
    clock: Callable[[], datetime]

    def judge_due(self) -> int:
        """A few senders were looked up again; returns 0 when none was due."""
        with self.store.begin() as tx:
            claimed = works.claim(tx, [WorkKind.JUDGE], self.clock(), BATCH)
            raws = {work.id: raw for work in claimed if (raw := _raw_of(tx, work)) is not None}
        for work in claimed:
            if work.id in raws:
                self._judge(work, self.reader.read(raws[work.id], self.clock()))
        return len(claimed)

    def _judge(self, work: Work, reading: Reading | Unreadable) -> None:
        now = self.clock()
        with self.store.begin() as tx:
            row = tx.session.get_one(Work, work.id)
            if row.done_at is not None or isinstance(reading, Unreadable):
                works.finish(row, now)
            elif reading.sender.retry and now - row.created_at < GIVES_UP_AFTER:
                works.try_later(row, now + pause(row.attempts), "DNS still fails")
            else:
                works.finish(row, now)
                self._conclude(tx, row, _final(reading), now)

    def _conclude(self, tx: Transaction, work: Work, reading: Reading, now: datetime) -> None:
        """The mail's sender is known now, and its requests go on."""
        case = cases.locked(tx, work.case_id)
        message = tx.session.get_one(Message, _known(work.message_id))
        message.sealed_reading = sealed_reading(tx, message.key_id, reading)
        requests = cases.requests_of(tx, case.id)
        if reading.sender.verdict == Verdict.FORGED and messages.is_first(tx, message):
            case.answerable = False
            self.advance(tx, case, _suspected(requests), now)
            return
        if reading.understanding.withdraws:
            self.advance(tx, case, withdrawals(requests, reading), now)
            return
        self.advance(tx, case, self._asked(tx, case, requests, reading), now)

    def _asked(
        self, tx: Transaction, case: Case, requests: Sequence[Request], reading: Reading
    ) -> list[Happening]:
        """The requests that this mail asked: with the sender's proof, and those that waited for it on their way."""
        kinds = {asked.kind for asked in reading.understanding.asked}
        mine = [one for one in requests if one.kind in kinds]
        if proves_sender(reading):
            for request in mine:
                request.proof = "sender" if request.proof == "none" else request.proof
        happenings = []
        for request in mine:
            if request.state == State.AWAITING_SENDER:
                event, decided = self.understood.decided(tx, case, cases.asked_of(tx, case, request), reading)
                happenings.append(Happening(request, event, MAILBOT, "; ".join(decided.reasons)))
        return happenings


def _suspected(requests: Sequence[Request]) -> list[Happening]:
    """Nobody is asked or reminded any more in the name of whom a forger used."""
    return [
        Happening(one, Event.UNDERSTOOD_SUSPECT, MAILBOT, "its sender turned out to be forged")
        for one in requests
        if one.state != State.RECEIVED and possible(State(one.state), Event.UNDERSTOOD_SUSPECT)
    ]


def _final(reading: Reading) -> Reading:
    """The reading; what is unknown for good is unproven."""
    if not reading.sender.retry:
        return reading
    reasons = (*reading.sender.reasons, "DNS kept failing: it stays unproven")
    return replace(reading, sender=replace(reading.sender, retry=False, reasons=reasons))


def _raw_of(tx: Transaction, work: Work) -> bytes | None:
    """The mail's bytes; None, and the work is ended, when its retention has."""
    try:
        return messages.raw_of(tx, tx.session.get_one(Message, _known(work.message_id)))
    except Destroyed:
        works.give_up(work, "the key of its case was destroyed")
        return None


def _known(row_id: UUID | None) -> UUID:
    if row_id is None:
        raise ValueError("work of this kind names its message")
    return row_id
