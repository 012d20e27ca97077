"""Somebody writes from one address about the account of another: the address on file is asked, and nobody else.

The writer has the same answer whether or not there is such an account, at the same moment: the platform is asked later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.advance import MAILBOT, Advance, Happening
from mailbot.core.address import normalise
from mailbot.core.plan import PlatformTrouble, Subject
from mailbot.core.request import Asked, Capacity
from mailbot.core.workflow import Event, State
from mailbot.platform.interface import Platform
from mailbot.store import cases, letters, works
from mailbot.store.database import Store, Transaction
from mailbot.store.encryption import Destroyed
from mailbot.store.letters import CHALLENGES
from mailbot.store.tables import Case, Request, Work
from mailbot.store.works import WorkKind
from mailbot.work import pause

BATCH = 10
_ANOTHER_DAY = timedelta(days=1)
"""Nobody is asked more than once a day because strangers name their address."""
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Whose account a request is about: the writer's, else the one under the address named."""

    work: Work
    writer: str
    asked: Asked


@dataclass(slots=True)
class Seeking:
    """Looks for addresses on file. `clock` gives aware UTC times; any number of workers may run."""

    store: Store
    platform: Platform
    advance: Advance
    clock: Callable[[], datetime]

    def seek_due(self) -> int:
        """A few addresses were looked for; returns 0 when none was due."""
        with self.store.begin() as tx:
            claimed = works.claim(tx, [WorkKind.SEEK], self.clock(), BATCH)
            rows = works.with_cases(tx, [work.id for work in claimed])
            wanted = [one for work in claimed if (one := self._load(tx, work, *rows[work.id])) is not None]
        for one in wanted:
            self._seek(one)
        return len(claimed)

    def _load(self, tx: Transaction, work: Work, request: Request, case: Case) -> _Wanted | None:
        if request.state != State.AWAITING_PROOF:
            works.finish(work, self.clock())
            return None
        try:
            return _Wanted(work, cases.person_of(tx, case).address or "", cases.asked_of(tx, case, request))
        except Destroyed:
            works.give_up(work, "the key of its case was destroyed")
            return None

    def _seek(self, wanted: _Wanted) -> None:
        try:
            subjects = self._subjects(wanted)
        except PlatformTrouble as trouble:
            self._after_trouble(wanted.work, trouble)
            return
        now = self.clock()
        with self.store.begin() as tx:
            row = tx.session.get_one(Work, wanted.work.id)
            if row.done_at is not None:
                return
            if any(letters.written_today(tx, one.address, now, CHALLENGES) for one in subjects):
                works.try_later(row, now + _ANOTHER_DAY, "the address on file was asked today")
                return
            works.finish(row, now)
            self._ask(tx, row, subjects, now)

    def _subjects(self, wanted: _Wanted) -> list[Subject]:
        """One subject for each address on file, of the writer's own where there is any."""
        asked = wanted.asked
        own = _fitting(self.platform.find(wanted.writer), asked.capacity)
        found = own or _fitting(self.platform.find(asked.named or ""), asked.capacity)
        return list({normalise(one.address): one for one in reversed(found)}.values())[::-1]

    def _ask(self, tx: Transaction, work: Work, subjects: Sequence[Subject], now: datetime) -> None:
        """Each address on file is asked about a request of its own; where there is none, nobody is."""
        case = cases.locked(tx, work.case_id)
        request = next(one for one in cases.requests_of(tx, case.id) if one.id == work.request_id)
        if request.state != State.AWAITING_PROOF:
            return
        happenings = []
        for number, subject in enumerate(subjects):
            own = request if number == 0 else cases.split(tx, case, request, now)
            cases.set_subject(tx, case, own, subject)
            reason = "the address on file is asked"
            happenings.append(Happening(own, Event.ADDRESS_FOUND, MAILBOT, reason, address=subject.address))
        self.advance(tx, case, happenings, now)

    def _after_trouble(self, work: Work, trouble: PlatformTrouble) -> None:
        now = self.clock()
        with self.store.begin() as tx:
            row = tx.session.get_one(Work, work.id)
            if trouble.later and row.attempts < _ATTEMPTS:
                works.try_later(row, now + pause(row.attempts), str(trouble))
                return
            works.give_up(row, str(trouble))
            case = cases.locked(tx, row.case_id)
            mine = [one for one in cases.requests_of(tx, case.id) if one.id == row.request_id]
            reason = f"the platform could not be asked: {trouble}"
            waiting = [one for one in mine if one.state == State.AWAITING_PROOF]
            suspect = [Happening(one, Event.UNDERSTOOD_SUSPECT, MAILBOT, reason) for one in waiting]
            self.advance(tx, case, suspect, now)


def _fitting(subjects: Sequence[Subject], capacity: Capacity) -> list[Subject]:
    """Those of the capacity asked in; a visitor who names a host does not mean the host's account."""
    own = [one for one in subjects if one.capacity == capacity]
    return own if own or capacity == Capacity.VISITOR else list(subjects)
