"""Work done: letters sent, plans applied and read back. Each piece is leased, done, marked done; each is safe to redo.

What comes of it enters by the same door as everything else (advance).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from mailbot.advance import MAILBOT, Advance, Happening
from mailbot.core.address import normalise
from mailbot.core.data_map import SweepRule
from mailbot.core.plan import (
    Applied,
    Change,
    Correction,
    Deletion,
    FieldView,
    Flagging,
    Plan,
    PlanGrew,
    PlatformTrouble,
    Resubscribe,
    Subject,
    Unsubscribe,
)
from mailbot.core.policy import Policy
from mailbot.core.request import Asked, Capacity, Kind
from mailbot.core.result import Changed, Result, Tried, gone_of, kept_of
from mailbot.core.wording import Wording
from mailbot.core.workflow import Event, State, possible
from mailbot.mail.contexts import RecipientTold
from mailbot.mail.outbox import Later, Refused, Sent, SmtpConnection
from mailbot.making import make
from mailbot.platform.interface import Platform, Sweepable
from mailbot.recipients import Done, Recipients, done_of, note_failed, note_told
from mailbot.store import brakes, cases, exports, letters, suppressions, tellings, works
from mailbot.store.database import Store, Transaction
from mailbot.store.encryption import Destroyed
from mailbot.store.tables import Case, Letter, Request, Work
from mailbot.store.works import WorkKind

_log = structlog.get_logger()

SEND_BATCH = 50
APPLY_BATCH = 10
"""So many pieces of platform work are claimed, and concluded, at once; each is safe to redo."""
MARK_EVERY = 10
"""So many letters at most are sent again, with the same Message-ID, when the process dies before they are marked."""

_FIRST_RETRY_SECONDS = 60
_LONGEST_RETRY_SECONDS = 4 * 3600
_SEND_GIVES_UP_AFTER = timedelta(days=4)
"""As mail servers do (RFC 5321 §4.5.4.1 asks for at least 4 to 5 days)."""
_APPLY_ATTEMPTS = 8
_STOPPED_PAUSE = timedelta(minutes=5)
"""Work of a stopped kind asks so often whether it may go on."""


@dataclass(slots=True)
class WorkDone:
    """Counted for `mailbot run --json` and the metrics."""

    replies_sent: int = 0
    changes_applied: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of applying: the event it yields and what is remembered of it."""

    event: Event
    reason: str = ""
    result: Result | None = None
    erased: tuple[str, ...] = ()
    done: Done | None = None
    """What recipients of the data are told."""


@dataclass(slots=True)
class Worker:
    """Does due work. `clock` gives aware UTC times; any number of workers may run."""

    store: Store
    advance: Advance
    platform: Platform
    clock: Callable[[], datetime]
    recipients: Recipients
    wording: Callable[[str | None], Wording]
    """How an export speaks to a person of this language (None: unknown)."""
    policy: Policy
    sweeps: tuple[SweepRule, ...] = ()
    done: WorkDone = field(default_factory=WorkDone)

    def send_due(self, smtp: SmtpConnection) -> int:
        """One batch of due letters was tried; returns how many there were."""
        now = self.clock()
        with self.store.begin() as tx:
            claimed = works.claim(tx, [WorkKind.SEND], now, SEND_BATCH)
            contents = letters.contents(tx, [known(work.letter_id) for work in claimed])
            loaded = [
                (work, *contents[key]) for work in claimed if (key := known(work.letter_id)) in contents
            ]
            for work in claimed:
                if work.letter_id not in contents:
                    works.give_up(work, "the key of its case was destroyed")
        answers: list[tuple[Work, Sent | Later | Refused]] = []
        for work, envelope, raw in loaded:
            answers.append((work, smtp.send(envelope.sender, envelope.recipient, raw)))
            if len(answers) >= MARK_EVERY:
                self._mark_sent(answers)
                answers = []
        self._mark_sent(answers)
        return len(claimed)

    def apply_due(self) -> int:
        """A few pieces of due platform work were tried; returns 0 when none was due."""
        with self.store.begin() as tx:
            claimed = works.claim(tx, [WorkKind.APPLY, WorkKind.UNDO], self.clock(), APPLY_BATCH)
            rows = works.with_cases(tx, [work.id for work in claimed])
            jobs = [job for work in claimed if (job := self._load(tx, work, *rows[work.id])) is not None]
        done = [(job.work, outcome) for job in jobs if (outcome := self._apply_one(job)) is not None]
        self._conclude_all(done)
        return len(claimed)

    def _mark_sent(self, answers: Sequence[tuple[Work, Sent | Later | Refused]]) -> None:
        if not answers:
            return
        now = self.clock()
        with self.store.begin() as tx:
            rows = works.with_letters(tx, [work.id for work, _ in answers])
            for claimed, answer in answers:
                work, letter = rows[claimed.id]
                if work.done_at is not None:  # its lease had run out and another worker sent it
                    continue
                match answer:
                    case Sent():
                        letter.state, letter.sent_at = "sent", now
                        works.finish(work, now)
                        self.done.replies_sent += 1
                        _note_sent(tx, letter, now)
                    case Later(reason=reason) if now - work.created_at < _SEND_GIVES_UP_AFTER:
                        letter.last_answer = reason
                        works.try_later(work, now + pause(work.attempts), reason)
                    case Later(reason=reason) | Refused(reason=reason):
                        letter.state, letter.last_answer = "refused", reason
                        works.give_up(work, reason)
                        self.done.failed += 1
                        tx.session.flush()
                        self._unreachable(tx, letter, now)

    def _unreachable(self, tx: Transaction, letter: Letter, now: datetime) -> None:
        """Staff see that a letter could not be delivered."""
        case = cases.locked(tx, letter.case_id)
        event, reason = Event.BOUNCED, f"the letter '{letter.template}' was refused"
        told = tellings.of_letter(tx, letter.id) if letter.template == RecipientTold.template else None
        if told is not None:
            event, reason = Event.RECIPIENT_FAILED, note_failed(tx, told, letter.last_answer, now)
        happenings = [
            Happening(request, event, MAILBOT, reason)
            for request in cases.requests_of(tx, case.id)
            if letter.request_id in (None, request.id) and possible(State(request.state), event)
        ]
        _log.warning("a letter was refused", case=case.reference, template=letter.template)
        self.advance(tx, case, happenings, now)

    def _apply_one(self, job: _Job) -> _Outcome | None:
        """What came of it; None when it is tried again later."""
        try:
            return self._carry_out(job.work, job)
        except PlatformTrouble as trouble:
            return self._after_trouble(job.work, trouble)
        except exports.LeaseLost:
            return None
        except Exception as error:  # noqa: BLE001  # whatever it is, it is tried again, then shown to staff
            _log.error("work failed", kind=job.work.kind, error=type(error).__name__)
            return self._after_trouble(job.work, PlatformTrouble(type(error).__name__, later=True))

    def _load(self, tx: Transaction, work: Work, request: Request, case: Case) -> _Job | None:
        """Everything the work needs; None (and the work is ended) when nothing waits for it any more."""
        wanted = (State.APPLYING,) if work.kind == WorkKind.APPLY else (State.WITHDRAWN, State.LIFTED)
        if request.state not in wanted:
            works.finish(work, self.clock())
            return None
        kind = Kind(request.kind)
        if work.kind == WorkKind.APPLY and brakes.is_stopped(tx, self.policy, kind):
            work.attempts -= 1  # it waits, it does not fail
            works.try_later(work, self.clock() + _STOPPED_PAUSE, f"changes of kind {kind} are stopped")
            return None
        try:
            person = cases.person_of(tx, case)
        except Destroyed:
            works.give_up(work, "the key of its case was destroyed")
            return None
        subject, result = cases.subject_of(tx, case, request), cases.result_of(tx, case, request)
        known = (subject.address if subject else "", *(result.shown.identifiers if result.shown else ()))
        return _Job(
            work=work,
            kind=kind,
            case=case,
            request=request,
            asked=cases.asked_of(tx, case, request),
            address=person.address or "",
            subject=subject,
            result=result,
            is_held=kind == Kind.DELETION and brakes.is_held(tx, known),
            is_suppressed=suppressions.is_suppressed(tx, person.address or ""),
        )

    def _carry_out(self, work: Work, job: _Job) -> _Outcome:
        if work.kind == WorkKind.UNDO:
            return self._change(work, job, _taken_back(job))
        match job.kind:
            case Kind.UNSUBSCRIBE:
                if not job.is_suppressed:
                    return _Outcome(Event.FAILED, "the address is not on the suppression list")
                return self._change(work, job, Unsubscribe(job.address))
            case Kind.DELETION if job.is_held:
                return _Outcome(Event.FAILED, brakes.ON_HOLD)
            case Kind.DELETION if job.subject and not self._is_due(job, job.subject):
                return _Outcome(Event.FAILED, "the account is in use again: nothing is deleted by itself")
            case Kind.DELETION if job.subject:
                return self._change(work, job, Deletion(job.subject))
            case Kind.CORRECTION if job.subject and job.asked.fields:
                return self._change(work, job, Correction(job.subject, job.asked.fields))
            case Kind.RESTRICTION | Kind.OBJECTION if job.subject:
                return self._change(work, job, Flagging(job.subject, job.kind))
            case Kind.ACCESS | Kind.PORTABILITY if job.subject:
                return self._export(job)
            case _:
                return _Outcome(Event.FAILED, "nothing on the platform is known to apply this to")

    def _is_due(self, job: _Job, subject: Subject) -> bool:
        """What people ask is always due; what a sweep brought up only while nobody uses it again, or once it is
        being deleted."""
        named = {one.rule for one in job.asked.evidence}
        rule = next((one for one in self.sweeps if one.evidence in named), None)
        if rule is None or job.work.attempts > 1 or not isinstance(self.platform, Sweepable):
            return True
        return self.platform.is_due(rule, subject) or self._is_gone(subject)

    def _is_gone(self, subject: Subject) -> bool:
        """Deleted when it was approved before: then only the proof of it is due."""
        return subject.key not in {one.key for one in self.platform.find(subject.address)}

    def _change(self, work: Work, job: _Job, change: Change) -> _Outcome:
        """The change is made and read back. Whether it is done is what read-back says, not the row count."""
        before = {one.field: one.before for one in job.result.changes}
        shown = job.result.shown or self.platform.plan(change)
        try:
            made = make(self.platform, shown, str(work.id), job.result.tried)
        except PlanGrew as grew:
            return _Outcome(Event.FAILED, f"would touch more than was shown: {', '.join(grew.places)}")
        if made.applied.refusals:
            refused = ", ".join(f"{one.field}: {one.reason}" for one in made.applied.refusals)
            return _Outcome(Event.FAILED, f"not possible any more: {refused}")
        read_back = self.platform.read_back(change, made.shown)
        if not read_back.ok:
            return _Outcome(Event.FAILED, read_back.reason)
        result = self._result(job, change, made.shown, made.applied, before)
        erased, done = _erased(change, made.shown), done_of(change, made.shown, result)
        return _Outcome(Event.APPLIED, made.reason, result, erased, done)

    def _result(
        self,
        job: _Job,
        change: Change,
        shown: Plan,
        applied: Applied,
        before: dict[str, str | None],
    ) -> Result:
        result = replace(job.result, shown=None, tried=(), rows=applied.rows, files=applied.files)
        match change:
            case Deletion():
                return replace(result, gone=gone_of(shown), kept=kept_of(shown))
            case Correction(subject=subject, fields=fields):
                old = subject.address
                new = next((one.new for one in fields if one.field == "email"), old)
                after = self._fields(replace(subject, address=new))
                names = dict.fromkeys(one.field for one in fields)
                changes = tuple(Changed(name, before.get(name), after.get(name)) for name in names)
                is_moved = normalise(old) != normalise(new)
                return replace(result, changes=changes, old_address=old if is_moved else None)
            case _:
                return result

    def _fields(self, subject: Subject | None) -> dict[str, str | None]:
        views: Sequence[FieldView] = self.platform.fields(subject) if subject else ()
        return {view.name: view.value for view in views}

    def _export(self, job: _Job) -> _Outcome:
        """The copy of the data is made and kept sealed until it is fetched or has run out."""
        subjects = self._exported(job)
        if not subjects:
            return _Outcome(Event.PROVEN_NOTHING_FOUND, "nothing is stored under this address")
        out = exports.ExportWriter(self.store, job.case, job.work, self.clock)
        self.platform.export(subjects, out, self.wording(job.subject.language if job.subject else None))
        out.finish()
        return _Outcome(Event.EXPORT_READY, "the copy is made")

    def _exported(self, job: _Job) -> tuple[Subject, ...]:
        """All that is known of the person; for a host only what their visitor left at their own events."""
        on_file = job.subject.address if job.subject else job.address
        if job.asked.capacity == Capacity.HOST:
            asking = job.subject.asked_at(Capacity.HOST) if job.subject else ""
            return self.platform.hosts_subjects(asking, on_file)
        found = self.platform.find(on_file)
        return tuple(one for one in found if normalise(one.address) == normalise(on_file))

    def _after_trouble(self, work: Work, trouble: PlatformTrouble) -> _Outcome | None:
        if not trouble.later or work.attempts >= _APPLY_ATTEMPTS:
            return _Outcome(Event.FAILED, str(trouble))
        with self.store.begin() as tx:
            row = tx.session.get_one(Work, work.id)
            wait = max(pause(work.attempts), timedelta(seconds=trouble.after_seconds))
            works.try_later(row, self.clock() + wait, str(trouble))
        return None

    def _conclude_all(self, done: Sequence[tuple[Work, _Outcome]]) -> None:
        """What came of each is saved: all in one transaction where possible, else each in its own."""
        try:
            self._conclude(done)
        except Exception as error:  # one that cannot be saved must not hold up the others
            if len(done) == 1:
                raise
            _log.warning("work could not be concluded at once; one by one", error=type(error).__name__)
            for one in done:
                self._conclude([one])

    def _conclude(self, done: Sequence[tuple[Work, _Outcome]]) -> None:
        if not done:
            return
        now = self.clock()
        with self.store.begin() as tx:
            rows = works.by_ids(tx, [work.id for work, _ in done])
            locked = cases.lock_all(tx, [work.case_id for work, _ in done])
            persons = [cases.person_of(tx, case) for case in locked]
            letters.look_ahead(tx, [one.address for one in persons if one.address], now)
            concluded = [
                outcome for work, outcome in done if self._conclude_one(tx, rows[work.id], outcome, now)
            ]
        self.done.changes_applied += sum(outcome.event == Event.APPLIED for outcome in concluded)
        self.done.failed += sum(outcome.event == Event.FAILED for outcome in concluded)

    def _conclude_one(self, tx: Transaction, work: Work, outcome: _Outcome, now: datetime) -> bool:
        """False when its lease had run out and another worker finished it."""
        if work.done_at is not None:
            return False
        case = cases.locked(tx, work.case_id)
        request = tx.session.get_one(Request, known(work.request_id))
        works.finish(work, now)
        if outcome.result is not None:
            cases.set_result(tx, case, request, outcome.result)
        elif outcome.event == Event.FAILED and work.kind == WorkKind.APPLY:
            _remember_try(tx, case, request, work)
        if outcome.erased:
            scope = request.subject_key or ""
            suppressions.remember_erasure(tx, outcome.erased, scope, now)
        if outcome.done is not None and possible(State(request.state), outcome.event):
            self.recipients.tell(tx, case, request, outcome.done, now)
        self._go_on(tx, case, request, work, outcome, now)
        return True

    def _go_on(
        self, tx: Transaction, case: Case, request: Request, work: Work, outcome: _Outcome, now: datetime
    ) -> None:
        """The request takes its next step. One that was undone while its change was made is undone after it."""
        if work.kind == WorkKind.UNDO:
            if outcome.event == Event.FAILED and possible(State(request.state), Event.FAILED):
                self.advance(tx, case, [Happening(request, Event.FAILED, MAILBOT, outcome.reason)], now)
        elif possible(State(request.state), outcome.event):
            self.advance(tx, case, [Happening(request, outcome.event, MAILBOT, outcome.reason)], now)
        elif request.state == State.WITHDRAWN:
            works.add(tx, WorkKind.UNDO, case_id=case.id, request_id=request.id, now=now)


@dataclass(frozen=True, slots=True)
class _Job:
    """One piece of platform work with all it needs."""

    work: Work
    kind: Kind
    case: Case
    request: Request
    asked: Asked
    address: str
    subject: Subject | None
    result: Result
    is_suppressed: bool
    is_held: bool


def _remember_try(tx: Transaction, case: Case, request: Request, work: Work) -> None:
    """What this work may have done counts when the same is approved again."""
    result = cases.result_of(tx, case, request)
    if result.shown is not None:
        tried = (*result.tried, Tried(str(work.id), result.shown))
        cases.set_result(tx, case, request, replace(result, tried=tried))


def _taken_back(job: _Job) -> Change:
    """The change that undoes what the request did."""
    match job.kind:
        case Kind.RESTRICTION | Kind.OBJECTION if job.subject:
            return Flagging(job.subject, job.kind, on=False)
        case _:
            return Resubscribe(job.address)


def _note_sent(tx: Transaction, letter: Letter, now: datetime) -> None:
    if letter.template == RecipientTold.template and (told := tellings.of_letter(tx, letter.id)) is not None:
        note_told(tx, told, now)


def _erased(change: Change, shown: Plan) -> tuple[str, ...]:
    return shown.identifiers if isinstance(change, Deletion) else ()


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts: doubling, with luck so that many workers do not come back at once."""
    seconds = min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2.0 ** (attempts - 1))
    return timedelta(seconds=seconds * (0.75 + int.from_bytes(os.urandom(1), "big") / 512))


def known(row_id: UUID | None) -> UUID:
    """The row that work of this kind names. Raises ValueError when it names none (our mistake)."""
    if row_id is None:
        raise ValueError("work of this kind names its row")
    return row_id
