"""A planned change made on the platform, with what earlier approvals of the same change have done of it.

A change whose proof failed ends with staff. When they approve it again, what it did then is not there to be done any
more: the platform, asked with the earlier keys, says that it was us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from mailbot.core.plan import Applied, NothingChanged, Plan, PlanGrew, remembering
from mailbot.core.result import Tried
from mailbot.platform.interface import Platform


@dataclass(frozen=True, slots=True)
class Made:
    """A change that was made: as it was shown, with all that read-back needs, and what was done in all."""

    shown: Plan
    applied: Applied
    reason: str = "read back"


def make(platform: Platform, shown: Plan, key: str, tried: Sequence[Tried]) -> Made:
    """The change is made once for `key`; what was done under the keys of `tried` counts where it was the same change.

    Raises PlatformTrouble: NothingChanged when what had been shown is gone and it was not us.
    """
    now = _now(platform, shown, key)
    before = [
        (one.shown, done)
        for one in tried
        if one.shown.change == shown.change and (done := _before(platform, one)) is not None
    ]
    if now is None and not before:
        raise NothingChanged
    if now is not None and (now.refusals or not before):
        return Made(shown, now)
    return _together(shown, now or Applied(0, 0), before)


def _now(platform: Platform, shown: Plan, key: str) -> Applied | None:
    """None: nothing of what was shown is there any more."""
    try:
        return platform.apply(shown, key)
    except NothingChanged:
        return None


def _before(platform: Platform, tried: Tried) -> Applied | None:
    """What was done under an earlier key, finished now where it was left open; None when nothing was."""
    try:
        done = platform.apply(tried.shown, tried.key)
    except (NothingChanged, PlanGrew):
        return None
    return done if done.rows or done.files else None


def _together(shown: Plan, now: Applied, before: Sequence[tuple[Plan, Applied]]) -> Made:
    """The first plan that was carried out is what is told, with all that was done for it since."""
    plans = [plan for plan, _ in before]
    whole = reduce(remembering, [*plans[1:], shown], plans[0])
    rows = now.rows + sum(done.rows for _, done in before)
    files = now.files + sum(done.files for _, done in before)
    return Made(whole, Applied(rows, files, again=True), "read back; made when it was approved before")
