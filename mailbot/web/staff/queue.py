"""The queue: what waits for a person, the most urgent first, personal data masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from mailbot.core.address import masked
from mailbot.core.request import Kind
from mailbot.core.workflow import OPEN_STATES, State
from mailbot.floods import CHANNEL as FLOOD
from mailbot.settling import NOT_ME
from mailbot.store import brakes, cases, messages
from mailbot.store.database import Transaction
from mailbot.store.encryption import Destroyed
from mailbot.store.tables import Case
from mailbot.store.tables import Request as AskedRequest
from mailbot.web.pages import Pages
from mailbot.web.parts import Parts
from mailbot.web.staff.login import Gate, Login
from mailbot.web.staff.reading import OpinionRead, Reading, reading_of

PAGE_LENGTH = 50
WAITING = "waiting"
_ALL = 500
Choices = Mapping[str, Sequence[str]]
"""What each filter can be set to."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request as the queue shows it. `days_left` is negative when it is overdue."""

    reference: str
    kind: str
    capacity: str
    state: str
    reason: str
    language: str
    address: str
    verdict: str
    opinion: OpinionRead | None
    """What rules and second opinion say of this kind; None where it was not read from a mail."""
    sentence: str
    """What the rule that decided recognises; holds no personal data."""
    opened_at: datetime
    due_on: date
    days_left: int
    is_open: bool
    is_attached: bool
    """It is asked only in an attached file."""
    is_alarm: bool
    """Somebody may act in another's name."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A mail that could not be taken in as a letter."""

    id: UUID
    received_at: datetime
    source: str
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What the person wants to see; empty: everything. `state` may be "waiting": all that staff must look at."""

    state: str = WAITING
    kind: str = ""
    language: str = ""
    page: int = 1

    def address_of(self, page: int) -> str:
        """The queue's URL of another page of the same list."""
        chosen = {"state": self.state, "kind": self.kind, "language": self.language, "page": page}
        return "/staff/?" + urlencode({name: value for name, value in chosen.items() if value})


class QueuePages:
    """The list that staff work from."""

    def __init__(self, parts: Parts, pages: Pages, gate: Gate) -> None:
        self._parts, self._pages, self._gate = parts, pages, gate
        self._choices = {**_CHOICES, "language": parts.config.controller.languages}

    def routes(self) -> list[BaseRoute]:
        """The route."""
        return [self._gate.page("/staff/", self.show)]

    def show(self, request: Request, login: Login) -> Response:
        """The queue; changes nothing."""
        filters = _filters(request.query_params, self._choices)
        today = self._pages.day(self._parts.clock())
        with self._parts.store.read() as tx:
            found = _found(tx, filters)
            start = (filters.page - 1) * PAGE_LENGTH
            rows = [_row(tx, asked, case, today) for asked, case in found[start : start + PAGE_LENGTH]]
            quarantined = [
                Quarantined(one.id, one.received_at, one.source, one.size, one.reason)
                for one in messages.quarantined(tx)
            ]
            stopped = sorted(brakes.stopped(tx))
        return self._gate.show(
            "queue.html",
            login,
            stopped=stopped,
            rows=rows,
            total=len(found),
            more=len(found) > start + PAGE_LENGTH,
            quarantined=quarantined,
            filters=filters,
            choices=self._choices,
        )


_CHOICES: Choices = {
    "state": (WAITING, *(state.value for state in State)),
    "kind": tuple(kind.value for kind in Kind),
}


def _filters(query: Mapping[str, str], choices: Choices) -> Filters:
    def chosen(name: str) -> str:
        value = query.get(name, "")
        return value if value in choices[name] else ""

    page = query.get("page", "1")
    state = chosen("state") if "state" in query else WAITING
    return Filters(state, chosen("kind"), chosen("language"), int(page) if page in _PAGES else 1)


_PAGES = frozenset(str(number) for number in range(1, 1_000))


def _found(tx: Transaction, filters: Filters) -> Sequence[tuple[AskedRequest, Case]]:
    if filters.state == WAITING:
        listed = cases.waiting_for_staff(tx, _ALL)
    else:
        listed = cases.list_requests(tx, state=filters.state or None, kind=filters.kind or None, limit=_ALL)
    return [
        (asked, case)
        for asked, case in listed
        if filters.kind in ("", asked.kind) and filters.language in ("", case.language)
    ]


def _row(tx: Transaction, asked: AskedRequest, case: Case, today: date) -> Row:
    reading = _first_reading(tx, case)
    return Row(
        reference=case.reference,
        kind=asked.kind,
        capacity=asked.capacity,
        state=asked.state,
        reason=asked.reason,
        language=case.language,
        address=_masked_address(tx, case),
        verdict=reading.verdict,
        opinion=reading.opinion(asked.kind),
        sentence=reading.sentence(asked.kind),
        opened_at=case.opened_at,
        due_on=case.due_on,
        days_left=(case.due_on - today).days,
        is_open=asked.state in OPEN_STATES,
        is_attached=any(one.kind == asked.kind and one.attachment for one in reading.requests),
        is_alarm=asked.reason == NOT_ME or case.channel == FLOOD,
    )


def _masked_address(tx: Transaction, case: Case) -> str:
    try:
        return masked(cases.person_of(tx, case).address or "")
    except Destroyed:
        return "…"


def _first_reading(tx: Transaction, case: Case) -> Reading:
    mails = messages.of_case(tx, case.id, 1)
    return reading_of(tx, mails[0]) if mails else Reading()
