"""One case as the command line shows it: masked, or open with what the person wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from mailbot.core.address import masked
from mailbot.core.workflow import Event, State, possible
from mailbot.store import cases, ledger, letters, messages, staff
from mailbot.store.database import Transaction
from mailbot.store.encryption import Destroyed
from mailbot.store.tables import Case, Letter, Message, Request

_ACTIONS: Mapping[str, frozenset[Event]] = {
    "approve": frozenset({Event.STAFF_APPROVED, Event.STAFF_APPROVED_FIRST}),
    "ask-proof": frozenset({Event.STAFF_ASKED_PROOF}),
    "reply": frozenset({Event.STAFF_ANSWERED, Event.STAFF_ASKED_INFO}),
    "refuse": frozenset({Event.STAFF_REFUSED}),
    "reclassify": frozenset({Event.STAFF_RECLASSIFIED}),
    "dismiss": frozenset({Event.STAFF_DISMISSED}),
}


def read_sheet(tx: Transaction, case: Case, today: date, *, is_opened: bool) -> dict[str, Any]:
    """The case; personal data in it only when `is_opened`, and none once its retention ended."""
    requests = cases.requests_of(tx, case.id)
    sheet: dict[str, Any] = {
        "reference": case.reference,
        "language": case.language,
        "channel": case.channel,
        "open": cases.is_open(tx, case),
        "opened_at": case.opened_at.isoformat(),
        "due_on": case.due_on.isoformat(),
        "due_why": case.due_why,
        "days_left": (case.due_on - today).days,
        "extended_at": case.extended_at.isoformat() if case.extended_at else None,
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
        "address": _address(tx, case, is_opened=is_opened),
        "requests": [_request(number, one) for number, one in enumerate(requests, 1)],
        "letters": [_letter(one) for one in letters.of_case(tx, case.id)],
        "steps": list(_steps(tx, case)),
    }
    return {**sheet, **_opened(tx, case, sheet["requests"])} if is_opened else sheet


def actions_in(state: State) -> list[str]:
    """What staff can do with a request in `state`."""
    return [name for name, events in _ACTIONS.items() if any(possible(state, event) for event in events)]


def _address(tx: Transaction, case: Case, *, is_opened: bool) -> str | None:
    try:
        address = cases.person_of(tx, case).address
    except Destroyed:
        return None
    return address if is_opened or not address else masked(address)


def _request(number: int, request: Request) -> dict[str, Any]:
    return {
        "number": number,
        "id": str(request.id),
        "kind": request.kind,
        "capacity": request.capacity,
        "state": request.state,
        "since": request.since.isoformat(),
        "reason": request.reason,
        "proof": request.proof,
        "confidence": request.confidence,
        "can": actions_in(State(request.state)),
    }


def _letter(letter: Letter) -> dict[str, Any]:
    return {
        "template": letter.template,
        "written_at": letter.written_at.isoformat(),
        "state": letter.state,
        "sent_at": letter.sent_at.isoformat() if letter.sent_at else None,
        "answer": letter.last_answer,
    }


def _steps(tx: Transaction, case: Case) -> Iterator[dict[str, Any]]:
    names = {f"staff:{one.id}": f"staff:{one.name}" for one in staff.everyone(tx)}
    for entry in ledger.entries(tx, case=case.reference):
        yield {
            "at": entry.at.isoformat(),
            "action": entry.action,
            "actor": names.get(entry.actor, entry.actor),
            "grounds": entry.grounds,
            "details": dict(entry.details),
        }


def _opened(tx: Transaction, case: Case, requests: list[dict[str, Any]]) -> dict[str, Any]:
    """What the person wrote; nothing of it when the case's key was destroyed."""
    try:
        person = cases.person_of(tx, case)
        fields = [_fields(tx, case, one) for one in cases.requests_of(tx, case.id)]
        plans = [_plan(tx, case, one) for one in cases.requests_of(tx, case.id)]
        mails = [_mail(tx, one) for one in messages.of_case(tx, case.id)]
    except Destroyed as gone:
        return {"destroyed": str(gone)}
    each = zip(requests, fields, plans, strict=True)
    shown = [{**request, "fields": asked, "plan": plan} for request, asked, plan in each]
    return {"name": person.name, "subject": person.subject, "requests": shown, "mails": mails}


def _fields(tx: Transaction, case: Case, request: Request) -> list[dict[str, Any]]:
    asked = cases.asked_of(tx, case, request)
    return [{"field": one.field, "old": one.old, "new": one.new} for one in asked.fields]


def _plan(tx: Transaction, case: Case, request: Request) -> dict[str, Any] | None:
    """What the request would change, place by place, as shown last."""
    plan = cases.result_of(tx, case, request).shown
    if plan is None:
        return None
    steps = [
        {"place": one.place, "action": one.action.value, "rows": one.rows, "why": one.why}
        for one in plan.steps
        if one.rows
    ]
    return {"rows": plan.rows, "steps": steps, "vetoes": list(plan.vetoes), "two_needed": bool(plan.limits)}


def _mail(tx: Transaction, message: Message) -> dict[str, Any]:
    """The mail with its reading, as `mailbot explain --json` prints it."""
    sealed = message.sealed_reading
    reading = json.loads(tx.seal(message.key_id).open(sealed, "message.reading")) if sealed else None
    return {
        "received_at": message.received_at.isoformat(),
        "disposition": message.disposition,
        "reason": message.reason,
        "reading": reading,
    }
