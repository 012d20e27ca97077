"""Whether somebody found after a restored backup is a person who was deleted before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailbot.core.plan import HostMode, HostRef, Subject
from mailbot.core.replay import Created, Erased, Verdict, judge
from mailbot.core.request import Capacity

GONE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BEFORE, AFTER = GONE - timedelta(days=9), GONE + timedelta(days=9)
HUGO = HostRef("accounts:7", "hugo@example.org", "Hugo", HostMode.INFORM)
ALICE = Subject(Capacity.USER, "accounts:1", "alice@example.org", "Alice", None, None)
VERA = Subject(Capacity.VISITOR, "registrations:host=7:first=40", "vera@example.org", "Vera", None, HUGO)


@pytest.mark.parametrize(
    ("subject", "scope", "created", "verdict"),
    [
        (ALICE, "accounts:1", Created(BEFORE, BEFORE), Verdict.DELETE),
        (ALICE, "accounts:1", Created(AFTER, AFTER), Verdict.REGISTERED_AGAIN),
        (ALICE, "accounts:1", None, Verdict.STAFF),
        (ALICE, "accounts:2", Created(BEFORE, BEFORE), Verdict.STAFF),
        (ALICE, "accounts:2", Created(AFTER, AFTER), Verdict.REGISTERED_AGAIN),
        (ALICE, "registrations:host=7:first=40", Created(BEFORE, BEFORE), None),
        (VERA, "registrations:host=7:first=3", Created(BEFORE, BEFORE), Verdict.DELETE),
        (VERA, "registrations:host=7:first=40", Created(BEFORE, AFTER), Verdict.STAFF),
        (VERA, "registrations:host=7:first=40", Created(AFTER, AFTER), Verdict.REGISTERED_AGAIN),
        (VERA, "registrations:host=8:first=40", Created(BEFORE, BEFORE), None),
        (VERA, "accounts:1", Created(BEFORE, BEFORE), None),
    ],
)
def test_only_who_was_deleted_there_and_did_not_come_back_is_deleted_again(
    subject: Subject, scope: str, created: Created | None, verdict: Verdict | None
) -> None:
    judged = judge(subject, created, [Erased(scope, GONE)])
    assert (judged.verdict if judged else None) == verdict


def test_who_was_deleted_twice_is_judged_by_the_last_time() -> None:
    twice = [Erased("accounts:1", BEFORE), Erased("accounts:1", AFTER)]
    judged = judge(ALICE, Created(GONE, GONE), twice)
    assert judged is not None
    assert (judged.verdict, judged.at) == (Verdict.DELETE, AFTER)
