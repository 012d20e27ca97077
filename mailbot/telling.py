"""Recipients with an HTTP door are told: webhooks and OpenDSR requests, each alone, tried again alone.

A request that may have arrived before a crash is sent again with the same id, by which the recipient knows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from mailbot.advance import MAILBOT, Advance, Happening
from mailbot.core.telling import Recipient, Telling
from mailbot.core.workflow import Event, State, possible
from mailbot.recipient_http import Later, Refused, Told, tell
from mailbot.recipients import Recipients, note_failed, note_told
from mailbot.store import cases, tellings, works
from mailbot.store.database import Store, Transaction
from mailbot.store.encryption import Destroyed
from mailbot.store.tables import Case, Request, ToldRecipient, Work
from mailbot.store.tellings import TellingState
from mailbot.store.works import WorkKind
from mailbot.work import known, pause

_log = structlog.get_logger()

BATCH = 5
ATTEMPTS = 12
"""With pauses that double up to four hours: a little more than a day."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work
    row: ToldRecipient
    recipient: Recipient | None
    telling: Telling


@dataclass(slots=True)
class Teller:
    """Tells recipients. `clock` gives aware UTC times; any number of workers may run."""

    store: Store
    recipients: Recipients
    advance: Advance
    clock: Callable[[], datetime]

    def tell_due(self) -> int:
        """A few recipients were tried, one after the other; returns 0 when none was due."""
        with self.store.begin() as tx:
            claimed = works.claim(tx, [WorkKind.TELL], self.clock(), BATCH)
            jobs = [job for work in claimed if (job := self._load(tx, work)) is not None]
        for job in jobs:
            self._conclude(job, self._tell(job))
        return len(claimed)

    def _load(self, tx: Transaction, work: Work) -> _Job | None:
        row = tx.session.get_one(ToldRecipient, known(work.telling_id))
        _, case = works.with_cases(tx, [work.id])[work.id]
        if row.state != TellingState.WAITING:
            works.finish(work, self.clock())
            return None
        try:
            telling = tellings.content(tx, case, row)
        except Destroyed:
            works.give_up(work, "the key of its case was destroyed")
            return None
        return _Job(work, row, self.recipients.named(row.recipient), telling)

    def _tell(self, job: _Job) -> Told | Later | Refused:
        if job.recipient is None:
            return Refused("it is not in config.toml any more")
        return tell(job.recipient, job.row.id, job.telling, self.clock())

    def _conclude(self, job: _Job, answer: Told | Later | Refused) -> None:
        now = self.clock()
        with self.store.begin() as tx:
            case = cases.locked(tx, job.row.case_id)
            work = tx.session.get_one(Work, job.work.id)
            row = tx.session.get_one(ToldRecipient, job.row.id)
            if row.state != TellingState.WAITING:  # its lease had run out and another worker came to an end
                return
            match answer:
                case Told():
                    note_told(tx, row, now)
                    works.finish(work, now)
                case Later(reason=reason, after_seconds=after) if work.attempts < ATTEMPTS:
                    row.last_answer = reason
                    works.try_later(work, now + max(pause(work.attempts), timedelta(seconds=after)), reason)
                case Later(reason=reason) | Refused(reason=reason):
                    works.give_up(work, reason)
                    self._show_to_staff(tx, case, row, reason, now)

    def _show_to_staff(
        self, tx: Transaction, case: Case, row: ToldRecipient, reason: str, now: datetime
    ) -> None:
        said = note_failed(tx, row, reason, now)
        _log.warning("a recipient could not be told", case=case.reference, reason=reason)
        request = tx.session.get_one(Request, row.request_id)
        if possible(State(request.state), Event.RECIPIENT_FAILED):
            self.advance(tx, case, [Happening(request, Event.RECIPIENT_FAILED, MAILBOT, said)], now)
