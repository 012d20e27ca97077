"""What follows when somebody answers a confirmation, by a button or by mail: each request takes its next step.

Within the caller's transaction, so that all of it is settled at once; the platform was asked before (`targets`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailbot.advance import PERSON, Advance, Happening
from mailbot.core.address import normalise
from mailbot.core.answer import Answer
from mailbot.core.correction import new_address
from mailbot.core.plan import HostMode, Subject
from mailbot.core.policy import Policy
from mailbot.core.policy import Proof as ProofLevel
from mailbot.core.request import Capacity, Kind
from mailbot.core.result import Changed
from mailbot.core.token import Purpose
from mailbot.core.workflow import Event, State
from mailbot.doubts import doubts_about
from mailbot.store import cases, tokens
from mailbot.store.database import Transaction
from mailbot.store.tables import Case, Request
from mailbot.targets import Prepared, Target, waiting_for

NOT_ME = "the person says they did not ask for this: somebody may have forged them"
"""Staff see such a request marked in their queue."""


class Settling:
    """Settles what was answered."""

    def __init__(self, advance: Advance, policy: Policy) -> None:
        self._advance = advance
        self._policy = policy

    def confirmed(self, tx: Transaction, prepared: Prepared, now: datetime) -> tuple[State, ...]:
        """The token is spent and every request takes its next step; says where each target stands then."""
        taken = tokens.take(tx, prepared.token, Purpose.CONFIRM, now)
        if taken is None:
            return tuple(State(target.request.state) for target in prepared.targets)
        row, case = taken
        tokens.use(row, now)
        own = _each_its_own(tx, case, prepared, now)
        waiting = [target for target in own if target.request.state == State.AWAITING_PROOF]
        self._settle(tx, case, prepared, waiting, now)
        return tuple(State(target.request.state) for target in own)

    def go_on(self, tx: Transaction, case: Case, prepared: Prepared, now: datetime) -> None:
        """A request that waited for the platform takes its next step, once for each of its subjects."""
        self._settle(tx, case, prepared, _each_its_own(tx, case, prepared, now), now)

    def otherwise(
        self, tx: Transaction, token: str, answer: Answer, now: datetime, *, is_theirs: bool = True
    ) -> None:
        """A no withdraws, "that was not me" stops and tells staff, anything else goes to staff."""
        taken = tokens.take(tx, token, Purpose.CONFIRM, now)
        if taken is None:
            return
        row, case = taken
        _, requests = waiting_for(tx, row)
        event, reason = _otherwise(answer, is_theirs=is_theirs)
        if event != Event.UNCLEAR_ANSWER:
            tokens.use(row, now)
        self._advance(tx, case, [Happening(one, event, PERSON, reason) for one in requests], now)

    def _settle(
        self, tx: Transaction, case: Case, prepared: Prepared, targets: list[Target], now: datetime
    ) -> None:
        happenings = []
        for target in targets:
            take_target(tx, case, target)
            happenings.append(self._next(tx, case, prepared, target))
        self._advance(tx, case, happenings, now)

    def _next(self, tx: Transaction, case: Case, prepared: Prepared, target: Target) -> Happening:
        """Which way a request goes once the address of the token has shown control."""
        if target.may_pass:
            return _when_it_is_back(tx, case, target, prepared)
        if target.trouble:
            return _to_staff(target.request, _not_asked(target))
        if target.subject is None:
            return _nothing_found(target.request)
        asked_at = target.subject.asked_at(target.asked.capacity)
        if normalise(asked_at) == normalise(prepared.address):
            target.request.proof = ProofLevel.CONTROL
        elif not _is_new_address_proven(tx, case, prepared.address, target):
            return _to_other(target.request, asked_at, "the address on file is another one; it is asked")
        return self._with_control(tx, case, target, target.subject, prepared.now)

    def _with_control(
        self, tx: Transaction, case: Case, target: Target, subject: Subject, now: datetime
    ) -> Happening:
        """Which way it goes once the address on file has shown control."""
        request, wanted = target.request, new_address(target.asked)
        doubts = doubts_about(tx, self._policy, case, target, now)
        if doubts:
            return _to_staff(request, "; ".join(doubts))
        if wanted and not cases.result_of(tx, case, request).new_address_proven:
            return _to_other(request, wanted, "the new address must prove itself")
        is_host = target.asked.capacity == Capacity.HOST
        if not is_host and subject.host and subject.host.mode == HostMode.ASK:
            return Happening(request, Event.PROVEN_HOST_DECIDES, PERSON, "the host decides")
        return Happening(request, Event.PROVEN, PERSON)


def take_target(tx: Transaction, case: Case, target: Target) -> None:
    """The request is about this target, as shown now."""
    if target.subject is not None:
        cases.set_subject(tx, case, target.request, target.subject)
    is_moved = new_address(cases.asked_of(tx, case, target.request)) != new_address(target.asked)
    cases.set_asked(tx, case, target.request, target.asked)
    before = cases.result_of(tx, case, target.request)
    result = replace(
        before,
        shown=target.plan,
        events=target.events,
        changes=_changes(target),
        new_address_proven=before.new_address_proven and not is_moved,
        approved_by="",
    )
    cases.set_result(tx, case, target.request, result)


def _changes(target: Target) -> tuple[Changed, ...]:
    present = {field.name: field.value for field in target.fields}
    return tuple(Changed(one.field, present.get(one.field), one.new) for one in target.asked.fields)


def _each_its_own(tx: Transaction, case: Case, prepared: Prepared, now: datetime) -> list[Target]:
    """The targets, with each further subject of one request having a request of its own."""
    own, seen = [], set()
    for target in prepared.targets:
        request = tx.session.get_one(Request, target.request.id)
        is_first = request.id not in seen
        seen.add(request.id)
        own.append(replace(target, request=request if is_first else cases.split(tx, case, request, now)))
    return own


def _is_new_address_proven(tx: Transaction, case: Case, proven: str, target: Target) -> bool:
    """The address a correction asks for has shown control, after the one on file had: never instead of it."""
    wanted = new_address(target.asked)
    if target.request.proof != ProofLevel.CONTROL or wanted is None:
        return False
    if normalise(wanted) != normalise(proven):
        return False
    result = cases.result_of(tx, case, target.request)
    cases.set_result(tx, case, target.request, replace(result, new_address_proven=True))
    return True


def _when_it_is_back(tx: Transaction, case: Case, target: Target, prepared: Prepared) -> Happening:
    """Whose control was proven is remembered; the platform is asked again, and the person no more."""
    result = cases.result_of(tx, case, target.request)
    cases.set_result(tx, case, target.request, replace(result, proven=prepared.address))
    return Happening(target.request, Event.PROVEN_PLATFORM_DOWN, PERSON, _not_asked(target))


def _nothing_found(request: Request) -> Happening:
    request.proof = ProofLevel.CONTROL
    if request.kind == Kind.UNSUBSCRIBE:
        return Happening(request, Event.PROVEN, PERSON)
    return Happening(request, Event.PROVEN_NOTHING_FOUND, PERSON, "nothing is stored under this address")


def _not_asked(target: Target) -> str:
    return f"the platform could not be asked: {target.trouble}"


def _to_staff(request: Request, reason: str) -> Happening:
    return Happening(request, Event.PROVEN_STAFF_DECIDES, PERSON, reason)


def _to_other(request: Request, address: str, reason: str) -> Happening:
    return Happening(request, Event.PROVEN_OTHER_ADDRESS, PERSON, reason, address=address)


def _otherwise(answer: Answer, *, is_theirs: bool) -> tuple[Event, str]:
    match answer:
        case Answer.NO:
            return Event.CANCELLED, "the person said no"
        case Answer.NOT_ME:
            return Event.DENIED, NOT_ME
        case _ if not is_theirs:
            return Event.UNCLEAR_ANSWER, "an answer to the confirmation came from another sender"
        case _:
            return Event.UNCLEAR_ANSWER, "the answer to the confirmation is neither yes nor no"
