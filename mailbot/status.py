"""The person's own view of a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from mailbot.core.address import normalise
from mailbot.core.request import Kind
from mailbot.core.token import Purpose
from mailbot.core.workflow import OPEN_STATES, State
from mailbot.store import cases, tellings, tokens
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Case, Request
from mailbot.store.tellings import TellingState


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """One request: what, where it stands, since when."""

    kind: Kind
    state: State
    since: datetime
    told: tuple[tuple[str, bool], ...] = ()
    """Recipients of the data by name, and whether they have it already (GDPR Art. 19, second sentence)."""


@dataclass(frozen=True, slots=True)
class CaseView:
    """What was asked, what happened, what is next and by when."""

    reference: str
    language: str
    opened_at: datetime
    due_on: date
    requests: tuple[RequestStatus, ...]
    open: bool


class StatusOfCase:
    """Shows cases to the people they are for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def view(self, token: str, now: datetime) -> CaseView | None:
        """The case of a token; None when it opens nothing."""
        with self._store.read() as tx:
            row = tokens.find(tx, token, Purpose.STATUS, now)
            if row is None:
                return None
            case = tx.session.get_one(Case, row.case_id)
            requests = tuple(_shown(tx, case, one) for one in cases.requests_of(tx, case.id))
            is_open = any(one.state in OPEN_STATES for one in requests)
            return CaseView(case.reference, case.language, case.opened_at, case.due_on, requests, is_open)


def _shown(tx: Transaction, case: Case, request: Request) -> RequestStatus:
    """Where a request stands. Whoever wrote about an address that is not theirs sees nothing move until that
    address has agreed: what happens there would tell them that there is such an account."""
    state, subject = State(request.state), cases.subject_of(tx, case, request)
    writer = cases.person_of(tx, case).address or ""
    is_anothers = subject is not None and normalise(subject.address) != normalise(writer)
    if is_anothers and request.proof not in ("control", "staff") and state != State.EXPIRED:
        return RequestStatus(Kind(request.kind), State.AWAITING_PROOF, case.opened_at)
    since = case.opened_at if is_anothers else request.since
    recipients = tellings.of_request(tx, request.id)
    told = tuple((one.recipient, one.state == TellingState.TOLD) for one in recipients)
    return RequestStatus(Kind(request.kind), state, since, told)
