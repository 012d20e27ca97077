"""From what confidence on a kind may be acted on without staff: as little as the evidence allows, never less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

SURENESS = 1.96
"""Standard deviations of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class Point:
    """One time that mailbot read a kind into a mail: how sure it was, and whether staff read it so, too."""

    confidence: float
    is_right: bool


def lower_bound(right: int, of: int) -> float:
    """The share that is reached with 97.5 % probability when `right` of so many were right.

    Source: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927)."""
    if not of:
        return 0.0
    share, square = right / of, SURENESS**2
    spread = SURENESS * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, (share + square / (2 * of) - spread) / (1 + square / of))


def mails_needed(precision: float) -> int:
    """How many mails, all of them read rightly, show this precision."""
    return ceil(precision * SURENESS**2 / (1 - precision))


def threshold(points: Sequence[Point], precision: float) -> float | None:
    """The lowest confidence from which on all readings together are right with this precision, as `lower_bound`
    sees it; None where no confidence is high enough, or the mails are too few to know."""
    ordered = sorted(points, key=lambda point: -point.confidence)
    right, found = 0, None
    for number, point in enumerate(ordered, 1):
        right += point.is_right
        is_last = number == len(ordered) or ordered[number].confidence < point.confidence
        if is_last and lower_bound(right, number) >= precision:
            found = point.confidence
    return found
