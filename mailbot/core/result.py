"""What came of a request, as it is kept with it and told in letters and pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from mailbot.core.plan import Action, Plan, PlannedStep

_BLANKED = (Action.NULL, Action.ANONYMISE)


@dataclass(frozen=True, slots=True)
class Changed:
    """One field, before and after."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Gone:
    """So many of a kind of thing were deleted."""

    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays, on what ground, until when."""

    what: str
    ground: str
    until: date | None


@dataclass(frozen=True, slots=True)
class EventRef:
    """A webinar at which a visitor left data."""

    title: str
    held_on: date


@dataclass(frozen=True, slots=True)
class Tried:
    """An approved change that ended with staff: `shown` may have been carried out under `key`, wholly or in part."""

    key: str
    shown: Plan


@dataclass(frozen=True, slots=True)
class Result:
    """Empty before anything was shown. `shown` is the plan the person agreed to."""

    shown: Plan | None = None
    changes: tuple[Changed, ...] = ()
    gone: tuple[Gone, ...] = ()
    kept: tuple[Kept, ...] = ()
    events: tuple[EventRef, ...] = ()
    old_address: str | None = None
    new_address_proven: bool = False
    rows: int = 0
    files: int = 0
    proven: str | None = None
    """The address that showed control while the platform was down."""
    approved_by: str = ""
    """The first of two members of staff who must both approve what was shown."""
    note: str = ""
    """What a host or a member of staff wrote when they decided; for staff only."""
    tried: tuple[Tried, ...] = ()
    """Oldest first; what they did counts when the same change is approved again."""


def told_as_gone(plan: Plan) -> tuple[PlannedStep, ...]:
    """The steps of `plan` that are told to people as removal. Rows that only lose their link to the person are
    told among what is kept, and files by the rows that name them."""
    kept = {step.place for step in plan.kept if step.rows}
    tables = {step.place for step in plan.steps if step.rows}
    return tuple(
        step
        for step in plan.steps
        if step.rows
        and (step.action == Action.DELETE or (step.action in _BLANKED and step.place not in kept))
        and not (step.place.startswith("files:") and _table_of(step.place) in tables)
    )


def gone_of(plan: Plan) -> tuple[Gone, ...]:
    """What `plan` removes, place by place."""
    return tuple(Gone(step.place, step.rows) for step in told_as_gone(plan))


def _table_of(place: str) -> str:
    return place.removeprefix("files:").partition(".")[0]


def kept_of(plan: Plan) -> tuple[Kept, ...]:
    """What `plan` keeps."""
    return tuple(Kept(step.place, step.why, step.until) for step in plan.kept if step.rows)
