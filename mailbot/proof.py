"""A person proves control of an address by a token that was sent there: what they are shown, and what follows.

The platform is asked before the transaction begins; within it everything is settled at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from mailbot.advance import PERSON, Advance, Happening
from mailbot.core.address import domain_of, normalise
from mailbot.core.answer import Answer
from mailbot.core.plan import (
    Change,
    Correction,
    Deletion,
    FieldView,
    Flagging,
    HostMode,
    Plan,
    PlannedStep,
    PlatformTrouble,
    Refusal,
    RefusalReason,
    Subject,
)
from mailbot.core.policy import Handling, Policy
from mailbot.core.policy import Proof as ProofLevel
from mailbot.core.request import Asked, Capacity, FieldChange, Kind, Language
from mailbot.core.result import Changed, EventRef, told_as_gone
from mailbot.core.token import Purpose
from mailbot.core.workflow import Event, State
from mailbot.platform.interface import Platform
from mailbot.store import brakes, cases, tokens
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Case, Request, Token

NOT_ME = "the person says they did not ask for this: somebody may have forged them"
"""Staff see such a request marked in their queue."""
_WHOLE_PERSON = (Kind.ACCESS, Kind.PORTABILITY)
"""Served once for all that is known of the person, not subject by subject."""


@dataclass(frozen=True, slots=True)
class FieldAsked:
    """One field of a correction: as it stands, and as it was asked for (both editable only on the page)."""

    name: str
    present: str | None
    asked: str
    changeable: bool = True


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request as the confirm page shows it, for one subject of the platform."""

    request_id: UUID
    kind: Kind
    capacity: Capacity
    state: State
    fields: tuple[FieldAsked, ...] = ()
    goes: tuple[PlannedStep, ...] = ()
    stays: tuple[PlannedStep, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    host: str | None = None
    visitor: str | None = None
    """Of whom a host asks."""
    subject_shown: bool = False
    """Whoever has the token may see what is stored."""
    needs_staff: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a token opens. `open` False: answered already."""

    reference: str
    language: str
    address: str
    requests: tuple[RequestView, ...]
    open: bool
    mark: str = ""
    """A keyed hash of what was shown; what is confirmed must have the same."""
    changed: bool = False
    """It is shown again, because it is not what was shown before."""


@dataclass(frozen=True, slots=True)
class Target:
    """One request for one subject (None: nothing was found), as the platform stands now."""

    request: Request
    asked: Asked
    subject: Subject | None
    fields: tuple[FieldView, ...] = ()
    plan: Plan | None = None
    events: tuple[EventRef, ...] = ()
    trouble: str = ""
    may_pass: bool = False
    """The trouble may be over soon: it is tried again."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a confirmation needs of the platform, fetched before the transaction that settles it."""

    token: str
    address: str
    targets: tuple[Target, ...]
    now: datetime


class Proof:
    """Shows and takes confirmations."""

    def __init__(self, store: Store, advance: Advance, platform: Platform, policy: Policy) -> None:
        self._store = store
        self._advance = advance
        self._platform = platform
        self._policy = policy

    def view(self, token: str, now: datetime) -> Confirmation | None:
        """What the token opens; None for unknown, ended and spent ones alike. Changes nothing."""
        prepared = self.prepare(token, {}, now)
        if prepared is None:
            return None
        with self._store.read() as tx:
            return self._shown(tx, prepared, now)

    def confirm(
        self, token: str, fields: Mapping[str, Mapping[str, str]], now: datetime, mark: str = ""
    ) -> Confirmation | None:
        """Control is proven and what was asked goes its way; None when the token opens nothing.

        `fields`: request id to field to value, as the person edited them. When a value cannot be taken, nothing
        happens yet and the confirmation comes back open, with the refusals to mend; so it does when the platform
        is not as it was shown (`mark`; empty where nothing was, as in an answer by mail).
        """
        prepared = self.prepare(token, fields, now)
        if prepared is None:
            return None
        with self._store.begin() as tx:
            shown = self._shown(tx, prepared, now)
            if shown is None or any(view.refusals for view in shown.requests):
                return shown
            if mark and mark != shown.mark and not any(one.may_pass for one in prepared.targets):
                return replace(shown, changed=True)
            states = self.settle(tx, prepared, now)
        after = zip(shown.requests, states, strict=True)
        return replace(shown, requests=tuple(replace(one, state=state) for one, state in after), open=False)

    def cancel(self, token: str, now: datetime) -> bool:
        """The requests are withdrawn; False when the token opens nothing."""
        return self._otherwise(token, Answer.NO, now)

    def deny(self, token: str, now: datetime) -> bool:
        """The requests are stopped and staff are told that somebody else asked; False when nothing was open."""
        return self._otherwise(token, Answer.NOT_ME, now)

    def prepare(self, token: str, fields: Mapping[str, Mapping[str, str]], now: datetime) -> Prepared | None:
        """What confirming would do, as the platform stands now; None when the token opens nothing."""
        with self._store.read() as tx:
            row = tokens.find(tx, token, Purpose.CONFIRM, now)
            if row is None:
                return None
            case, requests = _asked_by(tx, row)
            address = _address_of(tx, case, row, requests)
            asked = [_as_asked(tx, case, one, fields, address) for one in requests]
        if address is None or not requests:
            return None
        targets = [
            target
            for one in asked
            for target in self._targets(one.on_file or address, one.request, one.asked)
        ]
        return Prepared(token, address, tuple(targets), now)

    def settle(self, tx: Transaction, prepared: Prepared, now: datetime) -> tuple[State, ...]:
        """The token is spent and every request takes its next step; says where each target stands then."""
        taken = tokens.take(tx, prepared.token, Purpose.CONFIRM, now)
        if taken is None:
            return tuple(State(target.request.state) for target in prepared.targets)
        row, case = taken
        tokens.use(row, now)
        own = [
            replace(target, request=self._own_request(tx, case, prepared, target, now))
            for target in prepared.targets
        ]
        waiting = [target for target in own if target.request.state == State.AWAITING_PROOF]
        happenings = [self._settle_one(tx, case, prepared, target) for target in waiting]
        self._advance(tx, case, happenings, now)
        return tuple(State(target.request.state) for target in own)

    def answer_otherwise(
        self, tx: Transaction, token: str, answer: Answer, now: datetime, *, is_theirs: bool = True
    ) -> None:
        """A no withdraws, "that was not me" stops and tells staff, anything else goes to staff."""
        taken = tokens.take(tx, token, Purpose.CONFIRM, now)
        if taken is None:
            return
        row, case = taken
        _, requests = _asked_by(tx, row)
        event, reason = _otherwise(answer, is_theirs=is_theirs)
        if event != Event.UNCLEAR_ANSWER:
            tokens.use(row, now)
        happenings = [Happening(one, event, PERSON, reason) for one in requests]
        self._advance(tx, case, happenings, now)

    def by_staff(self, address: str, request: Request, asked: Asked) -> tuple[Target, ...]:
        """The targets of a request that staff vouch for, found by the address that wrote."""
        return tuple(self._targets(address, request, asked))

    def again(self, subject: Subject, request: Request, asked: Asked) -> Target:
        """The request about `subject`, as the platform stands now. Raises PlatformTrouble."""
        return self._target(request, asked, subject)

    def prepare_again(
        self, tx: Transaction, case: Case, request: Request, now: datetime
    ) -> Callable[[], Prepared]:
        """What asks the platform once more about a request that was confirmed while it was down: to be called
        outside the transaction."""
        proven = cases.result_of(tx, case, request).proven or ""
        one = _as_asked(tx, case, request, {}, proven)
        return lambda: Prepared(
            "", proven, tuple(self._targets(one.on_file or proven, one.request, one.asked)), now
        )

    def go_on(self, tx: Transaction, case: Case, prepared: Prepared, now: datetime) -> None:
        """A request that waited for the platform takes its next step, once for each of its subjects."""
        own = [
            replace(target, request=self._own_request(tx, case, prepared, target, now))
            for target in prepared.targets
        ]
        self._advance(tx, case, [self._settle_one(tx, case, prepared, target) for target in own], now)

    def take_target(self, tx: Transaction, case: Case, target: Target) -> None:
        """The request is about this target, as shown now."""
        if target.subject is not None:
            cases.set_subject(tx, case, target.request, target.subject)
        earlier = cases.asked_of(tx, case, target.request)
        is_moved = _new_address(earlier) != _new_address(target.asked)
        cases.set_asked(tx, case, target.request, target.asked)
        before = cases.result_of(tx, case, target.request)
        present = {field.name: field.value for field in target.fields}
        result = replace(
            before,
            shown=target.plan,
            events=target.events,
            changes=tuple(Changed(one.field, present.get(one.field), one.new) for one in target.asked.fields),
            new_address_proven=before.new_address_proven and not is_moved,
            approved_by="",
        )
        cases.set_result(tx, case, target.request, result)

    def _otherwise(self, token: str, answer: Answer, now: datetime) -> bool:
        with self._store.begin() as tx:
            taken = tokens.take(tx, token, Purpose.CONFIRM, now)
            if taken is None or not _asked_by(tx, taken[0])[1]:
                return False
            self.answer_otherwise(tx, token, answer, now)
            return True

    def _targets(self, address: str, request: Request, asked: Asked) -> list[Target]:
        """The request, once for each subject it is about."""
        try:
            subjects = self._subjects(address, asked)
            if not subjects:
                return [Target(request, asked, None)]
            if asked.kind in _WHOLE_PERSON:
                return [Target(request, asked, subjects[0])]
            return [self._target(request, asked, subject) for subject in subjects]
        except PlatformTrouble as trouble:
            return [Target(request, asked, None, trouble=str(trouble), may_pass=trouble.later)]

    def _subjects(self, address: str, asked: Asked) -> list[Subject]:
        """Whom a request is about; a host's only about the visitor they name, and only at their own events."""
        if asked.capacity == Capacity.HOST:
            return list(self._platform.hosts_subjects(address, asked.named or ""))
        return _fitting(self._platform.find(address), asked.capacity)

    def _target(self, request: Request, asked: Asked, subject: Subject) -> Target:
        fields = self._platform.fields(subject)
        fitted = replace(asked, fields=_fitted(asked.fields, fields)) if asked.fields else asked
        change = _change_of(fitted, subject)
        plan = self._platform.plan(change) if change else None
        return Target(request, fitted, subject, fields, plan, self._platform.events(subject))

    def _settle_one(self, tx: Transaction, case: Case, prepared: Prepared, target: Target) -> Happening:
        self.take_target(tx, case, target)
        return self._next(tx, case, prepared, target)

    def _own_request(
        self, tx: Transaction, case: Case, prepared: Prepared, target: Target, now: datetime
    ) -> Request:
        """The target's request; each further subject of one request gets a request of its own."""
        request = tx.session.get_one(Request, target.request.id)
        first = next(one for one in prepared.targets if one.request.id == target.request.id)
        return request if target is first else cases.split(tx, case, request, now)

    def _next(self, tx: Transaction, case: Case, prepared: Prepared, target: Target) -> Happening:
        """Which way a request goes once the address of the token has shown control."""
        request, subject, proven = target.request, target.subject, normalise(prepared.address)
        if target.may_pass:
            return self._when_it_is_back(tx, case, target, prepared)
        if target.trouble:
            return _to_staff(request, f"the platform could not be asked: {target.trouble}")
        if subject is None:
            request.proof = ProofLevel.CONTROL
            if request.kind == Kind.UNSUBSCRIBE:
                return Happening(request, Event.PROVEN, PERSON)
            reason = "nothing is stored under this address"
            return Happening(request, Event.PROVEN_NOTHING_FOUND, PERSON, reason)
        asked_at = subject.asked_at(target.asked.capacity)
        if normalise(asked_at) == proven:
            request.proof = ProofLevel.CONTROL
        elif not self._is_new_address_proven(tx, case, proven, target):
            reason = "the address on file is another one; it is asked"
            return Happening(request, Event.PROVEN_OTHER_ADDRESS, PERSON, reason, address=asked_at)
        return self._next_with_control(tx, case, target, subject, prepared.now)

    def _next_with_control(
        self, tx: Transaction, case: Case, target: Target, subject: Subject, now: datetime
    ) -> Happening:
        request, new_address = target.request, _new_address(target.asked)
        doubts = self._doubts(tx, case, target, now)
        if doubts:
            return _to_staff(request, "; ".join(doubts))
        if new_address and not cases.result_of(tx, case, request).new_address_proven:
            reason = "the new address must prove itself"
            return Happening(request, Event.PROVEN_OTHER_ADDRESS, PERSON, reason, address=new_address)
        is_host = target.asked.capacity == Capacity.HOST
        if not is_host and subject.host and subject.host.mode == HostMode.ASK:
            return Happening(request, Event.PROVEN_HOST_DECIDES, PERSON, "the host decides")
        return Happening(request, Event.PROVEN, PERSON)

    def _when_it_is_back(self, tx: Transaction, case: Case, target: Target, prepared: Prepared) -> Happening:
        """Whose control was proven is remembered; the platform is asked again, and the person no more."""
        result = cases.result_of(tx, case, target.request)
        cases.set_result(tx, case, target.request, replace(result, proven=prepared.address))
        reason = f"the platform could not be asked: {target.trouble}"
        return Happening(target.request, Event.PROVEN_PLATFORM_DOWN, PERSON, reason)

    def _is_new_address_proven(self, tx: Transaction, case: Case, proven: str, target: Target) -> bool:
        """The address a correction asks for has shown control, after the one on file had: never instead of it."""
        new_address = _new_address(target.asked)
        if (
            target.request.proof != ProofLevel.CONTROL
            or new_address is None
            or normalise(new_address) != proven
        ):
            return False
        result = cases.result_of(tx, case, target.request)
        cases.set_result(tx, case, target.request, replace(result, new_address_proven=True))
        return True

    def _doubts(self, tx: Transaction, case: Case, target: Target, now: datetime) -> list[str]:
        """Why staff must look although control is proven."""
        kind = Kind(target.request.kind)
        policy, plan = self._policy.kinds[kind].in_language(Language(case.language)), target.plan
        doubts = [*plan.vetoes, *(f"{one.field}: {one.reason}" for one in plan.refusals)] if plan else []
        known = plan.identifiers if plan else (target.subject.address,) if target.subject else ()
        doubts += brakes.reasons(tx, self._policy, kind, known)
        if policy.handling == Handling.STAFF:
            doubts.append(f"{kind} is carried out by staff")
        if kind == Kind.CORRECTION and not target.asked.fields:
            doubts.append("no field to correct was named")
        if target.asked.capacity == Capacity.HOST and _new_address(target.asked):
            doubts.append("a host asks for another address of a visitor")
        return [*doubts, *self._raised(tx, case, kind, target.subject, now)]

    def _raised(
        self, tx: Transaction, case: Case, kind: Kind, subject: Subject | None, now: datetime
    ) -> Iterator[str]:
        """What asks for staff's proof beside control (rules/policy.toml, raised_proof)."""
        raised, writer = self._policy.raised_proof, cases.person_of(tx, case).address or ""
        if self._policy.needed(kind, domain_of(writer) or None) == ProofLevel.STAFF:
            yield "such a sender's requests need a person's look"
        since = now - timedelta(days=raised.address_changed_days)
        if raised.address_changed == ProofLevel.STAFF and subject and _moved_since(tx, subject, since):
            yield f"the address on file was changed in the last {raised.address_changed_days} days"

    def _shown(self, tx: Transaction, prepared: Prepared, now: datetime) -> Confirmation | None:
        row = tokens.find(tx, prepared.token, Purpose.CONFIRM, now)
        if row is None:
            return None
        case = tx.session.get_one(Case, row.case_id)
        views = tuple(self._shown_one(tx, case, prepared, target) for target in prepared.targets)
        mark = _mark(tx, prepared, views)
        return Confirmation(case.reference, case.language, prepared.address, views, open=True, mark=mark)

    def _shown_one(self, tx: Transaction, case: Case, prepared: Prepared, target: Target) -> RequestView:
        """What may be shown to whoever has the token: nothing of a person whose address on file is another."""
        request, subject, address = target.request, target.subject, prepared.address
        kind, capacity = Kind(request.kind), Capacity(request.capacity)
        if subject is None or normalise(subject.asked_at(capacity)) != normalise(address):
            return RequestView(
                request.id, kind, capacity, State(request.state), _fields_of_stranger(target, address)
            )
        return RequestView(
            request.id,
            kind,
            capacity if capacity == Capacity.HOST else subject.capacity,
            State(request.state),
            fields=_fields_shown(target, hidden=False),
            goes=told_as_gone(target.plan) if target.plan else (),
            stays=tuple(step for step in target.plan.kept if step.rows) if target.plan else (),
            refusals=_to_mend(target.plan),
            host=subject.host.name if subject.host else None,
            visitor=subject.address if capacity == Capacity.HOST else None,
            subject_shown=True,
            needs_staff=bool(self._doubts(tx, case, target, prepared.now)),
        )


def _mark(tx: Transaction, prepared: Prepared, views: Sequence[RequestView]) -> str:
    """Equal while what is shown stays as it is; whoever may see nothing learns nothing by it."""
    pairs = zip(prepared.targets, views, strict=True)
    parts = [f"{view.request_id} {_state_of(target) if view.subject_shown else ''}" for target, view in pairs]
    return tx.pseudonyms.text("shown", "\n".join(parts)).hex()


def _state_of(target: Target) -> str:
    """What a deletion would touch, or the values that a correction would replace."""
    if target.request.kind == Kind.DELETION:
        return target.plan.fingerprint if target.plan else ""
    return repr([(field.name, field.value) for field in target.fields])


def _moved_since(tx: Transaction, subject: Subject, since: datetime) -> bool:
    """True when the platform says that the address on file is new, or mailbot itself put it there."""
    if subject.address_changed_at is not None and subject.address_changed_at > since:
        return True
    return any(
        cases.result_of(tx, case, request).old_address is not None
        for case, request in tokens.corrections_proven_by(tx, subject.address, since)
    )


def _to_mend(plan: Plan | None) -> tuple[Refusal, ...]:
    """What the person can mend. That another account holds a value is not told: staff look at it."""
    return tuple(one for one in plan.refusals if one.reason != RefusalReason.TAKEN) if plan else ()


def _to_staff(request: Request, reason: str) -> Happening:
    return Happening(request, Event.PROVEN_STAFF_DECIDES, PERSON, reason)


def _asked_by(tx: Transaction, row: Token) -> tuple[Case, Sequence[Request]]:
    """The case of a token and those of its requests that wait for the proof it gives."""
    case = tx.session.get_one(Case, row.case_id)
    waiting = [one for one in cases.requests_of(tx, case.id) if one.state == State.AWAITING_PROOF]
    return case, [one for one in waiting if row.request_id in (None, one.id)]


def _address_of(tx: Transaction, case: Case, row: Token, requests: Sequence[Request]) -> str | None:
    """The address whose control the token proves: the writer's, or one that the request named or led to."""
    candidates = [cases.person_of(tx, case).address]
    for request in requests:
        subject = cases.subject_of(tx, case, request)
        candidates.append(subject.asked_at(Capacity(request.capacity)) if subject else None)
        candidates.append(_new_address(cases.asked_of(tx, case, request)))
    hashes = ((address, tx.pseudonyms.address(address)) for address in candidates if address)
    return next((address for address, digest in hashes if digest == row.address_hash), None)


def _new_address(asked: Asked) -> str | None:
    """The e-mail address a correction wants to have on file."""
    return next((change.new for change in asked.fields if change.field == "email"), None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request with what it asks now; `on_file` is its subject's address once it is known."""

    request: Request
    asked: Asked
    on_file: str | None


def _as_asked(
    tx: Transaction,
    case: Case,
    request: Request,
    fields: Mapping[str, Mapping[str, str]],
    proving: str | None,
) -> _Asked:
    """The request with what was edited on the page. Once the address on file is known only it may edit: the
    new address of a correction proves itself, and decides nothing else."""
    on_file = _on_file(tx, case, request)
    may_edit = on_file is None or (proving is not None and normalise(on_file) == normalise(proving))
    return _Asked(request, _edited(tx, case, request, fields if may_edit else {}), on_file)


def _on_file(tx: Transaction, case: Case, request: Request) -> str | None:
    subject = cases.subject_of(tx, case, request)
    return subject.asked_at(Capacity(request.capacity)) if subject else None


def _edited(tx: Transaction, case: Case, request: Request, fields: Mapping[str, Mapping[str, str]]) -> Asked:
    """What was asked, as the person edited it on the page; an emptied field is left as it is."""
    asked, values = cases.asked_of(tx, case, request), fields.get(str(request.id))
    if asked.kind != Kind.CORRECTION or values is None:
        return asked
    old = {change.field: change.old for change in asked.fields}
    wanted = ((field, value.strip()) for field, value in values.items())
    changes = tuple(FieldChange(field, old.get(field), value) for field, value in wanted if value)
    return replace(asked, fields=changes)


def _fitting(subjects: Sequence[Subject], capacity: Capacity) -> list[Subject]:
    """The subjects meant: those of the capacity asked in, or all where there is none of it."""
    return [one for one in subjects if one.capacity == capacity] or list(subjects)


def _fitted(changes: Sequence[FieldChange], fields: Sequence[FieldView]) -> tuple[FieldChange, ...]:
    """The changes in the platform's own fields: parts of a name become the whole name where it has only that,
    and what already stands as asked is no change."""
    present = {field.name: field.value for field in fields}
    fitted: dict[str, FieldChange] = {}
    for change in changes:
        if change.field in ("first_name", "last_name") and change.field not in present and "name" in present:
            whole = fitted["name"].new if "name" in fitted else present["name"] or ""
            fitted["name"] = FieldChange("name", present["name"], _with_part(whole, change))
        else:
            fitted[change.field] = change
    return tuple(change for change in fitted.values() if present.get(change.field) != change.new)


def _with_part(whole: str, change: FieldChange) -> str:
    """The whole name with its first or last part replaced; by the old part where that stands in it."""
    words = whole.split()
    if change.old and change.old.casefold() in (word.casefold() for word in words):
        return " ".join(change.new if word.casefold() == change.old.casefold() else word for word in words)
    if change.field == "first_name":
        return " ".join([change.new, *words[1:]])
    return " ".join([*words[:1], change.new])


def _change_of(asked: Asked, subject: Subject) -> Change | None:
    """The change of the platform that a request is; None where it changes nothing there."""
    match asked.kind:
        case Kind.DELETION:
            return Deletion(subject)
        case Kind.CORRECTION if asked.fields:
            return Correction(subject, asked.fields)
        case Kind.RESTRICTION | Kind.OBJECTION:
            return Flagging(subject, asked.kind)
        case _:
            return None


def _fields_shown(target: Target, *, hidden: bool) -> tuple[FieldAsked, ...]:
    """The fields of a correction: the asked ones, and where none was understood every one that can be changed."""
    if target.request.kind != Kind.CORRECTION:
        return ()
    views = {} if hidden else {field.name: field for field in target.fields}
    asked = {change.field: change.new for change in target.asked.fields}
    names = list(asked) or [name for name, view in views.items() if view.changeable]
    return tuple(
        FieldAsked(
            name,
            views[name].value if name in views else None,
            asked.get(name, ""),
            views[name].changeable if name in views else True,
        )
        for name in names
    )


def _fields_of_stranger(target: Target, address: str) -> tuple[FieldAsked, ...]:
    """The new address of a correction is shown itself only: whoever reads there may be a stranger."""
    new_address = _new_address(target.asked)
    is_new = new_address is not None and normalise(new_address) == normalise(address)
    fields = _fields_shown(target, hidden=True)
    return (
        tuple(replace(one, changeable=False) for one in fields if one.name == "email") if is_new else fields
    )


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
