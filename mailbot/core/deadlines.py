"""The legal clock of a case, and when to warn staff of it.

Source: GDPR Art. 12(3) (one month from receipt, extendable by two further months, told within the
first month), counted by Regulation (EEC, Euratom) 1182/71 Art. 2(2) and 3(2)(c), 3(4).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from holidays import country_holidays
from holidays.utils import list_supported_countries

ANSWER_MONTHS = 1
EXTENSION_MONTHS = 2

Calendar = Mapping[date, str]
"""Public holidays by day, with their English names."""


@dataclass(frozen=True, slots=True)
class Weekend:
    """`day` is a Saturday or Sunday, so a period does not end on it."""

    day: date

    def __str__(self) -> str:
        return f"{self.day:%A} {self.day} is not a working day"


@dataclass(frozen=True, slots=True)
class PublicHoliday:
    """`day` is the public holiday `name`, so a period does not end on it."""

    day: date
    name: str

    def __str__(self) -> str:
        return f"{self.day:%A} {self.day} is a public holiday ({self.name})"


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day on which an answer is in time, and every step that led to it.

    `counted` is the day reached by counting months alone; `moves` are the days passed over from
    there, in order. All days are local days of the controller. Two deadlines compare equal exactly
    when they were reached in the same way: recompute and compare after public holidays changed.
    """

    due: date
    received: date
    months: int
    country: str
    counted: date
    moves: tuple[Weekend | PublicHoliday, ...]

    @property
    def shortened(self) -> bool:
        """The last month has no such day (31 January), so its last day was taken."""
        return self.counted.day != self.received.day

    def __str__(self) -> str:
        return explained(self)


@dataclass(frozen=True, slots=True)
class Extension:
    """The deadline after two further months; the person must be told why by `tell_by`."""

    deadline: Deadline
    tell_by: date


def received_on(received_at: datetime, timezone: tzinfo) -> date:
    """The controller's local day on which a mail arrived, from an aware instant (stored as UTC).

    Raises ValueError for a naive instant, whose day nobody can know.
    """
    if received_at.tzinfo is None:
        raise ValueError("the instant of receipt has no time zone")
    return received_at.astimezone(timezone).date()


def legal_deadline(
    received: date, country: str, months: int = ANSWER_MONTHS, holidays: Calendar | None = None
) -> Deadline:
    """The day on which the answer is due. `holidays` replaces the published ones of `country`
    (ISO 3166-1 alpha-2). Raises ValueError when nobody publishes holidays for that country.

    Source: Regulation 1182/71 Art. 3(2)(c) and 3(4).
    """
    counted = _same_day_months_later(received, months)
    due, moves = counted, list[Weekend | PublicHoliday]()
    while (obstacle := _not_a_working_day(due, country, holidays)) is not None:
        moves.append(obstacle)
        due += timedelta(days=1)
    return Deadline(due, received, months, country, counted, tuple(moves))


def extended(received: date, country: str, holidays: Calendar | None = None) -> Extension:
    """The deadline with two further months, counted from receipt (the careful reading of GDPR
    Art. 12(3): a first month that ended late does not lengthen the whole), and by when to say so."""
    first = legal_deadline(received, country, ANSWER_MONTHS, holidays)
    return Extension(legal_deadline(received, country, ANSWER_MONTHS + EXTENSION_MONTHS, holidays), first.due)


def explained(deadline: Deadline) -> str:
    """Why this date, in English for staff; the letters have their own sentences."""
    unit = "month" if deadline.months == 1 else "months"
    words = f"{deadline.months} {unit} after receipt on {deadline.received} is {deadline.counted}"
    if deadline.shortened:
        words += " (the last day of that month)"
    steps = [words, *(str(move) for move in deadline.moves)]
    if deadline.moves:
        steps.append(f"so it is due on the next working day, {deadline.due:%A} {deadline.due}")
    return "; ".join(steps)


def known_country(country: str) -> bool:
    """Public holidays are published for `country`; configuration is checked with this."""
    return country in list_supported_countries()


@lru_cache(maxsize=256)
def public_holidays(country: str, year: int) -> Calendar:
    """Public holidays of the whole of `country` in `year`, with English names where there are any.

    The language is named because the package otherwise asks the environment for it.
    """
    if not known_country(country):
        raise ValueError(f"no public holidays are known for country {country!r}")
    return MappingProxyType(dict(country_holidays(country, years=year, language="en_US")))


def _same_day_months_later(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _not_a_working_day(day: date, country: str, holidays: Calendar | None) -> Weekend | PublicHoliday | None:
    calendar = public_holidays(country, day.year) if holidays is None else holidays
    if (name := calendar.get(day)) is not None:
        return PublicHoliday(day, name)
    return Weekend(day) if day.isoweekday() >= 6 else None


class StaffWarning(NamedTuple):
    """Warn staff on the local day `when`. `days_before_due` is -1 for the escalation when it is late.
    `number` is to be stored as the count of warnings sent."""

    days_before_due: int
    when: date
    number: int


def next_staff_warning(
    due: date, warnings_sent: int, today: date, days_before_due: tuple[int, ...]
) -> StaffWarning | None:
    """The next warning about an open case due on `due`; None once even the escalation was sent.
    `days_before_due` descend (rules/policy.toml).

    Warnings missed while nothing ran are merged into the latest one.
    """
    days = (*days_before_due, -1)
    planned = [due - timedelta(days=before) for before in days]
    number = max(warnings_sent + 1, sum(when <= today for when in planned))
    if warnings_sent >= len(planned):
        return None
    return StaffWarning(days[number - 1], planned[number - 1], number)
