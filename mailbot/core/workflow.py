"""The workflow of a request: one table (State, Event) -> Step. Nothing changes a state but this table.

The diagram in docs/workflow.md is generated from it; tests walk every pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """Where a request stands."""

    RECEIVED = "received"
    AWAITING_SENDER = "awaiting_sender"
    AWAITING_PROOF = "awaiting_proof"
    AWAITING_PLATFORM = "awaiting_platform"
    AWAITING_HOST = "awaiting_host"
    AWAITING_STAFF = "awaiting_staff"
    AWAITING_INFO = "awaiting_info"
    APPLYING = "applying"
    AWAITING_FETCH = "awaiting_fetch"
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNREACHABLE = "unreachable"
    DISMISSED = "dismissed"
    UNTOLD = "untold"
    """Done, but a recipient of the data could not be told of it (GDPR Art. 19)."""
    LIFTED = "lifted"
    """A restriction or objection that held, and ends after the notice (Art. 18(3) GDPR)."""
    NOT_UNDONE = "not_undone"
    """Taken back, but the platform could not be told of it."""


OPEN_STATES = frozenset(
    {
        State.RECEIVED,
        State.AWAITING_SENDER,
        State.AWAITING_PROOF,
        State.AWAITING_PLATFORM,
        State.AWAITING_HOST,
        State.AWAITING_STAFF,
        State.AWAITING_INFO,
        State.APPLYING,
        State.AWAITING_FETCH,
        State.UNREACHABLE,
        State.UNTOLD,
        State.NOT_UNDONE,
    }
)
"""A case is open while one of its requests is in one of these."""

LEFT_OVER = frozenset({State.UNTOLD, State.NOT_UNDONE})
"""What was asked is settled, something that follows from it is not: staff have it tried again, or see to it
themselves and close it."""

STAFF_STATES = frozenset({State.AWAITING_STAFF, State.UNREACHABLE, *LEFT_OVER})
"""What the staff queue shows."""


class Event(StrEnum):
    """What can happen to a request."""

    UNDERSTOOD_TO_ACT = "understood_to_act"
    UNDERSTOOD_WHILE_STOPPED = "understood_while_stopped"
    """To be done at once, as soon as staff let such changes be made again."""
    UNDERSTOOD_TO_CONFIRM = "understood_to_confirm"
    UNDERSTOOD_FOR_STAFF = "understood_for_staff"
    UNDERSTOOD_SUSPECT = "understood_suspect"
    UNDERSTOOD_ELSEWHERE = "understood_elsewhere"
    SENDER_UNKNOWN = "sender_unknown"
    ADDRESS_FOUND = "address_found"
    ASKED_AGAIN = "asked_again"
    PROVEN = "proven"
    PROVEN_HOST_DECIDES = "proven_host_decides"
    PROVEN_STAFF_DECIDES = "proven_staff_decides"
    PROVEN_OTHER_ADDRESS = "proven_other_address"
    PROVEN_NOTHING_FOUND = "proven_nothing_found"
    PROVEN_PLATFORM_DOWN = "proven_platform_down"
    SWEPT = "swept"
    CANCELLED = "cancelled"
    DENIED = "denied"
    UNCLEAR_ANSWER = "unclear_answer"
    PERSON_WROTE = "person_wrote"
    REMINDER_DUE = "reminder_due"
    TIME_RAN_OUT = "time_ran_out"
    BOUNCED = "bounced"
    HOST_AGREED = "host_agreed"
    HOST_REFUSED = "host_refused"
    APPLIED = "applied"
    EXPORT_READY = "export_ready"
    EXPORT_FETCHED = "export_fetched"
    FAILED = "failed"
    UNDONE = "undone"
    RECIPIENT_FAILED = "recipient_failed"
    STAFF_APPROVED = "staff_approved"
    STAFF_APPROVED_FIRST = "staff_approved_first"
    STAFF_ASKED_PROOF = "staff_asked_proof"
    STAFF_ASKED_INFO = "staff_asked_info"
    STAFF_REFUSED = "staff_refused"
    STAFF_ANSWERED = "staff_answered"
    STAFF_RECLASSIFIED = "staff_reclassified"
    STAFF_DISMISSED = "staff_dismissed"
    STAFF_LIFTED = "staff_lifted"


class Effect(StrEnum):
    """What a step calls for; saved as work or letters in the transaction that saves the state."""

    ASK_PROOF = "ask_proof"
    ASK_PROOF_ELSEWHERE = "ask_proof_elsewhere"
    SEEK = "seek"
    LOOK_AGAIN = "look_again"
    REMIND = "remind"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    APPLY = "apply"
    APPLY_UNDO = "apply_undo"
    TELL_AGAIN = "tell_again"
    ASK_HOST = "ask_host"
    REMIND_HOST = "remind_host"
    INFORM_HOST = "inform_host"
    TELL_RECEIVED = "tell_received"
    TELL_DONE = "tell_done"
    TELL_NOTHING_FOUND = "tell_nothing_found"
    TELL_EXPORT_READY = "tell_export_ready"
    TELL_WITHDRAWN = "tell_withdrawn"
    TELL_EXPIRED = "tell_expired"
    TELL_REFUSED = "tell_refused"
    TELL_RESUBSCRIBED = "tell_resubscribed"
    TELL_LIFTED = "tell_lifted"
    SEND_ANSWER = "send_answer"


LIFT_NOTICE = timedelta(days=3)
"""A person is told before a restriction ends (Art. 18(3) GDPR): so long before."""


@dataclass(frozen=True, slots=True)
class Step:
    """The state after, and what is to be done because of it, in order."""

    to: State
    effects: tuple[Effect, ...] = ()


class NoSuchStep(ValueError):
    """The event cannot happen in this state; the table says which can."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"a request in state {state} cannot take event {event}")
        self.state, self.event = state, event


S, E, F = State, Event, Effect

_STAFF_DECIDES: dict[Event, Step] = {
    E.STAFF_APPROVED: Step(S.APPLYING, (F.APPLY,)),
    E.STAFF_APPROVED_FIRST: Step(S.AWAITING_STAFF),
    E.STAFF_ASKED_PROOF: Step(S.AWAITING_PROOF, (F.ASK_PROOF,)),
    E.STAFF_ASKED_INFO: Step(S.AWAITING_INFO, (F.SEND_ANSWER,)),
    E.STAFF_REFUSED: Step(S.REFUSED, (F.TELL_REFUSED,)),
    E.STAFF_ANSWERED: Step(S.DONE, (F.SEND_ANSWER,)),
    E.STAFF_RECLASSIFIED: Step(S.RECEIVED),
    E.STAFF_DISMISSED: Step(S.DISMISSED),
    E.CANCELLED: Step(S.WITHDRAWN, (F.TELL_WITHDRAWN,)),
}

_TABLE: dict[State, dict[Event, Step]] = {
    S.RECEIVED: {
        E.UNDERSTOOD_TO_ACT: Step(S.APPLYING, (F.SUPPRESS, F.APPLY)),
        E.UNDERSTOOD_WHILE_STOPPED: Step(S.APPLYING, (F.SUPPRESS, F.APPLY, F.TELL_RECEIVED)),
        E.UNDERSTOOD_TO_CONFIRM: Step(S.AWAITING_PROOF, (F.ASK_PROOF,)),
        E.UNDERSTOOD_FOR_STAFF: Step(S.AWAITING_STAFF, (F.TELL_RECEIVED,)),
        E.UNDERSTOOD_SUSPECT: Step(S.AWAITING_STAFF),
        E.UNDERSTOOD_ELSEWHERE: Step(S.AWAITING_PROOF, (F.TELL_RECEIVED, F.SEEK)),
        E.SENDER_UNKNOWN: Step(S.AWAITING_SENDER, (F.TELL_RECEIVED,)),
        E.SWEPT: Step(S.APPLYING, (F.APPLY,)),
    },
    S.AWAITING_SENDER: {
        E.UNDERSTOOD_TO_ACT: Step(S.APPLYING, (F.SUPPRESS, F.APPLY)),
        E.UNDERSTOOD_WHILE_STOPPED: Step(S.APPLYING, (F.SUPPRESS, F.APPLY, F.TELL_RECEIVED)),
        E.UNDERSTOOD_TO_CONFIRM: Step(S.AWAITING_PROOF, (F.ASK_PROOF,)),
        E.UNDERSTOOD_FOR_STAFF: Step(S.AWAITING_STAFF),
        E.UNDERSTOOD_SUSPECT: Step(S.AWAITING_STAFF),
        E.PERSON_WROTE: Step(S.AWAITING_SENDER),
    },
    S.AWAITING_PROOF: {
        E.PROVEN: Step(S.APPLYING, (F.APPLY,)),
        E.PROVEN_HOST_DECIDES: Step(S.AWAITING_HOST, (F.ASK_HOST,)),
        E.PROVEN_STAFF_DECIDES: Step(S.AWAITING_STAFF, (F.TELL_RECEIVED,)),
        E.PROVEN_OTHER_ADDRESS: Step(S.AWAITING_PROOF, (F.ASK_PROOF_ELSEWHERE,)),
        E.PROVEN_NOTHING_FOUND: Step(S.DONE, (F.TELL_NOTHING_FOUND,)),
        E.PROVEN_PLATFORM_DOWN: Step(S.AWAITING_PLATFORM, (F.LOOK_AGAIN,)),
        E.ADDRESS_FOUND: Step(S.AWAITING_PROOF, (F.ASK_PROOF_ELSEWHERE,)),
        E.UNDERSTOOD_SUSPECT: Step(S.AWAITING_STAFF),
        E.ASKED_AGAIN: Step(S.AWAITING_PROOF, (F.ASK_PROOF,)),
        E.CANCELLED: Step(S.WITHDRAWN, (F.TELL_WITHDRAWN,)),
        E.DENIED: Step(S.AWAITING_STAFF),
        E.UNCLEAR_ANSWER: Step(S.AWAITING_STAFF, (F.TELL_RECEIVED,)),
        E.REMINDER_DUE: Step(S.AWAITING_PROOF, (F.REMIND,)),
        E.TIME_RAN_OUT: Step(S.EXPIRED, (F.TELL_EXPIRED,)),
        E.BOUNCED: Step(S.UNREACHABLE),
        E.STAFF_REFUSED: Step(S.REFUSED, (F.TELL_REFUSED,)),
        E.STAFF_DISMISSED: Step(S.DISMISSED),
    },
    S.AWAITING_PLATFORM: {
        E.PROVEN: Step(S.APPLYING, (F.APPLY,)),
        E.PROVEN_HOST_DECIDES: Step(S.AWAITING_HOST, (F.ASK_HOST,)),
        E.PROVEN_STAFF_DECIDES: Step(S.AWAITING_STAFF, (F.TELL_RECEIVED,)),
        E.PROVEN_OTHER_ADDRESS: Step(S.AWAITING_PROOF, (F.ASK_PROOF_ELSEWHERE,)),
        E.PROVEN_NOTHING_FOUND: Step(S.DONE, (F.TELL_NOTHING_FOUND,)),
        E.FAILED: Step(S.AWAITING_STAFF),
        E.CANCELLED: Step(S.WITHDRAWN, (F.TELL_WITHDRAWN,)),
        E.PERSON_WROTE: Step(S.AWAITING_PLATFORM),
        E.STAFF_REFUSED: Step(S.REFUSED, (F.TELL_REFUSED,)),
        E.STAFF_DISMISSED: Step(S.DISMISSED),
    },
    S.AWAITING_STAFF: {**_STAFF_DECIDES, E.PERSON_WROTE: Step(S.AWAITING_STAFF)},
    S.AWAITING_INFO: {
        **_STAFF_DECIDES,
        E.PERSON_WROTE: Step(S.AWAITING_STAFF),
        E.TIME_RAN_OUT: Step(S.AWAITING_STAFF),
        E.BOUNCED: Step(S.UNREACHABLE),
    },
    S.AWAITING_HOST: {
        E.HOST_AGREED: Step(S.APPLYING, (F.APPLY,)),
        E.HOST_REFUSED: Step(S.AWAITING_STAFF),
        E.REMINDER_DUE: Step(S.AWAITING_HOST, (F.REMIND_HOST,)),
        E.TIME_RAN_OUT: Step(S.AWAITING_STAFF),
        E.CANCELLED: Step(S.WITHDRAWN, (F.TELL_WITHDRAWN,)),
        E.BOUNCED: Step(S.AWAITING_STAFF),
        E.STAFF_APPROVED: Step(S.APPLYING, (F.APPLY,)),
        E.STAFF_REFUSED: Step(S.REFUSED, (F.TELL_REFUSED,)),
    },
    S.APPLYING: {
        E.APPLIED: Step(S.DONE, (F.TELL_DONE, F.INFORM_HOST)),
        E.EXPORT_READY: Step(S.AWAITING_FETCH, (F.TELL_EXPORT_READY,)),
        E.PROVEN_NOTHING_FOUND: Step(S.DONE, (F.TELL_NOTHING_FOUND,)),
        E.PROVEN_STAFF_DECIDES: Step(S.AWAITING_STAFF),
        E.FAILED: Step(S.AWAITING_STAFF),
        E.UNDONE: Step(S.WITHDRAWN, (F.UNSUPPRESS, F.APPLY_UNDO)),
    },
    S.AWAITING_FETCH: {
        E.EXPORT_FETCHED: Step(S.DONE),
        E.TIME_RAN_OUT: Step(S.DONE),
        E.BOUNCED: Step(S.UNREACHABLE),
    },
    S.UNREACHABLE: {
        **_STAFF_DECIDES,
        E.PERSON_WROTE: Step(S.AWAITING_STAFF),
        E.RECIPIENT_FAILED: Step(S.UNREACHABLE),
    },
    S.DONE: {
        E.UNDONE: Step(S.WITHDRAWN, (F.UNSUPPRESS, F.APPLY_UNDO, F.TELL_RESUBSCRIBED)),
        E.BOUNCED: Step(S.UNREACHABLE),
        E.RECIPIENT_FAILED: Step(S.UNTOLD),
        E.STAFF_LIFTED: Step(S.LIFTED, (F.TELL_LIFTED, F.APPLY_UNDO)),
    },
    S.LIFTED: {E.FAILED: Step(S.NOT_UNDONE)},
    S.UNTOLD: {
        E.STAFF_APPROVED: Step(S.DONE, (F.TELL_AGAIN,)),
        E.STAFF_DISMISSED: Step(S.DONE),
        E.RECIPIENT_FAILED: Step(S.UNTOLD),
        E.BOUNCED: Step(S.UNTOLD),
    },
    S.NOT_UNDONE: {
        E.STAFF_APPROVED: Step(S.WITHDRAWN, (F.APPLY_UNDO,)),
        E.STAFF_DISMISSED: Step(S.WITHDRAWN),
    },
    S.EXPIRED: {E.ASKED_AGAIN: Step(S.AWAITING_PROOF, (F.ASK_PROOF,))},
    S.REFUSED: {},
    S.WITHDRAWN: {E.FAILED: Step(S.NOT_UNDONE)},
    S.DISMISSED: {E.STAFF_RECLASSIFIED: Step(S.RECEIVED)},
}


def step(state: State, event: Event) -> Step:
    """The step that `event` makes in `state`.

    Raises NoSuchStep where the table has none: the caller asked for something that cannot be.
    """
    try:
        return _TABLE[state][event]
    except KeyError:
        raise NoSuchStep(state, event) from None


def possible(state: State, event: Event) -> bool:
    """True where the table has a step for the pair."""
    return event in _TABLE[state]


def transitions() -> tuple[tuple[State, Event, Step], ...]:
    """Every row of the table, for the diagram and for the test that walks it."""
    return tuple((state, event, to) for state, events in _TABLE.items() for event, to in events.items())


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What the clock does to a request that stays in its state until `at` (UTC). `number` is the count of
    reminders sent once it is done."""

    event: Event
    at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for people, in days since the state was entered (rules/policy.toml)."""

    proof_reminders_days: tuple[int, ...] = (3, 10)
    proof_gives_up_days: int = 30
    host_reminders_days: tuple[int, ...] = (5, 9)
    host_gives_up_days: int = 14
    export_kept_days: int = 14


def next_follow_up(
    state: State, since: datetime, reminders_sent: int, now: datetime, patience: Patience
) -> FollowUp | None:
    """What the clock will do next to a request in `state` since `since`; None where nothing is awaited.

    Reminders missed while nothing ran are merged into the latest one, so that nobody gets two at once.
    """
    reminders, end_days = _waits(state, patience)
    if not end_days:
        return None
    planned = [since + timedelta(days=days) for days in reminders]
    number = max(reminders_sent + 1, sum(at <= now for at in planned))
    end = since + timedelta(days=end_days)
    if now >= end or number > len(planned):
        return FollowUp(Event.TIME_RAN_OUT, end, reminders_sent)
    return FollowUp(Event.REMINDER_DUE, planned[number - 1], number)


def _waits(state: State, patience: Patience) -> tuple[tuple[int, ...], int]:
    match state:
        case State.AWAITING_PROOF:
            return patience.proof_reminders_days, patience.proof_gives_up_days
        case State.AWAITING_INFO:
            return (), patience.proof_gives_up_days
        case State.AWAITING_HOST:
            return patience.host_reminders_days, patience.host_gives_up_days
        case State.AWAITING_FETCH:
            return (), patience.export_kept_days
        case _:
            return (), 0
