"""A walk over every (state, event) of the table, and over what the table calls for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.generate import FOLDER, workflow_page
from mailbot.core.workflow import (
    LEFT_OVER,
    OPEN_STATES,
    STAFF_STATES,
    Effect,
    Event,
    NoSuchStep,
    Patience,
    State,
    Step,
    next_follow_up,
    possible,
    step,
    transitions,
)

PRODUCT = Path(__file__).parents[2] / "mailbot"
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PAIRS = [(state, event) for state in State for event in Event]


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=lambda value: str(value))
def test_every_pair_is_a_step_or_an_error_that_names_both(state: State, event: Event) -> None:
    if possible(state, event):
        made = step(state, event)
        assert isinstance(made, Step)
        assert made.to in State
        assert all(effect in Effect for effect in made.effects)
    else:
        with pytest.raises(NoSuchStep, match=rf"{state}.*{event}"):
            step(state, event)


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
def test_every_open_state_can_be_left_for_one_that_closes_the_case(state: State) -> None:
    reached, waiting = set(), [state]
    while waiting:
        here = waiting.pop()
        for start, _, made in transitions():
            if start == here and made.to not in reached:
                reached.add(made.to)
                waiting.append(made.to)
    assert reached - OPEN_STATES


@pytest.mark.parametrize("state", sorted(set(State) - {State.RECEIVED}))
def test_every_state_is_reached_from_received(state: State) -> None:
    reached = {State.RECEIVED}
    for _ in State:
        reached |= {made.to for start, _, made in transitions() if start in reached}
    assert state in reached


def test_a_request_that_staff_must_look_at_is_open() -> None:
    assert STAFF_STATES <= OPEN_STATES


def test_staff_can_end_or_move_whatever_stands_in_their_queue() -> None:
    for state in LEFT_OVER:
        assert possible(state, Event.STAFF_APPROVED)
        assert possible(state, Event.STAFF_DISMISSED)
    for state in STAFF_STATES - LEFT_OVER:
        for event in (Event.STAFF_APPROVED, Event.STAFF_REFUSED, Event.STAFF_ANSWERED, Event.STAFF_DISMISSED):
            assert possible(state, event), (state, event)


@pytest.mark.parametrize("event", sorted(Event))
def test_no_event_is_dead(event: Event) -> None:
    """Each is in the table, and something in the program makes it happen."""
    assert any(event == one for _, one, _ in transitions())
    assert f"Event.{event.name}" in _program(), f"nothing makes {event} happen"


@pytest.mark.parametrize("effect", sorted(Effect))
def test_no_effect_is_dead(effect: Effect) -> None:
    """Each is called for by a step, and something in the program does it."""
    assert any(effect in made.effects for _, _, made in transitions())
    assert f"Effect.{effect.name}" in _program(), f"nothing does {effect}"


def test_applying_is_entered_with_work_that_applies() -> None:
    """Otherwise a request would stand in `applying` for ever."""
    for _, _, made in transitions():
        assert (made.to == State.APPLYING) == (Effect.APPLY in made.effects)


def test_nothing_is_applied_from_a_mail_alone_but_what_needs_no_proof() -> None:
    """`applying` is entered from a mail only by what policy gives to unsubscriptions, stopped or not; and without
    anybody by the sweeps of the data map."""
    entries = {(start, event) for start, event, made in transitions() if made.to == State.APPLYING}
    assert entries == {
        (State.RECEIVED, Event.UNDERSTOOD_TO_ACT),
        (State.AWAITING_SENDER, Event.UNDERSTOOD_TO_ACT),
        (State.RECEIVED, Event.UNDERSTOOD_WHILE_STOPPED),
        (State.AWAITING_SENDER, Event.UNDERSTOOD_WHILE_STOPPED),
        (State.RECEIVED, Event.SWEPT),
        (State.AWAITING_PROOF, Event.PROVEN),
        (State.AWAITING_PLATFORM, Event.PROVEN),
        (State.AWAITING_HOST, Event.HOST_AGREED),
        *(
            (state, Event.STAFF_APPROVED)
            for state in (*(STAFF_STATES - LEFT_OVER), State.AWAITING_INFO, State.AWAITING_HOST)
        ),
    }


def test_the_page_in_docs_is_the_one_made_from_the_table() -> None:
    assert (FOLDER / "workflow.md").read_text(encoding="utf-8") == workflow_page(), "run `make docs`"


def test_the_page_shows_every_step() -> None:
    page = workflow_page()
    for state, event, made in transitions():
        assert f"| `{state}` | `{event}` | `{made.to}` |" in page


@given(
    state=st.sampled_from(State),
    sent=st.integers(0, 3),
    waited=st.timedeltas(timedelta(0), timedelta(days=60)),
)
def test_what_waits_for_people_always_ends(state: State, sent: int, waited: timedelta) -> None:
    """A state that waits has a next follow-up whatever the clock says, and never two at one time."""
    coming = next_follow_up(state, MONDAY, sent, MONDAY + waited, Patience())
    if state in (State.AWAITING_PROOF, State.AWAITING_HOST, State.AWAITING_INFO, State.AWAITING_FETCH):
        assert coming is not None
        assert possible(state, coming.event), f"the clock's {coming.event} cannot happen in {state}"
    else:
        assert coming is None


@pytest.mark.parametrize(
    ("days", "sent", "event", "at_day"),
    [
        (0, 0, Event.REMINDER_DUE, 3),
        (3, 1, Event.REMINDER_DUE, 10),
        (10, 2, Event.TIME_RAN_OUT, 30),
        (12, 0, Event.REMINDER_DUE, 10),
        (31, 0, Event.TIME_RAN_OUT, 30),
    ],
)
def test_proof_is_asked_again_after_3_and_10_days_and_given_up_after_30(
    days: int, sent: int, event: Event, at_day: int
) -> None:
    """After 12 silent days of ours the two missed reminders are one; after 31 none is sent any more."""
    coming = next_follow_up(State.AWAITING_PROOF, MONDAY, sent, MONDAY + timedelta(days=days), Patience())
    assert coming is not None
    assert (coming.event, coming.at) == (event, MONDAY + timedelta(days=at_day))


def _program() -> str:
    files = (file for file in PRODUCT.rglob("*.py") if file.name != "workflow.py")
    return "\n".join(file.read_text(encoding="utf-8") for file in files)
