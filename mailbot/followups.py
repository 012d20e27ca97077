"""The clock asks who is due: reminders, expiry, warnings before the legal date, keys whose retention has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from mailbot.advance import CLOCK, Advance, Happening
from mailbot.config import Controller
from mailbot.core.deadlines import next_staff_warning, received_on
from mailbot.core.ledger import Entry
from mailbot.core.policy import Policy
from mailbot.core.workflow import Event, State, possible
from mailbot.store import cases, exports, ledger, messages
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Case, Request

_log = structlog.get_logger()
_A_BATCH = 100


@dataclass(slots=True)
class FollowUps:
    """Sweeps over what is due. `clock` gives aware UTC times; any number of processes may sweep."""

    store: Store
    advance: Advance
    policy: Policy
    controller: Controller
    clock: Callable[[], datetime]

    def sweep(self) -> int:
        """Everything that is due now is done; returns how many follow-ups there were."""
        done = 0
        while batch := self._batch():
            done += batch
        self._warn()
        self._forget()
        return done

    def _batch(self) -> int:
        now = self.clock()
        with self.store.begin() as tx:
            due = cases.due_follow_ups(tx, now, _A_BATCH)
            for case_id in dict.fromkeys(request.case_id for request in due):
                mine = [request for request in due if request.case_id == case_id]
                self._follow_up(tx, cases.locked(tx, case_id), mine, now)
            return len(due)

    def _follow_up(self, tx: Transaction, case: Case, requests: list[Request], now: datetime) -> None:
        happenings = []
        for request in requests:
            if request.follow_up_at is None or request.follow_up_at > now:
                continue  # another process was here first
            event = Event(request.follow_up or Event.TIME_RAN_OUT)
            if possible(State(request.state), event):
                happenings.append(Happening(request, event, CLOCK))
            request.follow_up_at = None
            if request.state == State.AWAITING_FETCH:
                exports.remove(tx, request.id)
        self.advance(tx, case, happenings, now)

    def _warn(self) -> None:
        """Staff's warnings before the legal due date are in the ledger and raise the case in the queue."""
        now = self.clock()
        today = received_on(now, ZoneInfo(self.controller.timezone))
        first = timedelta(days=max(self.policy.staff_warning_days, default=0))
        with self.store.begin() as tx:
            for case in cases.open_cases_due_before(tx, today + first):
                warning = next_staff_warning(
                    case.due_on, case.warnings_sent, today, self.policy.staff_warning_days
                )
                if warning is None or warning.when > today:
                    continue
                case.warnings_sent = warning.number
                days = (case.due_on - today).days
                details: dict[str, str | int] = {"days_left": days}
                action = "overdue" if days < 0 else "due_soon"
                ledger.append(tx, Entry(now, action, CLOCK, case.reference, "", "GDPR Art. 12(3)", details))
                _log.warning("a case must be answered", case=case.reference, days_left=days)

    def _forget(self) -> None:
        now = self.clock()
        with self.store.begin() as tx:
            exports.remove_made_before(tx, now - timedelta(days=self.policy.patience.export_kept_days))
            gone = messages.destroy_due_keys(tx, now.date())
        if gone:
            _log.info("keys destroyed, their retention has ended", count=gone)
