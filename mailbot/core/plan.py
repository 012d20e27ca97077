"""What would be changed, what was changed, and what is left: the words between the platform and the rest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from mailbot.core.request import Capacity, FieldChange, Kind


class HostMode(StrEnum):
    """What a host wants when a visitor asks: be told afterwards, or decide first."""

    INFORM = "inform"
    ASK = "ask"


class Action(StrEnum):
    """What one step of a plan does with its rows or files."""

    DELETE = "delete"
    NULL = "null"
    ANONYMISE = "anonymise"
    UPDATE = "update"
    ADD = "add"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class HostRef:
    """The account user at whose events a visitor left data."""

    key: str
    address: str = field(repr=False)
    name: str = field(repr=False)
    mode: HostMode
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One person as the platform knows them, in one capacity; a visitor is one subject for each host.

    `key` is opaque and holds no personal data. `address` is the address on file, as written there: proof is
    asked of it, whatever address the person was found by. `address_changed_at` is UTC. Here as everywhere
    below, what is personal stays out of `repr`, and so out of logs and tracebacks.
    """

    capacity: Capacity
    key: str
    address: str = field(repr=False)
    name: str = field(repr=False)
    language: str | None
    host: HostRef | None
    address_changed_at: datetime | None = None

    def asked_at(self, capacity: Capacity) -> str:
        """The address that must prove control when somebody asks in `capacity`: a host about their visitor does."""
        return self.host.address if capacity == Capacity.HOST and self.host else self.address


@dataclass(frozen=True, slots=True)
class Deletion:
    """Erase this person in this capacity (Art. 17 GDPR)."""

    subject: Subject
    type: Literal["deletion"] = "deletion"


@dataclass(frozen=True, slots=True)
class Correction:
    """Give these fields these values (Art. 16 GDPR). What is replaced is what the platform holds now;
    `FieldChange.old` is only what the person believed it to be."""

    subject: Subject
    fields: tuple[FieldChange, ...] = field(repr=False)
    type: Literal["correction"] = "correction"


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """No more promotional mail to this address (Art. 21(2)-(3) GDPR)."""

    address: str = field(repr=False)
    type: Literal["unsubscribe"] = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Resubscribe:
    """The person takes an unsubscription back."""

    address: str = field(repr=False)
    type: Literal["resubscribe"] = "resubscribe"


@dataclass(frozen=True, slots=True)
class Flagging:
    """This person's data may not be used (Art. 18 GDPR), or not for what they object to (Art. 21(1)); with `on`
    false it may again. Written where the platform has a column that says so."""

    subject: Subject
    kind: Literal[Kind.RESTRICTION, Kind.OBJECTION]
    on: bool = True
    type: Literal["flagging"] = "flagging"


Change = Deletion | Correction | Unsubscribe | Resubscribe | Flagging
"""Each carries its type, so that a change that was stored is read as the same again."""


@dataclass(frozen=True, slots=True)
class FieldStep:
    """One column of an update: present value (several different ones joined by "; ") and the new one."""

    column: str
    old: str | None = field(repr=False)
    new: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """What happens in one place. `place` is a table, or "files:table.column" for the files a column names,
    "files:table.path" for those whose path its rows fill in; these are counted version by version, with their `bytes`.

    `why` says on what ground something is kept, `until` how long. `digest` is a hash of the rows touched
    (and of their present values for updates). In a place that `may_grow` (visit log, sessions) rows that
    came since the plan was shown are no reason to stop.
    """

    place: str
    action: Action
    rows: int
    fields: tuple[FieldStep, ...] = ()
    why: str = ""
    until: date | None = None
    digest: str = ""
    may_grow: bool = False
    bytes: int = 0


class RefusalReason(StrEnum):
    """Why a correction cannot be made as asked."""

    TAKEN = "taken"
    """Another account holds the value. Telling this to a stranger tells them that the account exists."""
    INVALID = "invalid"
    NOT_CHANGEABLE = "not_changeable"
    UNKNOWN_FIELD = "unknown_field"
    NOTHING_ON_FILE = "nothing_on_file"
    """The field lives in a record that this person does not have (say, a company)."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One field of a correction that is not changed, and why."""

    field: str
    reason: RefusalReason


@dataclass(frozen=True, slots=True)
class Anchor:
    """Values of a link column that led to the person's rows; by them read-back looks for leftovers once the
    rows in between are gone."""

    table: str
    column: str
    values: tuple[str, ...] = field(repr=False)
    place: str = ""
    """The place of the map, where that has another name than its table."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The exact changes that `change` makes, as the platform stands now.

    `vetoes` are reasons why staff must look first, each "id: sentence". `identifiers`, `anchors` and `files`
    (relative to the files root) are what read-back needs: personal data, to be stored only encrypted.
    """

    change: Change
    steps: tuple[PlannedStep, ...]
    fingerprint: str
    vetoes: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    identifiers: tuple[str, ...] = field(default=(), repr=False)
    anchors: tuple[Anchor, ...] = field(default=(), repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)
    limits: tuple[str, ...] = ()
    """The ids of those vetoes that need two members of staff: so much goes with this one person."""

    @property
    def rows(self) -> int:
        """How many rows would be changed or removed; kept ones and files do not count."""
        return sum(step.rows for step in self.steps if changes_rows(step))

    @property
    def kept(self) -> tuple[PlannedStep, ...]:
        """What stays, each with its ground."""
        return tuple(step for step in self.steps if step.action is Action.KEEP)


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` did. With `again` the same key had been applied before and only what was left open was
    finished. With `refusals` nothing was changed: what was possible when shown is not any more."""

    rows: int
    files: int
    again: bool = False
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that should not be there any more: where and how often, never the value."""

    place: str
    column: str
    count: int


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Whether the platform now is as the change wants it. `findings` are in places of the data map, `unmapped`
    in text columns that it does not name; `unsearched` are tables that could not be searched, each with why."""

    ok: bool
    findings: tuple[Finding, ...] = ()
    unmapped: tuple[Finding, ...] = ()
    unsearched: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """What staff are told: places and counts, never a value."""
        parts = {
            "read-back found leftovers in": _listed(self.findings),
            "read-back found the address in columns that the data map does not name:": _listed(self.unmapped),
            "read-back could not search": ", ".join(self.unsearched),
        }
        return "; ".join(f"{what} {where}" for what, where in parts.items() if where)


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field of a person with its present value. `label_key` names the label in the catalogues."""

    name: str
    value: str | None = field(repr=False)
    changeable: bool
    label_key: str


class PlatformTrouble(Exception):
    """The platform could not do it: `later` says whether trying again may help, `after_seconds` how long it wants
    to be left alone. Holds no personal data."""

    def __init__(self, message: str, *, later: bool, after_seconds: float = 0) -> None:
        super().__init__(message)
        self.later = later
        self.after_seconds = after_seconds


class PlanGrew(PlatformTrouble):
    """The change would touch more than was shown; nothing was changed. `places` names where."""

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__(f"would touch more than was shown: {', '.join(places)}", later=False)
        self.places = places


class NothingChanged(PlatformTrouble):
    """The plan had rows, the platform has none of them any more, and it was not us: staff must explain."""

    def __init__(self) -> None:
        super().__init__("the plan had rows to change, but none was found", later=False)


def _listed(findings: tuple[Finding, ...]) -> str:
    return ", ".join(f"{one.place}.{one.column} ({one.count})" for one in findings)


def changes_rows(step: PlannedStep) -> bool:
    """Whether the step changes rows of the database."""
    return step.action is not Action.KEEP and not step.place.startswith("files:")


def grown(shown: Plan, now: Plan) -> tuple[str, ...]:
    """The places where `now` goes beyond `shown`; empty when it does not. Less than shown is never growth."""
    before = {(step.place, step.action): step for step in shown.steps}
    places = [step.place for step in now.steps if _step_grew(before.get((step.place, step.action)), step)]
    known = {veto.partition(":")[0] for veto in shown.vetoes}
    reasons = [veto.partition(":")[0] for veto in now.vetoes]
    return (*places, *(reason for reason in reasons if reason not in known))


def remembering(now: Plan, earlier: Plan) -> Plan:
    """`now`, with what read-back needs of `earlier`: of rows that are gone, the platform can no longer say whose they
    were."""
    return replace(
        now,
        identifiers=tuple(dict.fromkeys((*earlier.identifiers, *now.identifiers))),
        anchors=tuple(dict.fromkeys((*earlier.anchors, *now.anchors))),
        files=tuple(dict.fromkeys((*earlier.files, *now.files))),
    )


def _step_grew(before: PlannedStep | None, now: PlannedStep) -> bool:
    if now.may_grow or now.action is Action.KEEP or now.rows == 0:
        return False
    if before is None or now.rows > before.rows:
        return True
    return now.rows == before.rows and now.digest != before.digest
