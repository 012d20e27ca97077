"""A kind acts alone only where enough mails show that it is read rightly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.threshold import Point, lower_bound, mails_needed, threshold

POINTS = st.lists(st.builds(Point, st.floats(0, 1), st.booleans()), max_size=60)


@pytest.mark.parametrize(
    ("right", "of", "bound"), [(0, 0, 0.0), (10, 10, 0.722), (95, 100, 0.888), (0, 5, 0.0)]
)
def test_the_bound_is_wilsons(right: int, of: int, bound: float) -> None:
    assert lower_bound(right, of) == pytest.approx(bound, abs=0.001)


@pytest.mark.parametrize("precision", [0.7, 0.9, 0.95, 0.99])
def test_so_many_mails_without_a_mistake_are_enough_and_one_less_is_not(precision: float) -> None:
    needed = mails_needed(precision)
    assert threshold([Point(0.9, True)] * needed, precision) == 0.9
    assert threshold([Point(0.9, True)] * (needed - 1), precision) is None


def test_mistakes_below_the_threshold_do_not_count_and_above_it_do() -> None:
    sure, unsure = [Point(0.9, True)] * 40, [Point(0.5, False)] * 20
    assert threshold([*sure, *unsure], 0.9) == 0.9
    assert threshold([*sure, *([Point(0.95, False)] * 20)], 0.9) is None


@given(POINTS, st.floats(0.5, 0.99))
def test_from_the_threshold_on_the_readings_reach_the_precision(
    points: list[Point], precision: float
) -> None:
    found = threshold(points, precision)
    if found is not None:
        acted = [point for point in points if point.confidence >= found]
        assert lower_bound(sum(point.is_right for point in acted), len(acted)) >= precision
