"""The legal clock: Regulation 1182/71 in the controller's country, and the follow-ups of a case."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.deadlines import (
    PublicHoliday,
    StaffWarning,
    Weekend,
    extended,
    known_country,
    legal_deadline,
    next_staff_warning,
    public_holidays,
    received_on,
)

EU_COUNTRIES = [
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
    *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
]
ASKED_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 3, 2), date(2026, 4, 2)),  # a plain Thursday
        (date(2026, 1, 31), date(2026, 3, 2)),  # 28 February is a Saturday
        (date(2027, 1, 31), date(2027, 3, 1)),  # 28 February 2027 is a Sunday
        (date(2028, 1, 31), date(2028, 2, 29)),  # leap year, a Tuesday
        (date(2025, 1, 31), date(2025, 2, 28)),  # a Friday
        (date(2026, 3, 31), date(2026, 4, 30)),
        (date(2026, 12, 31), date(2027, 2, 1)),  # 31 January 2027 is a Sunday
        (date(2026, 11, 24), date(2026, 12, 28)),  # 24, 25, 26 December, then a Sunday
        (date(2026, 3, 5), date(2026, 4, 7)),  # Easter Sunday and Monday
        (date(2026, 1, 16), date(2026, 2, 17)),  # 16 February, Lithuania's own
        (date(2026, 5, 24), date(2026, 6, 25)),  # Saint John's
    ],
)
def test_due_in_lithuania(received: date, due: date) -> None:
    """The due day is the same date a month later, or the next working day in Lithuania."""
    assert legal_deadline(received, "LT").due == due


def test_the_country_decides_which_days_are_holidays() -> None:
    """16 February is a working Monday in France, a holiday in Lithuania."""
    assert legal_deadline(date(2026, 1, 16), "FR").due == date(2026, 2, 16)


def test_every_step_is_kept_as_data() -> None:
    """The reason of a date names each day passed over, with the holiday's name."""
    deadline = legal_deadline(date(2026, 11, 24), "LT")
    assert deadline.counted == date(2026, 12, 24)
    assert deadline.moves == (
        PublicHoliday(date(2026, 12, 24), "Christmas Eve"),
        PublicHoliday(date(2026, 12, 25), "Christmas Day"),
        PublicHoliday(date(2026, 12, 26), "Second Day of Christmas"),
        Weekend(date(2026, 12, 27)),
    )


def test_staff_read_the_reason_in_english() -> None:
    """The reason is one sentence, whole in itself."""
    assert str(legal_deadline(date(2026, 1, 31), "LT")) == (
        "1 month after receipt on 2026-01-31 is 2026-02-28 (the last day of that month); "
        "Saturday 2026-02-28 is not a working day; Sunday 2026-03-01 is not a working day; "
        "so it is due on the next working day, Monday 2026-03-02"
    )


def test_new_holidays_move_a_date_when_it_is_computed_again() -> None:
    """A holiday declared later gives another deadline, so a change is seen by comparing."""
    before = legal_deadline(date(2026, 3, 2), "LT")
    calendar = {**public_holidays("LT", 2026), date(2026, 4, 2): "Day of Mourning"}
    after = legal_deadline(before.received, before.country, before.months, calendar)
    assert (before.due, after.due) == (date(2026, 4, 2), date(2026, 4, 3))
    assert before != after
    assert legal_deadline(before.received, before.country) == before


def test_an_extension_counts_three_months_from_receipt_and_is_told_in_the_first() -> None:
    """Two further months after the first; the person hears of it before the first one ends."""
    extension = extended(date(2026, 1, 31), "LT")
    assert extension.tell_by == date(2026, 3, 2)
    assert extension.deadline.due == date(2026, 4, 30)
    assert extension.deadline.months == 3


@pytest.mark.parametrize("country", EU_COUNTRIES)
def test_every_country_of_the_union_is_known(country: str) -> None:
    """A controller may sit in any member state; New Year is never a due day, names are English."""
    assert known_country(country)
    assert legal_deadline(date(2025, 12, 1), country).due > date(2026, 1, 1)
    assert all(name.isprintable() and name for name in public_holidays(country, 2026).values())


def test_an_unknown_country_is_refused_by_name() -> None:
    """A misspelt country never silently counts without holidays."""
    assert not known_country("XX")
    with pytest.raises(ValueError, match="'XX'"):
        legal_deadline(date(2026, 1, 1), "XX")


@given(received=st.dates(date(2020, 1, 1), date(2035, 12, 31)), country=st.sampled_from(EU_COUNTRIES))
def test_a_deadline_is_always_a_working_day(received: date, country: str) -> None:
    """Never on a weekend or holiday, never before the counted day, and at most ten days after it."""
    deadline = legal_deadline(received, country)
    assert deadline.due.isoweekday() <= 5
    assert deadline.due not in public_holidays(country, deadline.due.year)
    assert deadline.due - deadline.counted == timedelta(days=len(deadline.moves))
    assert len(deadline.moves) <= 10
    assert 28 <= (deadline.counted - received).days <= 31


def test_the_day_of_receipt_is_the_controllers() -> None:
    """23:30 UTC is already tomorrow in Vilnius."""
    instant = datetime(2026, 1, 30, 23, 30, tzinfo=UTC)
    assert received_on(instant, ZoneInfo("Europe/Vilnius")) == date(2026, 1, 31)
    assert received_on(instant, UTC) == date(2026, 1, 30)


def test_a_naive_instant_has_no_day() -> None:
    """An instant without a zone is refused, not guessed."""
    with pytest.raises(ValueError, match="time zone"):
        received_on(datetime(2026, 1, 30, 23, 30), UTC)


@pytest.mark.parametrize(
    ("sent", "today", "expected"),
    [
        (0, date(2026, 3, 20), StaffWarning(10, date(2026, 3, 23), 1)),
        (1, date(2026, 3, 23), StaffWarning(5, date(2026, 3, 28), 2)),
        (2, date(2026, 3, 28), StaffWarning(1, date(2026, 4, 1), 3)),
        (0, date(2026, 4, 1), StaffWarning(1, date(2026, 4, 1), 3)),
        (3, date(2026, 4, 1), StaffWarning(-1, date(2026, 4, 3), 4)),
        (0, date(2026, 5, 1), StaffWarning(-1, date(2026, 4, 3), 4)),
        (4, date(2026, 5, 1), None),
    ],
)
def test_staff_warnings(sent: int, today: date, expected: StaffWarning | None) -> None:
    """Staff are warned 10, 5 and 1 days before, then once when it is late."""
    assert next_staff_warning(date(2026, 4, 2), sent, today, (10, 5, 1)) == expected
