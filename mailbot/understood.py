"""What a letter means for the requests of its case: new ones, asked again, taken back, or only more words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mailbot.advance import MAILBOT, PERSON, Happening
from mailbot.core.decide import Decided, Decision, decide_request
from mailbot.core.policy import Policy
from mailbot.core.request import Asked, Capacity, Kind
from mailbot.core.sender import Verdict
from mailbot.core.workflow import OPEN_STATES, Event, State, possible
from mailbot.reading import Reading, as_json, sure_language
from mailbot.store import brakes, cases
from mailbot.store.database import Transaction
from mailbot.store.tables import Case, Request

_EVENTS = {Decision.ACT: Event.UNDERSTOOD_TO_ACT, Decision.CONFIRM: Event.UNDERSTOOD_TO_CONFIRM}


@dataclass(frozen=True, slots=True)
class Understood:
    """Turns readings into events."""

    policy: Policy

    def happenings(self, tx: Transaction, case: Case, reading: Reading, now: datetime) -> list[Happening]:
        """The events of one letter of `case`; requests that it asks anew are added."""
        present = list(cases.requests_of(tx, case.id))
        if reading.understanding.withdraws and present:
            return [] if reading.sender.retry else withdrawals(present, reading)
        happenings: list[Happening] = []
        is_asked_elsewhere = False
        for asked in reading.understanding.asked:
            again = next((one for one in present if _same_again(one, asked)), None)
            if again is not None and cases.asked_of(tx, case, again).elsewhere:
                is_asked_elsewhere = (
                    True  # whoever is asked at another address is not asked again for the asking
                )
            elif again is not None:
                happenings.append(Happening(again, _again(again), PERSON, "the person wrote again"))
            elif not (present and asked.kind == Kind.OTHER):
                position = len(present) + len(happenings)
                happenings.append(self._new_request(tx, case, asked, reading, position, now))
        if happenings or is_asked_elsewhere:
            return happenings
        return self._wrote_again(tx, case, present, reading, now)

    def decided(self, tx: Transaction, case: Case, asked: Asked, reading: Reading) -> tuple[Event, Decided]:
        """Which way one request goes, and why."""
        policy = self.policy.in_language(sure_language(reading.language))
        decided = decide_request(asked, reading.understanding.doubts, reading.sender, policy)
        if decided.waits:
            return Event.SENDER_UNKNOWN, decided
        if decided.decision == Decision.CONFIRM and asked.elsewhere:
            return Event.UNDERSTOOD_ELSEWHERE, decided
        if decided.decision == Decision.ACT and brakes.is_stopped(tx, self.policy, asked.kind):
            return Event.UNDERSTOOD_WHILE_STOPPED, decided
        return _EVENTS.get(decided.decision) or _staff_event(case, reading), decided

    def _new_request(
        self, tx: Transaction, case: Case, asked: Asked, reading: Reading, position: int, now: datetime
    ) -> Happening:
        request = cases.add_request(tx, case, asked, position, now)
        event, decided = self.decided(tx, case, asked, reading)
        if proves_sender(reading):
            request.proof = "sender"
        return Happening(request, event, MAILBOT, "; ".join(decided.reasons))

    def _wrote_again(
        self, tx: Transaction, case: Case, present: Sequence[Request], reading: Reading, now: datetime
    ) -> list[Happening]:
        """Something that asks nothing new: whoever waits for the person is told, else staff read it."""
        waiting = [one for one in present if possible(State(one.state), Event.PERSON_WROTE)]
        if waiting:
            return [Happening(one, Event.PERSON_WROTE, PERSON, "the person wrote again") for one in waiting]
        asked = Asked(Kind.OTHER, Capacity.UNKNOWN, 0.0)
        return [self._new_request(tx, case, asked, reading, len(present), now)]


def proves_sender(reading: Reading) -> bool:
    """The From domain vouches for the person, and not only for a form or list that passed their words on."""
    return reading.sender.verdict == Verdict.PROVEN and not reading.relayed


def withdrawals(present: Iterable[Request], reading: Reading) -> list[Happening]:
    """Requests the person takes back: at once when the sender is proven, by staff when not."""
    event = Event.CANCELLED if proves_sender(reading) else Event.UNCLEAR_ANSWER
    fallback = Event.PERSON_WROTE
    chosen = [(one, event if possible(State(one.state), event) else fallback) for one in present]
    return [
        Happening(one, what, PERSON, "the person takes the request back")
        for one, what in chosen
        if possible(State(one.state), what)
    ]


def sealed_reading(tx: Transaction, key_id: UUID, reading: Reading) -> bytes:
    """The reading as it is kept with its message."""
    written = json.dumps(as_json(reading, ""), ensure_ascii=False).encode("utf-8", "replace")
    return tx.seal(key_id).seal(written, "message.reading")


def _staff_event(case: Case, reading: Reading) -> Event:
    """Staff read it. Whether the person is told so: never a forger, an authority or a lawyer."""
    silent = not case.answerable or reading.understanding.formal
    return Event.UNDERSTOOD_SUSPECT if silent else Event.UNDERSTOOD_FOR_STAFF


def _same_again(request: Request, asked: Asked) -> bool:
    is_same = request.kind == asked.kind and request.state in OPEN_STATES
    return is_same and any(
        possible(State(request.state), event) for event in (Event.ASKED_AGAIN, Event.PERSON_WROTE)
    )


def _again(request: Request) -> Event:
    return Event.ASKED_AGAIN if possible(State(request.state), Event.ASKED_AGAIN) else Event.PERSON_WROTE
