"""The one door through which mail, web, staff and clock change a request.

State, due time, letters, work and ledger entry are saved in the caller's transaction, together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailbot.core.ledger import Entry
from mailbot.core.policy import Policy
from mailbot.core.request import Kind
from mailbot.core.workflow import (
    LIFT_NOTICE,
    OPEN_STATES,
    Effect,
    Event,
    FollowUp,
    State,
    next_follow_up,
    step,
)
from mailbot.drafts import Occasion
from mailbot.letters import LetterWriter
from mailbot.store import cases, ledger, messages, suppressions, tellings, works
from mailbot.store.database import Transaction
from mailbot.store.tables import Case, DataKey, Request
from mailbot.store.works import WorkKind

PERSON, CLOCK, MAILBOT, HOST = "person", "clock", "mailbot", "host"
"""Who may act, beside staff:<id>; the ledger names them."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event for one request. `reason` is for staff and ledger and holds no personal data. `note` is what
    staff or a host wrote: kept sealed for staff, and said in the letter of a step that has one. `address` is
    the other address to be asked for proof."""

    request: Request
    event: Event
    actor: str = MAILBOT
    reason: str = ""
    note: str = ""
    address: str | None = None


class Advance:
    """Makes steps of the workflow table."""

    def __init__(self, writer: LetterWriter, policy: Policy) -> None:
        self._writer = writer
        self._policy = policy

    def __call__(self, tx: Transaction, case: Case, happenings: Sequence[Happening], now: datetime) -> None:
        """Every happening is a step made, with what it calls for saved beside it.

        Raises NoSuchStep, and nothing is kept, when the table has no step for one of them.
        """
        letters: dict[Effect, list[Occasion]] = {}
        for happening in happenings:
            for effect in self._make_step(tx, case, happening, now):
                if not self._do(tx, case, happening, effect, now):
                    occasion = Occasion(happening.request, happening.note, happening.address)
                    letters.setdefault(effect, []).append(occasion)
        for effect, occasions in letters.items():
            self._writer.write(tx, case, effect, occasions, now)
        self._close_or_reopen(tx, case, now)

    def _make_step(
        self, tx: Transaction, case: Case, happening: Happening, now: datetime
    ) -> Iterable[Effect]:
        request, before = happening.request, State(happening.request.state)
        made = step(before, happening.event)
        if made.to != before or happening.event == Event.ASKED_AGAIN:
            request.state, request.since, request.reminders_sent = made.to, now, 0
        elif happening.event == Event.REMINDER_DUE:
            request.reminders_sent = self._reminders_after(request, now)
        request.reason = happening.reason or request.reason
        request.version += 1
        self._set_follow_up(request, now)
        if happening.note.strip():
            cases.set_note(tx, case, request, happening.note.strip())
        details = {"from": before.value, "to": made.to.value, "reason": happening.reason}
        grounds = f"{request.kind}, proof {request.proof}"
        actor = happening.actor
        ledger.append(
            tx,
            Entry(now, happening.event.value, actor, case.reference, str(request.id), grounds, details),
        )
        return made.effects

    def _reminders_after(self, request: Request, now: datetime) -> int:
        coming = self._coming(request, now)
        return coming.number if coming else request.reminders_sent

    def _coming(self, request: Request, now: datetime) -> FollowUp | None:
        patience = self._policy.patience
        return next_follow_up(State(request.state), request.since, request.reminders_sent, now, patience)

    def _set_follow_up(self, request: Request, now: datetime) -> None:
        coming = self._coming(request, now)
        request.follow_up = coming.event if coming else None
        request.follow_up_at = coming.at if coming else None

    def _do(self, tx: Transaction, case: Case, happening: Happening, effect: Effect, now: datetime) -> bool:
        """True when the effect was not a letter and is done."""
        match effect:
            case Effect.APPLY:
                _suppress(tx, case, happening, now)
                works.add(tx, WorkKind.APPLY, case_id=case.id, request_id=happening.request.id, now=now)
            case Effect.APPLY_UNDO:
                due = now + LIFT_NOTICE if happening.event == Event.STAFF_LIFTED else now
                works.add(
                    tx, WorkKind.UNDO, case_id=case.id, request_id=happening.request.id, now=now, due=due
                )
            case Effect.TELL_AGAIN:
                tellings.again(tx, happening.request.id, now)
            case Effect.SEEK:
                works.add(tx, WorkKind.SEEK, case_id=case.id, request_id=happening.request.id, now=now)
            case Effect.LOOK_AGAIN:
                works.add(tx, WorkKind.LOOK, case_id=case.id, request_id=happening.request.id, now=now)
            case Effect.SUPPRESS:
                _suppress(tx, case, happening, now)
            case Effect.UNSUPPRESS:
                _lift(tx, case, now)
            case _:
                return False
        return True

    def _close_or_reopen(self, tx: Transaction, case: Case, now: datetime) -> None:
        is_open = any(request.state in OPEN_STATES for request in cases.requests_of(tx, case.id))
        if is_open and case.closed_at is not None:
            case.closed_at = None
            tx.session.get_one(DataKey, case.key_id).destroy_after = None
        elif not is_open and case.closed_at is None:
            case.closed_at = now
            messages.destroy_after(tx, case.key_id, self._policy.retention.closed_case_days, now)


def _suppress(tx: Transaction, case: Case, happening: Happening, now: datetime) -> None:
    address = cases.person_of(tx, case).address
    if address and happening.request.kind == Kind.UNSUBSCRIBE:
        suppressions.suppress(tx, address, how=case.channel, by=happening.actor, now=now)


def _lift(tx: Transaction, case: Case, now: datetime) -> None:
    address = cases.person_of(tx, case).address
    if address:
        suppressions.lift(tx, address, now)
