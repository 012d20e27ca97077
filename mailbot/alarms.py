"""A line in the staff queue about something that mailbot found by itself, and that no letter asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbot.advance import CLOCK, Advance, Happening
from mailbot.config import Controller
from mailbot.core.case import Person
from mailbot.core.request import Asked, Capacity, Kind
from mailbot.core.workflow import Event
from mailbot.opening import Opening, open_case
from mailbot.store import cases
from mailbot.store.database import Transaction
from mailbot.store.tables import Case


@dataclass(frozen=True, slots=True)
class Alarm:
    """`key` names what it is about; `reason` says why and holds no personal data; `note` is sealed."""

    channel: str
    key: str
    reason: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Alarms:
    """Opens cases that have no person, so that no letter is ever written."""

    advance: Advance
    controller: Controller

    def raise_one(self, tx: Transaction, alarm: Alarm, now: datetime, *, by: str = CLOCK) -> None:
        """Staff have one line about it in their queue until they close it."""
        case = self.open_case(tx, alarm.channel, now)
        request = cases.add_request(tx, case, Asked(Kind.OTHER, Capacity.UNKNOWN, 1.0), 0, now)
        request.subject_key = alarm.key
        happening = Happening(request, Event.UNDERSTOOD_SUSPECT, by, alarm.reason, alarm.note)
        self.advance(tx, case, [happening], now)

    def open_case(self, tx: Transaction, channel: str, now: datetime) -> Case:
        """A case of nobody who wrote."""
        opening = Opening(Person(None), channel, now, self.controller.spoken(None), answerable=False)
        return open_case(tx, self.controller, opening, now)
