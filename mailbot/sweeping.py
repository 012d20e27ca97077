"""What has ended is deleted by itself (policy 4.7, 5.12): few at a time, and never very many without a person.

An account goes the way of a deletion that its owner asked for: a case, a plan, vetoes, read-back, ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from mailbot.advance import CLOCK, Advance, Happening
from mailbot.alarms import Alarm, Alarms
from mailbot.config import Controller
from mailbot.core.data_map import SweepRule, Swept
from mailbot.core.ledger import Entry
from mailbot.core.plan import Deletion, Plan, PlatformTrouble, Subject
from mailbot.core.policy import Policy
from mailbot.core.request import Asked, Capacity, Evidence, Kind
from mailbot.core.workflow import Event
from mailbot.platform.interface import Sweepable, SweepFound
from mailbot.store import brakes, cases, ledger, sweeps
from mailbot.store.database import Store

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What one sweep did, or would do. `taken`: rows deleted, or accounts whose deletion has begun."""

    id: str
    total: int
    due: int
    taken: int
    stopped: str = ""


@dataclass(slots=True)
class Sweeping:
    """Runs the sweeps of the data map. `clock` gives aware UTC times; any number of processes may run."""

    store: Store
    platform: object
    rules: tuple[SweepRule, ...]
    advance: Advance
    policy: Policy
    controller: Controller
    clock: Callable[[], datetime]

    def sweep_due(self) -> list[SweepReport]:
        """Every sweep that did not run today has run; one that fails is tried again at the next tick."""
        now = self.clock()
        if not isinstance(self.platform, Sweepable):  # `check` says so
            return []
        with self.store.read() as tx:
            waiting = [rule for rule in self.rules if sweeps.is_due(tx, rule.id, now)]
        return [report for rule in waiting if (report := self._run(rule)) is not None]

    def sweep(self, *, by: str = CLOCK, even_if_many: bool = False) -> list[SweepReport]:
        """Every sweep runs now, whether or not it did today; `even_if_many` is a person's leave to take them.

        Raises PlatformTrouble when the platform fails.
        """
        return [self._take(rule, self._found(rule), by, even_if_many=even_if_many) for rule in self.rules]

    def look(self) -> list[SweepReport]:
        """What `sweep` would do. Changes nothing. Raises PlatformTrouble."""
        return [self._report(rule, self._found(rule)) for rule in self.rules]

    def _run(self, rule: SweepRule) -> SweepReport | None:
        try:
            found = self._found(rule)
            with self.store.begin() as tx:
                is_mine = sweeps.begin(tx, rule.id, found.due, found.total, self.clock())
            return self._take(rule, found, CLOCK, even_if_many=False) if is_mine else None
        except PlatformTrouble as trouble:
            _log.error("a sweep failed", sweep=rule.id, trouble=str(trouble))
            return None

    def _found(self, rule: SweepRule) -> SweepFound:
        return self._sweepable.sweep_found(rule)

    @property
    def _sweepable(self) -> Sweepable:
        if not isinstance(self.platform, Sweepable):
            raise PlatformTrouble("this kind of platform cannot be swept", later=False)
        return self.platform

    def _report(self, rule: SweepRule, found: SweepFound) -> SweepReport:
        taken = min(found.due, rule.at_most)
        if found.percent <= rule.alarm_above_percent:
            return SweepReport(rule.id, found.total, found.due, taken)
        why = f"{found.due} of {found.total} are due, more than {rule.alarm_above_percent} %"
        return SweepReport(rule.id, found.total, found.due, 0, why)

    def _take(self, rule: SweepRule, found: SweepFound, by: str, *, even_if_many: bool) -> SweepReport:
        report = self._report(rule, found)
        if report.stopped and not even_if_many:
            self._alarm(rule, report)
            return report
        if rule.deletes is Swept.ROWS:
            taken = self._sweepable.sweep_rows(rule) if found.due else 0
        else:
            taken = self._take_accounts(rule)
        if taken:
            self._record(rule, found, taken, by)
        return replace(report, taken=taken, stopped="")

    def _record(self, rule: SweepRule, found: SweepFound, taken: int, by: str) -> None:
        details: dict[str, str | int] = {
            "sweep": rule.id,
            "due": found.due,
            "of": found.total,
            "taken": taken,
        }
        _log.info("swept", **details)
        with self.store.begin() as tx:
            grounds = "GDPR Art. 5(1)(e)"
            ledger.append(tx, Entry(self.clock(), "swept", by, "", "", grounds, details))

    def _take_accounts(self, rule: SweepRule) -> int:
        with self.store.read() as tx:
            known = sweeps.known(tx, self.clock())
        subjects = self._sweepable.sweep_accounts(rule, rule.at_most + len(known))
        fresh = [one for one in subjects if one.key not in known][: rule.at_most]
        for subject in fresh:
            self._open(rule, subject, self._sweepable.plan(Deletion(subject)))
        return len(fresh)

    def _open(self, rule: SweepRule, subject: Subject, plan: Plan) -> None:
        """A deletion that nobody asked for begins; where something speaks against it, staff see it first."""
        now = self.clock()
        with self.store.begin() as tx:
            if subject.key in sweeps.known(tx, now):  # another process was here first
                return
            doubts = [*plan.vetoes, *brakes.reasons(tx, self.policy, Kind.DELETION, plan.identifiers)]
            asked = Asked(Kind.DELETION, Capacity.USER, 1.0, (Evidence(rule.evidence, "", 0, 0),))
            case = self._alarms.open_case(tx, sweeps.CHANNEL, now)
            request = cases.add_request(tx, case, asked, 0, now)
            cases.set_subject(tx, case, request, subject)
            cases.set_result(tx, case, request, replace(cases.result_of(tx, case, request), shown=plan))
            event = Event.UNDERSTOOD_SUSPECT if doubts else Event.SWEPT
            reason = "; ".join(doubts) or f"not used for {rule.after_days} days ({rule.id})"
            self.advance(tx, case, [Happening(request, event, CLOCK, reason)], now)

    def _alarm(self, rule: SweepRule, report: SweepReport) -> None:
        """Staff have one line about it in their queue until they close it."""
        now, key = self.clock(), f"sweep:{rule.id}"
        _log.warning("a sweep stopped itself", sweep=rule.id, why=report.stopped)
        with self.store.begin() as tx:
            if key in sweeps.known(tx, now):
                return
            mend = "look with `mailbot platform sweep --dry-run`, then run it with --even-if-many, or mend the map"
            reason = f"the sweep {rule.id} deleted nothing: {report.stopped}; {mend}"
            self._alarms.raise_one(tx, Alarm(sweeps.CHANNEL, key, reason), now)

    @property
    def _alarms(self) -> Alarms:
        return Alarms(self.advance, self.controller)
