"""One case on one page: the mail beside what was understood, what happened, and what can be done now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from mailbot.core.address import masked
from mailbot.core.case import Person
from mailbot.core.message import Unreadable
from mailbot.core.parse import parse
from mailbot.core.plan import Plan
from mailbot.core.request import Asked, Capacity, Kind
from mailbot.core.result import Result
from mailbot.core.workflow import OPEN_STATES, Event, State, possible
from mailbot.desk import HELD_ON
from mailbot.floods import CHANNEL as FLOOD
from mailbot.store import cases, ledger, letters, messages, staff
from mailbot.store.database import Transaction
from mailbot.store.encryption import Destroyed
from mailbot.store.tables import Case, LedgerEntry, Letter
from mailbot.store.tables import Request as AskedRequest
from mailbot.web.forms import Form
from mailbot.web.pages import Pages
from mailbot.web.parts import Parts
from mailbot.web.staff.grant import Grants
from mailbot.web.staff.login import Gate, Login
from mailbot.web.staff.message import MailView, view_of

MAILS_SHOWN = 50
"""Of one case, the oldest first; more has only a flood."""
_DESTROYED = "The data of this case was destroyed when its retention ended."

ACTIONS: Mapping[str, frozenset[Event]] = {
    "approve": frozenset({Event.STAFF_APPROVED, Event.STAFF_APPROVED_FIRST}),
    "ask-proof": frozenset({Event.STAFF_ASKED_PROOF}),
    "reply": frozenset({Event.STAFF_ANSWERED, Event.STAFF_ASKED_INFO}),
    "refuse": frozenset({Event.STAFF_REFUSED}),
    "reclassify": frozenset({Event.STAFF_RECLASSIFIED}),
    "dismiss": frozenset({Event.STAFF_DISMISSED}),
    "lift": frozenset({Event.STAFF_LIFTED}),
}
"""What staff can press, in the order of the page, and the events of the workflow that it makes."""


@dataclass(frozen=True, slots=True)
class RequestSheet:
    """One request with what can be done about it. `asked` is None until the case is opened."""

    id: UUID
    kind: str
    capacity: str
    state: str
    since: datetime
    reason: str
    proof: str
    confidence: float
    asked: Asked | None
    note: str
    """What staff or a host wrote about it; empty until the case is opened."""
    actions: tuple[str, ...]
    plan: Plan | None = None
    """What it would change, as shown last; None until the case is opened."""


@dataclass(frozen=True, slots=True)
class LetterSheet:
    """A letter of ours; `text` is None until the case is opened."""

    template: str
    written_at: datetime
    state: str
    answer: str
    recipient: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the ledger."""

    at: datetime
    action: str
    actor: str
    grounds: str
    details: str


@dataclass(frozen=True, slots=True)
class CaseSheet:
    """A case as staff see it. `person` and `mails` are None until it is opened."""

    reference: str
    language: str
    channel: str
    answerable: bool
    opened_at: datetime
    due_on: date
    due_why: str
    days_left: int
    extended_at: datetime | None
    is_open: bool
    address: str
    person: Person | None
    requests: tuple[RequestSheet, ...]
    mails: tuple[MailView, ...] | None
    letters: tuple[LetterSheet, ...]
    steps: tuple[Step, ...]
    trouble: str = ""

    @property
    def may_extend(self) -> bool:
        """One extension, while the case is open (Art. 12(3) GDPR)."""
        return self.is_open and self.extended_at is None


class CaseSheetPages:
    """Showing a case, and opening it."""

    def __init__(self, parts: Parts, pages: Pages, gate: Gate) -> None:
        self._parts, self._pages, self._gate = parts, pages, gate

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            self._gate.page("/staff/case/{reference}", self.show),
            self._gate.button("/staff/case/{reference}/open", self.open),
        ]

    def show(self, request: Request, login: Login) -> Response:
        """The case: masked, or whole for a login that opened it."""
        now, path = self._parts.clock(), case_path(request.path_params["reference"])
        is_opened = self._grants.holds(request, login, path, now)
        sheet = self._sheet(request.path_params["reference"], is_opened, self._pages.day(now))
        if sheet is None:
            return self._pages.problem(request, 404)
        return show_sheet(self._gate, self._parts, login, sheet)

    def open(self, request: Request, login: Login, _: Form) -> Response:
        """That this person opened this case is in the ledger; then they may see it for a while."""
        reference, now = request.path_params["reference"], self._parts.clock()
        with self._parts.store.read() as tx:
            case = cases.by_reference(tx, reference)
        if case is None:
            return self._pages.problem(request, 404)
        self._parts.desk.opened(case.reference, login.by, now)
        path = case_path(case.reference)
        response = RedirectResponse(path, 303)
        self._grants.give(response, login, path, now)
        return response

    @property
    def _grants(self) -> Grants:
        return Grants(self._parts.store.pseudonyms, secure=self._gate.secure)

    def _sheet(self, reference: str, is_opened: bool, today: date) -> CaseSheet | None:
        with self._parts.store.read() as tx:
            return read_sheet(tx, reference, is_opened=is_opened, today=today)


def case_path(reference: str) -> str:
    """Where the case's page is, and what a grant is for."""
    return f"/staff/case/{reference.strip().upper()}"


def show_sheet(
    gate: Gate, parts: Parts, login: Login, sheet: CaseSheet, *, status: int = 200, message: str = ""
) -> Response:
    """The case's page; `message` says why something could not be done."""
    return gate.show(
        "case.html",
        login,
        status,
        case=sheet,
        message=message,
        path=case_path(sheet.reference),
        kinds=tuple(Kind),
        capacities=tuple(Capacity),
        field_names=parts.field_names,
        keeps_examples=bool(parts.config.rules.examples),
    )


def read_sheet(tx: Transaction, reference: str, *, is_opened: bool, today: date) -> CaseSheet | None:
    """The case of `reference`; personal data in it only when `is_opened`. None where there is none."""
    case = cases.by_reference(tx, reference)
    if case is None:
        return None
    try:
        return _sheet(tx, case, is_opened, today)
    except Destroyed:
        return _sheet(tx, case, False, today, _DESTROYED)


def _sheet(tx: Transaction, case: Case, is_opened: bool, today: date, trouble: str = "") -> CaseSheet:
    requests = cases.requests_of(tx, case.id)
    person = None if trouble else cases.person_of(tx, case)
    return CaseSheet(
        reference=case.reference,
        language=case.language,
        channel=case.channel,
        answerable=case.answerable,
        opened_at=case.opened_at,
        due_on=case.due_on,
        due_why=case.due_why,
        days_left=(case.due_on - today).days,
        extended_at=case.extended_at,
        is_open=any(request.state in OPEN_STATES for request in requests),
        address=_address(person, is_opened),
        person=person if is_opened else None,
        requests=tuple(_request(tx, case, request, is_opened) for request in requests),
        mails=tuple(view_of(tx, mail) for mail in messages.of_case(tx, case.id, MAILS_SHOWN))
        if is_opened
        else None,
        letters=tuple(_letter(tx, letter, is_opened) for letter in letters.of_case(tx, case.id)),
        steps=_steps(tx, case.reference),
        trouble=trouble,
    )


def _address(person: Person | None, is_opened: bool) -> str:
    address = (person.address if person else None) or ""
    return address if is_opened else masked(address)


def _request(tx: Transaction, case: Case, request: AskedRequest, is_opened: bool) -> RequestSheet:
    result = cases.result_of(tx, case, request) if is_opened else Result()
    return RequestSheet(
        id=request.id,
        kind=request.kind,
        capacity=request.capacity,
        state=request.state,
        since=request.since,
        reason=request.reason,
        proof=request.proof,
        confidence=request.confidence,
        asked=cases.asked_of(tx, case, request) if is_opened else None,
        note=result.note,
        plan=result.shown,
        actions=_actions_for(case, Kind(request.kind), State(request.state)),
    )


def possible_actions(kind: Kind, state: State) -> tuple[str, ...]:
    """The actions that the workflow has a step for in `state`; only what holds on can be lifted."""
    can = tuple(name for name, events in ACTIONS.items() if any(possible(state, event) for event in events))
    return can if kind in HELD_ON else tuple(name for name in can if name != "lift")


def _actions_for(case: Case, kind: Kind, state: State) -> tuple[str, ...]:
    """What can be done; the mails of a flood are let in or closed, as a whole."""
    can = possible_actions(kind, state)
    if case.channel != FLOOD:
        return can
    return ("let-in", "dismiss") if "dismiss" in can else ()


def _letter(tx: Transaction, letter: Letter, is_opened: bool) -> LetterSheet:
    recipient, text = "…", None
    if is_opened:
        envelope, raw = letters.content(tx, letter)
        mail = parse(raw)
        recipient, text = envelope.recipient, "" if isinstance(mail, Unreadable) else mail.text
    return LetterSheet(letter.template, letter.written_at, letter.state, letter.last_answer, recipient, text)


def _steps(tx: Transaction, reference: str) -> tuple[Step, ...]:
    names = {f"staff:{one.id}": one.name for one in staff.everyone(tx)}
    return tuple(_step(entry, names) for entry in ledger.entries(tx, case=reference))


def _step(entry: LedgerEntry, names: Mapping[str, str]) -> Step:
    details = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in entry.details.items())
    return Step(entry.at, entry.action, names.get(entry.actor, entry.actor), entry.grounds, details)
