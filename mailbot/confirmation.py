"""What the confirm page shows to whoever holds a token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from mailbot.core.address import normalise
from mailbot.core.correction import new_address
from mailbot.core.plan import FieldView, Plan, PlannedStep, Refusal, RefusalReason, Subject
from mailbot.core.policy import Policy
from mailbot.core.request import Capacity, Kind
from mailbot.core.result import told_as_gone
from mailbot.core.workflow import State
from mailbot.doubts import doubts_about
from mailbot.store.database import Transaction
from mailbot.store.tables import Case
from mailbot.targets import Prepared, Target


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

    @property
    def is_to_mend(self) -> bool:
        """A value is such that only the person can mend it. A field that the platform does not have is for staff:
        no other value would help."""
        return any(refusal.reason == RefusalReason.INVALID for refusal in self.refusals)


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


def confirmation_of(tx: Transaction, policy: Policy, case: Case, prepared: Prepared) -> Confirmation:
    """What was prepared, as far as whoever controls its address may see it."""
    views = tuple(_view(tx, policy, case, prepared, target) for target in prepared.targets)
    mark = _mark(tx, prepared, views)
    return Confirmation(case.reference, case.language, prepared.address, views, open=True, mark=mark)


def _view(tx: Transaction, policy: Policy, case: Case, prepared: Prepared, target: Target) -> RequestView:
    """What may be shown to whoever has the token: nothing of a person whose address on file is another."""
    subject, capacity = target.subject, Capacity(target.request.capacity)
    if subject is None or normalise(subject.asked_at(capacity)) != normalise(prepared.address):
        return _for_stranger(target, prepared.address)
    needs_staff = bool(doubts_about(tx, policy, case, target, prepared.now))
    return _for_owner(target, subject, needs_staff=needs_staff)


def _for_stranger(target: Target, address: str) -> RequestView:
    request = target.request
    capacity, fields = Capacity(request.capacity), _fields_of_stranger(target, address)
    return RequestView(request.id, Kind(request.kind), capacity, State(request.state), fields)


def _for_owner(target: Target, subject: Subject, *, needs_staff: bool) -> RequestView:
    request, plan = target.request, target.plan
    is_host = request.capacity == Capacity.HOST
    return RequestView(
        request.id,
        Kind(request.kind),
        Capacity.HOST if is_host else subject.capacity,
        State(request.state),
        fields=_fields(target, {field.name: field for field in target.fields}),
        goes=told_as_gone(plan) if plan else (),
        stays=tuple(step for step in plan.kept if step.rows) if plan else (),
        refusals=_told(plan),
        host=subject.host.name if subject.host else None,
        visitor=subject.address if is_host else None,
        subject_shown=True,
        needs_staff=needs_staff,
    )


def _fields(target: Target, stored: Mapping[str, FieldView]) -> tuple[FieldAsked, ...]:
    """The fields of a correction: the asked ones, and where none was understood every one that can be changed."""
    if target.request.kind != Kind.CORRECTION:
        return ()
    asked = {change.field: change.new for change in target.asked.fields}
    names = list(asked) or [name for name, field in stored.items() if field.changeable]
    return tuple(_field(name, asked.get(name, ""), stored.get(name)) for name in names)


def _field(name: str, asked: str, stored: FieldView | None) -> FieldAsked:
    return (
        FieldAsked(name, stored.value, asked, stored.changeable) if stored else FieldAsked(name, None, asked)
    )


def _fields_of_stranger(target: Target, address: str) -> tuple[FieldAsked, ...]:
    """The new address of a correction is shown itself only: whoever reads there may be a stranger."""
    fields, wanted = _fields(target, {}), new_address(target.asked)
    if wanted is None or normalise(wanted) != normalise(address):
        return fields
    return tuple(replace(one, changeable=False) for one in fields if one.name == "email")


def _told(plan: Plan | None) -> tuple[Refusal, ...]:
    """What the person is told. That another account holds a value is not: staff look at it."""
    return tuple(one for one in plan.refusals if one.reason != RefusalReason.TAKEN) if plan else ()


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
