"""Somebody confirmed while the platform was down: it is asked again, and again, and the person is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mailbot.advance import MAILBOT, Advance, Happening
from mailbot.core.workflow import Event, State
from mailbot.settling import Settling
from mailbot.store import cases, works
from mailbot.store.database import Store, Transaction
from mailbot.store.encryption import Destroyed
from mailbot.store.tables import Case, Request, Work
from mailbot.store.works import WorkKind
from mailbot.targets import Prepared, Targets
from mailbot.work import pause

BATCH = 10
_ATTEMPTS = 20
"""Some three days: longer than any outage should be, and well within the month that the law gives."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    work: Work
    prepare: Callable[[], Prepared]


@dataclass(slots=True)
class Looking:
    """Asks the platform what it could not be asked before. `clock` gives aware UTC times; any number of workers
    may run."""

    store: Store
    targets: Targets
    settling: Settling
    advance: Advance
    clock: Callable[[], datetime]

    def look_due(self) -> int:
        """A few requests were looked at again; returns 0 when none was due."""
        with self.store.begin() as tx:
            claimed = works.claim(tx, [WorkKind.LOOK], self.clock(), BATCH)
            rows = works.with_cases(tx, [work.id for work in claimed])
            waiting = [one for work in claimed if (one := self._load(tx, work, *rows[work.id])) is not None]
        for one in waiting:
            self._look(one)
        return len(claimed)

    def _load(self, tx: Transaction, work: Work, request: Request, case: Case) -> _Waiting | None:
        if request.state != State.AWAITING_PLATFORM:
            works.finish(work, self.clock())
            return None
        try:
            return _Waiting(work, self.targets.of_proven(tx, case, request, self.clock()))
        except Destroyed:
            works.give_up(work, "the key of its case was destroyed")
            return None

    def _look(self, waiting: _Waiting) -> None:
        prepared, now = waiting.prepare(), self.clock()
        trouble = next((one.trouble for one in prepared.targets if one.may_pass), "")
        with self.store.begin() as tx:
            work = tx.session.get_one(Work, waiting.work.id)
            if work.done_at is not None:  # its lease had run out and another worker did it
                return
            if trouble and work.attempts < _ATTEMPTS:
                works.try_later(work, now + pause(work.attempts), trouble)
                return
            case = cases.locked(tx, work.case_id)
            request = next(one for one in cases.requests_of(tx, case.id) if one.id == work.request_id)
            works.finish(work, now)
            if request.state != State.AWAITING_PLATFORM:
                return
            if trouble:
                reason = f"the platform could not be asked for days: {trouble}"
                self.advance(tx, case, [Happening(request, Event.FAILED, MAILBOT, reason)], now)
            else:
                self.settling.go_on(tx, case, prepared, now)
