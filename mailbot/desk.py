"""What staff can do with a case; the staff pages and `mailbot cases` call the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from mailbot.advance import Advance, Happening
from mailbot.config import Config
from mailbot.core.address import normalise
from mailbot.core.deadlines import explained, extended
from mailbot.core.ledger import Entry
from mailbot.core.plan import Plan, PlatformTrouble, Subject, grown
from mailbot.core.policy import Handling, Policy
from mailbot.core.policy import Proof as ProofLevel
from mailbot.core.request import Asked, Capacity, FieldChange, Kind, Language
from mailbot.core.workflow import Event, NoSuchStep, State, possible, step
from mailbot.floods import CHANNEL as FLOOD
from mailbot.floods import let_in
from mailbot.letters import LetterWriter
from mailbot.opening import day_of
from mailbot.settling import take_target
from mailbot.store import brakes, cases, ledger
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Case, Request
from mailbot.targets import Target, Targets

TWO_NEEDED = "a second member of staff must approve too, so much goes with this account"
_PLANNED = (Kind.CORRECTION, Kind.DELETION)
HELD_ON = (Kind.RESTRICTION, Kind.OBJECTION)
"""What holds on until staff lift it."""
_CHANGES = (Kind.UNSUBSCRIBE, Kind.CORRECTION, Kind.DELETION, Kind.ACCESS, Kind.PORTABILITY, *HELD_ON)


class DeskTrouble(Exception):
    """What staff asked for cannot be done; the text tells them why and what they can do."""


class Desk:
    """Staff's decisions."""

    def __init__(
        self,
        store: Store,
        advance: Advance,
        writer: LetterWriter,
        targets: Targets,
        config: Config,
        policy: Policy,
    ) -> None:
        self._store = store
        self._advance = advance
        self._writer = writer
        self._targets = targets
        self._config = config
        self._policy = policy

    def approve(self, request_id: UUID, by: str, now: datetime) -> None:
        """Staff vouch for the person (staff proven) and the change is made."""
        with self._store.read() as tx:
            case, request = _load(tx, request_id)
            address, asked = cases.person_of(tx, case).address, cases.asked_of(tx, case, request)
            known, shown = cases.subject_of(tx, case, request), cases.result_of(tx, case, request).shown
            is_to_apply = _applies(request)
            if is_to_apply:
                self._is_free(tx, asked, known, shown)
        self._can_be_applied(asked)
        if known is None:
            targets = self._found(address, request, asked)
        else:
            targets = self._if_grown(known, request, asked, shown) if is_to_apply else ()
        with self._case(request_id) as (tx, case, request):
            if targets:
                take_target(tx, case, replace(targets[0], request=request))
        if targets and shown is not None:
            raise DeskTrouble(
                "the data has grown since this was shown: the plan below is new. Look at it, then approve again"
            )
        with self._case(request_id) as (tx, case, request):
            if is_to_apply and self._needs_another(tx, case, request, by):
                reason = f"approved once; {TWO_NEEDED}"
                self._happen(tx, case, request, Event.STAFF_APPROVED_FIRST, by, reason, now)
                return
            if request.proof != ProofLevel.CONTROL:
                request.proof = ProofLevel.STAFF
            case.answerable = True  # a person vouches for the sender, who must hear what was done
            self._happen(tx, case, request, Event.STAFF_APPROVED, by, "approved by staff", now)

    def ask_proof(self, request_id: UUID, by: str, now: datetime) -> None:
        """The address on file is asked to prove control."""
        with self._case(request_id) as (tx, case, request):
            if not cases.person_of(tx, case).address:
                raise DeskTrouble(
                    "this mail has no address that can be read one way only: nobody can be asked"
                )
            case.answerable = True  # a person has looked at the sender
            self._happen(tx, case, request, Event.STAFF_ASKED_PROOF, by, "staff ask for proof", now)

    def refuse(self, request_id: UUID, reason: str, by: str, now: datetime) -> None:
        """The person is told no, why, and where to complain (GDPR Art. 12(4))."""
        if not reason.strip():
            raise DeskTrouble("a refusal needs its reason: the person is told it (GDPR Art. 12(4))")
        with self._case(request_id) as (tx, case, request):
            self._happen(tx, case, request, Event.STAFF_REFUSED, by, "refused by staff", now, note=reason)

    def reclassify(
        self,
        request_id: UUID,
        kind: Kind,
        capacity: Capacity,
        by: str,
        now: datetime,
        fields: tuple[FieldChange, ...] = (),
    ) -> None:
        """The request is of another kind, and goes the way of that kind from the start."""
        with self._case(request_id) as (tx, case, request):
            old = cases.asked_of(tx, case, request)
            kept = fields or (old.fields if kind == Kind.CORRECTION else ())
            self._happen(tx, case, request, Event.STAFF_RECLASSIFIED, by, f"{old.kind} is {kind}", now)
            named = old.named if capacity == Capacity.HOST else None
            asked = Asked(kind, capacity, 1.0, old.evidence, kept, named=named)
            cases.set_asked(tx, case, request, asked)
            says_whom = capacity != Capacity.HOST or named is not None
            event = self._event_of(tx, case, kind) if says_whom else Event.UNDERSTOOD_SUSPECT
            self._happen(tx, case, request, event, by, f"{kind}, as staff read it", now)

    def reply(self, request_id: UUID, text: str, by: str, now: datetime, *, closes: bool) -> None:
        """The person gets staff's answer; the request is done, or waits for what they write back."""
        if not text.strip():
            raise DeskTrouble("an answer needs a text")
        event = Event.STAFF_ANSWERED if closes else Event.STAFF_ASKED_INFO
        with self._case(request_id) as (tx, case, request):
            if not cases.person_of(tx, case).address:
                raise DeskTrouble(
                    "this mail has no address that can be read one way only: nobody can be answered"
                )
            self._happen(tx, case, request, event, by, "answered by staff", now, note=text)

    def dismiss(self, request_id: UUID, reason: str, by: str, now: datetime) -> None:
        """The request is closed without an answer (spam, a mail for somebody else)."""
        with self._case(request_id) as (tx, case, request):
            self._happen(tx, case, request, Event.STAFF_DISMISSED, by, "dismissed by staff", now, note=reason)

    def lift(self, request_id: UUID, reason: str, by: str, now: datetime) -> None:
        """The person is told that a restriction (or objection) ends, why, and when; then it does (Art. 18(3))."""
        if not reason.strip():
            raise DeskTrouble(
                "lifting a restriction needs its reason: the person is told it (GDPR Art. 18(3))"
            )
        with self._case(request_id) as (tx, case, request):
            if request.kind not in HELD_ON:
                raise DeskTrouble(
                    f"a {request.kind} cannot be lifted: only restrictions and objections hold on"
                )
            self._happen(tx, case, request, Event.STAFF_LIFTED, by, "lifted by staff", now, note=reason)

    def let_in(self, request_id: UUID, by: str, now: datetime) -> None:
        """The mails of a flood are taken in, each as if it had just come."""
        with self._case(request_id) as (tx, case, request):
            if case.channel != FLOOD:
                raise DeskTrouble("this is one person's case, not a flood")
            let_in(tx, case, now)
            self._happen(tx, case, request, Event.STAFF_DISMISSED, by, "its mails are let in", now)

    def extend(self, reference: str, reason: str, by: str, now: datetime) -> None:
        """Two further months, once, told with the reasons within the first month (GDPR Art. 12(3))."""
        if not reason.strip():
            raise DeskTrouble("an extension needs its reason: the person is told it (GDPR Art. 12(3))")
        controller = self._config.controller
        with self._store.begin() as tx:
            case = self._by_reference(tx, reference)
            today = day_of(now, controller)
            longer = extended(day_of(case.received_at, controller), controller.country)
            if case.extended_at is not None:
                raise DeskTrouble("this case was extended already; the law allows it once")
            if today > longer.tell_by:
                raise DeskTrouble(f"an extension had to be told by {longer.tell_by}; that day has passed")
            first_due, case.due_on, case.extended_at = case.due_on, longer.deadline.due, now
            case.due_why, case.warnings_sent = explained(longer.deadline), 0
            self._writer.write_extension(tx, case, reason, first_due, now)
            _note(tx, case, "extended", by, now, {"due": case.due_on.isoformat()})

    def opened(self, reference: str, by: str, now: datetime) -> None:
        """The ledger says who opened which case (policy 2.4, 8.7)."""
        with self._store.begin() as tx:
            _note(tx, self._by_reference(tx, reference), "opened", by, now, {})

    def _by_reference(self, tx: Transaction, reference: str) -> Case:
        case = cases.by_reference(tx, reference)
        if case is None:
            raise DeskTrouble(f"there is no case {reference}")
        return cases.locked(tx, case.id)

    def _found(self, address: str | None, request: Request, asked: Asked) -> tuple[Target, ...]:
        if asked.kind == Kind.UNSUBSCRIBE or address is None:
            return ()
        targets = self._targets.of_address(address, request, asked)
        if targets and targets[0].trouble:
            raise DeskTrouble(f"the platform could not be asked: {targets[0].trouble}")
        if not targets or targets[0].subject is None:
            raise DeskTrouble(
                "nothing is stored under the sender's address: ask them for the address of the account"
            )
        if len(targets) > 1:
            raise DeskTrouble("the sender's address leads to several people or events: ask for proof instead")
        return targets

    def _if_grown(
        self, subject: Subject, request: Request, asked: Asked, shown: Plan | None
    ) -> tuple[Target, ...]:
        """The target as it stands now, where it goes beyond what was shown or nothing was."""
        if asked.kind not in _PLANNED:
            return ()
        try:
            target = self._targets.of_subject(subject, request, asked)
        except PlatformTrouble as trouble:
            raise DeskTrouble(f"the platform could not be asked: {trouble}") from None
        is_as_shown = shown is not None and target.plan is not None and not grown(shown, target.plan)
        return () if is_as_shown else (target,)

    def _needs_another(self, tx: Transaction, case: Case, request: Request, by: str) -> bool:
        """So much goes with this one person that two must approve: True for the first, who is remembered."""
        result = cases.result_of(tx, case, request)
        if result.shown is None or not result.shown.limits:
            return False
        if result.approved_by == by:
            raise DeskTrouble(f"you have approved this already; {TWO_NEEDED}")
        if result.approved_by:
            return False
        cases.set_result(tx, case, request, replace(result, approved_by=by))
        return True

    def _is_free(self, tx: Transaction, asked: Asked, known: Subject | None, shown: Plan | None) -> None:
        """Nobody has put the person on hold."""
        addresses = (known.address if known else "", *(shown.identifiers if shown else ()))
        if asked.kind == Kind.DELETION and brakes.is_held(tx, addresses):
            raise DeskTrouble(f"{brakes.ON_HOLD} (mailbot cases release, or on the case's page)")

    def hold(self, reference: str, by: str, now: datetime) -> None:
        """Nothing of the case's person is deleted any more, whoever asks, until `release` (GDPR Art. 17(3)(e))."""
        with self._store.begin() as tx:
            case = self._by_reference(tx, reference)
            held = [brakes.hold(tx, one, case.reference, by, now) for one in self._everyone(tx, case)]
            if not any(held):
                raise DeskTrouble("this person is under a legal hold already, or the case has no address")
            _note(tx, case, "held", by, now, {})

    def release(self, reference: str, by: str, now: datetime) -> None:
        """The legal hold on the case's person is lifted."""
        with self._store.begin() as tx:
            case = self._by_reference(tx, reference)
            if not any(brakes.release(tx, one, now) for one in self._everyone(tx, case)):
                raise DeskTrouble("this person is under no legal hold")
            _note(tx, case, "released", by, now, {})

    def stop(self, kind: Kind, by: str, now: datetime) -> None:
        """Changes of `kind` are made no more; requests are still taken, acknowledged and timed."""
        self._brake(kind, by, now, "stopped")

    def resume(self, kind: Kind, by: str, now: datetime) -> None:
        """Changes of `kind` are made again, and what waited is done."""
        self._brake(kind, by, now, "resumed")

    def _brake(self, kind: Kind, by: str, now: datetime, action: str) -> None:
        if kind not in _CHANGES:
            raise DeskTrouble(f"{kind} changes nothing by itself: there is nothing to stop")
        with self._store.begin() as tx:
            is_new = brakes.stop(tx, kind, by, now) if action == "stopped" else brakes.resume(tx, kind, now)
            if not is_new:
                raise DeskTrouble(f"changes of kind {kind} are not to be {action}: they are so already")
            ledger.append(tx, Entry(now, action, f"staff:{by}", "", "", "", {"kind": kind.value}))

    def _everyone(self, tx: Transaction, case: Case) -> list[str]:
        """The addresses of everybody the case is about: the writer's, those on file and earlier ones."""
        found = [cases.person_of(tx, case).address or ""]
        for request in cases.requests_of(tx, case.id):
            subject, shown = cases.subject_of(tx, case, request), cases.result_of(tx, case, request).shown
            found += [subject.address if subject else "", *(shown.identifiers if shown else ())]
        return [address for address in dict.fromkeys(map(normalise, found)) if address]

    def _can_be_applied(self, asked: Asked) -> None:
        if asked.kind not in _CHANGES:
            raise DeskTrouble(f"{asked.kind} changes nothing by itself: answer it, or reclassify it first")
        if asked.kind == Kind.CORRECTION and not asked.fields:
            raise DeskTrouble("no field to correct is known: ask the person, or reclassify with fields")

    def _event_of(self, tx: Transaction, case: Case, kind: Kind) -> Event:
        match self._policy.kinds[kind].in_language(Language(case.language)).handling:
            case Handling.ACT:
                return Event.UNDERSTOOD_TO_ACT
            case Handling.CONFIRM if case.answerable and cases.person_of(tx, case).address:
                return Event.UNDERSTOOD_TO_CONFIRM
            case _:
                return Event.UNDERSTOOD_SUSPECT

    def _happen(
        self,
        tx: Transaction,
        case: Case,
        request: Request,
        event: Event,
        by: str,
        reason: str,
        now: datetime,
        note: str = "",
    ) -> None:
        if not possible(State(request.state), event):
            raise DeskTrouble(
                f"this request is {request.state.replace('_', ' ')}: that cannot be done with it now"
            )
        self._advance(tx, case, [Happening(request, event, f"staff:{by}", reason, note)], now)

    @contextmanager
    def _case(self, request_id: UUID) -> Iterator[tuple[Transaction, Case, Request]]:
        try:
            with self._store.begin() as tx:
                case, request = _load(tx, request_id)
                yield tx, cases.locked(tx, case.id), request
        except NoSuchStep as error:
            raise DeskTrouble(f"this cannot be done now: {error}") from error


def _applies(request: Request) -> bool:
    """An approval leads to the change; what is done already and only could not be told is approved as told."""
    state = State(request.state)
    return possible(state, Event.STAFF_APPROVED) and (step(state, Event.STAFF_APPROVED).to == State.APPLYING)


def _load(tx: Transaction, request_id: UUID) -> tuple[Case, Request]:
    request = tx.session.get(Request, request_id)
    if request is None:
        raise DeskTrouble("there is no such request")
    return tx.session.get_one(Case, request.case_id), request


def _note(
    tx: Transaction, case: Case, action: str, by: str, now: datetime, details: dict[str, str | int]
) -> None:
    ledger.append(tx, Entry(now, action, f"staff:{by}", case.reference, "", "", details))
