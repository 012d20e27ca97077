"""Plans are compared rightly, and come back from storage as they went."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from pydantic import TypeAdapter

from mailbot.core.plan import (
    Action,
    Anchor,
    Change,
    Correction,
    Deletion,
    FieldStep,
    HostMode,
    HostRef,
    Plan,
    PlannedStep,
    Refusal,
    RefusalReason,
    Resubscribe,
    Subject,
    Unsubscribe,
    grown,
)
from mailbot.core.request import Capacity, FieldChange

HUGO = HostRef("accounts:1", "hugo@example.com", "Hugo", HostMode.ASK, "fr")
VERA = Subject(
    Capacity.VISITOR, "r:1", "vera@example.net", "Vera", None, HUGO, datetime(2026, 1, 2, tzinfo=UTC)
)
STEP = PlannedStep("uploads", Action.DELETE, 3, digest="abc")
KEPT = PlannedStep("payments", Action.KEEP, 2, why="law", until=date(2036, 1, 1))
PLAN = Plan(Deletion(VERA), (STEP, KEPT), "f", vetoes=("many_visitors: 300 rows",))


@pytest.mark.parametrize(
    "change",
    [Deletion(VERA), Correction(VERA, (FieldChange("name", None, "V"),)), Correction(VERA, ()),
     Unsubscribe("vera@example.net"), Resubscribe("vera@example.net")],
)  # fmt: skip
def test_a_stored_plan_is_read_as_the_same_again(change: Change) -> None:
    plan = Plan(
        change,
        (replace(STEP, fields=(FieldStep("name", None, "V"),)), KEPT),
        "f",
        refusals=(Refusal("email", RefusalReason.TAKEN),),
        identifiers=("vera@example.net",),
        anchors=(Anchor("t", "c", ("1",)),),
        files=("a/b",),
    )
    adapter = TypeAdapter(Plan)
    assert adapter.validate_json(adapter.dump_json(plan)) == plan


def test_rows_counts_what_changes_and_not_what_stays_or_files() -> None:
    files = PlannedStep("files:uploads.path", Action.DELETE, 7)
    assert replace(PLAN, steps=(STEP, KEPT, files)).rows == 3


@pytest.mark.parametrize(
    ("step", "places"),
    [
        (STEP, ()),
        (replace(STEP, rows=2, digest="other"), ()),
        (replace(STEP, rows=4), ("uploads",)),
        (replace(STEP, digest="other"), ("uploads",)),
        (replace(STEP, rows=9, may_grow=True), ()),
        (replace(STEP, place="webinars"), ("webinars",)),
        (replace(STEP, action=Action.UPDATE), ("uploads",)),
        (replace(KEPT, rows=9), ()),
    ],
)
def test_more_or_other_than_shown_is_growth_and_less_is_not(
    step: PlannedStep, places: tuple[str, ...]
) -> None:
    assert grown(PLAN, replace(PLAN, steps=(step,))) == places


def test_a_new_reason_to_look_is_growth_but_the_same_with_another_number_is_not() -> None:
    assert grown(PLAN, replace(PLAN, vetoes=("many_visitors: 301 rows",))) == ()
    assert grown(PLAN, replace(PLAN, vetoes=("future_events: 1",))) == ("future_events",)


def test_nothing_personal_is_in_the_text_form_of_a_plan() -> None:
    step = replace(STEP, fields=(FieldStep("name", "Secret Old", "Secret New"),))
    for change in (Deletion(VERA), Unsubscribe(VERA.address), Resubscribe(VERA.address)):
        shown = repr(
            replace(PLAN, change=change, steps=(step,), identifiers=(VERA.address,), files=("vera.pdf",))
        )
        assert not [word for word in ("vera", "Vera", "hugo", "Hugo", "Secret") if word in shown]
