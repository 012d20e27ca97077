"""Requests that come by the platform's own pages, from users who are logged in there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbot.advance import PERSON, Advance, Happening
from mailbot.config import Controller
from mailbot.core.case import Person
from mailbot.core.policy import Handling, Policy
from mailbot.core.request import Asked, Capacity, FieldChange, Kind
from mailbot.core.workflow import Event
from mailbot.opening import Opening, open_case
from mailbot.store import cases
from mailbot.store.database import Store

_EVENTS = {Handling.ACT: Event.UNDERSTOOD_TO_ACT, Handling.CONFIRM: Event.UNDERSTOOD_TO_CONFIRM}


@dataclass(frozen=True, slots=True)
class Asking:
    """Opens requests. The address on file is asked all the same: a login proves less than control of the mailbox."""

    store: Store
    advance: Advance
    policy: Policy
    controller: Controller

    def open_request(
        self,
        kind: Kind,
        address: str,
        fields: tuple[FieldChange, ...],
        language: str | None,
        now: datetime,
    ) -> str:
        """The reference of the case that was opened."""
        spoken = self.controller.spoken(language)
        opening = Opening(Person(address), "api", now, spoken)
        with self.store.begin() as tx:
            case = open_case(tx, self.controller, opening, now)
            request = cases.add_request(tx, case, Asked(kind, Capacity.USER, 1.0, (), fields), 0, now)
            event = _EVENTS.get(
                self.policy.kinds[kind].in_language(spoken).handling, Event.UNDERSTOOD_FOR_STAFF
            )
            self.advance(tx, case, [Happening(request, event, PERSON, "asked on the Profile page")], now)
            return case.reference
