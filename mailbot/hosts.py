"""A host decides about a visitor's request: the page behind the link, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mailbot.advance import HOST, Advance, Happening
from mailbot.core.policy import Policy
from mailbot.core.request import Kind
from mailbot.core.token import Purpose
from mailbot.core.workflow import Event, State
from mailbot.store import cases, tokens
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Case, Request, Token


@dataclass(frozen=True, slots=True)
class HostQuestion:
    """What the host is asked. Nothing the visitor wrote is in it."""

    reference: str
    language: str
    visitor_name: str
    visitor_address: str
    kind: Kind
    events: tuple[str, ...]
    decide_by: date
    open: bool


class Hosts:
    """Shows and takes hosts' decisions."""

    def __init__(self, store: Store, advance: Advance, policy: Policy) -> None:
        self._store = store
        self._advance = advance
        self._policy = policy

    def view(self, token: str, now: datetime) -> HostQuestion | None:
        """What the token asks; None when it opens nothing. Changes nothing."""
        with self._store.read() as tx:
            found = _find(tx, token, now)
            return self._question(tx, *found[1:]) if found else None

    def agree(self, token: str, now: datetime) -> bool:
        """The host lets it be done; False when the token opens nothing."""
        return self._decide(token, Event.HOST_AGREED, "the host agreed", now)

    def refuse(self, token: str, reason: str, now: datetime) -> bool:
        """The host says no; staff answer the visitor. What the host wrote is not mailed on to anybody."""
        said = "the host refused, with a reason" if reason.strip() else "the host refused"
        return self._decide(token, Event.HOST_REFUSED, said, now, reason)

    def _decide(self, token: str, event: Event, reason: str, now: datetime, note: str = "") -> bool:
        with self._store.begin() as tx:
            taken = tokens.take(tx, token, Purpose.HOST, now)
            found = _find(tx, token, now)
            if taken is None or found is None:
                return False
            row, case, request = found
            tokens.use(row, now)
            self._advance(tx, case, [Happening(request, event, HOST, reason, note)], now)
            return True

    def _question(self, tx: Transaction, case: Case, request: Request) -> HostQuestion | None:
        subject, result = cases.subject_of(tx, case, request), cases.result_of(tx, case, request)
        if subject is None or subject.host is None:
            return None
        return HostQuestion(
            reference=case.reference,
            language=subject.host.language or case.language,
            visitor_name=subject.name,
            visitor_address=subject.address,
            kind=Kind(request.kind),
            events=tuple(event.title for event in result.events),
            decide_by=(request.since + timedelta(days=self._policy.patience.host_gives_up_days)).date(),
            open=True,
        )


def _find(tx: Transaction, token: str, now: datetime) -> tuple[Token, Case, Request] | None:
    row = tokens.find(tx, token, Purpose.HOST, now)
    if row is None or row.request_id is None:
        return None
    request = tx.session.get_one(Request, row.request_id)
    if request.state != State.AWAITING_HOST:
        return None
    return row, tx.session.get_one(Case, row.case_id), request
