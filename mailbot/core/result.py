"""What came of a request, as it is kept with it and told in letters and pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from mailbot.core.plan import Action, Plan


_REMOVED = (Action.DELETE, Action.NULL, Action.ANONYMISE)


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


def gone_of(plan: Plan) -> tuple[Gone, ...]:
    """What `plan` removes, place by place. Rows that stay without their link to the person are told among
    what is kept; files are told by the rows that name them."""
    kept = {step.place for step in plan.kept if step.rows}
    counts: dict[str, int] = {}
    for step in plan.steps:
        if step.action in _REMOVED and step.rows and step.place not in kept:
            counts[_table_of(step.place)] = max(counts.get(_table_of(step.place), 0), step.rows)
    return tuple(Gone(place, count) for place, count in counts.items())


def _table_of(place: str) -> str:
    return place.removeprefix("files:").partition(".")[0]


def kept_of(plan: Plan) -> tuple[Kept, ...]:
    """What `plan` keeps."""
    return tuple(Kept(step.place, step.why, step.until) for step in plan.kept if step.rows)
