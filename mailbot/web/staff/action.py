"""What staff decide: one form a decision, only those that the workflow allows now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from mailbot.core.request import Capacity, FieldChange, Kind
from mailbot.desk import DeskTrouble
from mailbot.store import cases
from mailbot.web.forms import Form
from mailbot.web.pages import Pages
from mailbot.web.parts import Parts
from mailbot.web.staff.case import case_path, read_sheet, show_sheet
from mailbot.web.staff.grant import Grants
from mailbot.web.staff.login import Gate, Login

MAX_REASON = 2_000
MAX_REPLY = 20_000
FIELD_ROWS = 4


class _Incomplete(Exception):
    """The form lacks something; the text says what."""


class ActionPages:
    """Approve, ask for proof, reply, refuse, reclassify, dismiss, lift, extend."""

    def __init__(self, parts: Parts, pages: Pages, gate: Gate) -> None:
        self._parts, self._pages, self._gate = parts, pages, gate
        self._actions: Mapping[str, Callable[[UUID, Form, str, datetime], None]] = {
            "approve": self._approve,
            "ask-proof": self._ask_proof,
            "reply": self._reply,
            "refuse": self._refuse,
            "reclassify": self._reclassify,
            "dismiss": self._dismiss,
            "lift": self._lift,
            "let-in": self._let_in,
        }

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            self._gate.button("/staff/case/{reference}/extend", self.extend),
            self._gate.button("/staff/case/{reference}/hold", self.hold),
            self._gate.button("/staff/case/{reference}/release", self.release),
            self._gate.button("/staff/case/{reference}/{request_id}/{action}", self.act),
        ]

    def act(self, request: Request, login: Login, form: Form) -> Response:
        """The decision is taken, or the page says why it cannot be."""
        action = self._actions.get(request.path_params["action"])
        request_id = self._request_id(request)
        if action is None or request_id is None:
            return self._pages.problem(request, 404)
        return self._decide(request, login, lambda now: action(request_id, form, login.by, now))

    def extend(self, request: Request, login: Login, form: Form) -> Response:
        """The case has two more months, and the person is told why (Art. 12(3) GDPR)."""
        reference = request.path_params["reference"]

        def extend(now: datetime) -> None:
            self._parts.desk.extend(reference, _text(form, "reason", MAX_REASON), login.by, now)

        return self._decide(request, login, extend)

    def hold(self, request: Request, login: Login, _: Form) -> Response:
        """Nothing of the person is deleted until the hold is lifted."""
        reference, desk = request.path_params["reference"], self._parts.desk
        return self._decide(request, login, lambda now: desk.hold(reference, login.by, now))

    def release(self, request: Request, login: Login, _: Form) -> Response:
        """The hold is lifted."""
        reference, desk = request.path_params["reference"], self._parts.desk
        return self._decide(request, login, lambda now: desk.release(reference, login.by, now))

    def _decide(self, request: Request, login: Login, decide: Callable[[datetime], None]) -> Response:
        now, path = self._parts.clock(), case_path(request.path_params["reference"])
        grants = Grants(self._parts.store.pseudonyms, secure=self._gate.secure)
        if not grants.holds(request, login, path, now):
            return RedirectResponse(path, 303)
        try:
            decide(now)
        except (DeskTrouble, _Incomplete) as trouble:
            return self._again(request, login, str(trouble))
        return RedirectResponse(path, 303)

    def _again(self, request: Request, login: Login, message: str) -> Response:
        today = self._pages.day(self._parts.clock())
        with self._parts.store.read() as tx:
            sheet = read_sheet(tx, request.path_params["reference"], is_opened=True, today=today)
        if sheet is None:
            return self._pages.problem(request, 404)
        return show_sheet(self._gate, self._parts, login, sheet, status=422, message=message)

    def _request_id(self, request: Request) -> UUID | None:
        """The id in the path, if it is one of this case's requests."""
        with self._parts.store.read() as tx:
            case = cases.by_reference(tx, request.path_params["reference"])
            known = {str(one.id): one.id for one in cases.requests_of(tx, case.id)} if case else {}
        return known.get(request.path_params["request_id"])

    def _approve(self, request_id: UUID, _: Form, by: str, now: datetime) -> None:
        self._parts.desk.approve(request_id, by, now)

    def _ask_proof(self, request_id: UUID, _: Form, by: str, now: datetime) -> None:
        self._parts.desk.ask_proof(request_id, by, now)

    def _reply(self, request_id: UUID, form: Form, by: str, now: datetime) -> None:
        closes = form.get("then") == "close"
        self._parts.desk.reply(request_id, _text(form, "text", MAX_REPLY), by, now, closes=closes)

    def _refuse(self, request_id: UUID, form: Form, by: str, now: datetime) -> None:
        self._parts.desk.refuse(request_id, _text(form, "reason", MAX_REASON), by, now)

    def _dismiss(self, request_id: UUID, form: Form, by: str, now: datetime) -> None:
        self._parts.desk.dismiss(request_id, _text(form, "reason", MAX_REASON), by, now)

    def _lift(self, request_id: UUID, form: Form, by: str, now: datetime) -> None:
        self._parts.desk.lift(request_id, _text(form, "reason", MAX_REASON), by, now)

    def _let_in(self, request_id: UUID, _: Form, by: str, now: datetime) -> None:
        self._parts.desk.let_in(request_id, by, now)

    def _reclassify(self, request_id: UUID, form: Form, by: str, now: datetime) -> None:
        try:
            kind, capacity = Kind(form.get("kind", "")), Capacity(form.get("capacity", ""))
        except ValueError:
            raise _Incomplete("Choose what is asked and as whom.") from None
        fields = _fields(form) if kind is Kind.CORRECTION else ()
        self._parts.desk.reclassify(request_id, kind, capacity, by, now, fields)


def _text(form: Form, name: str, longest: int) -> str:
    text = form.get(name, "").replace("\r\n", "\n").strip()
    if not text:
        raise _Incomplete("Write the text: the person will read it or the record needs it.")
    if len(text) > longest:
        raise _Incomplete(f"The text is too long: at most {longest:,} characters.")
    return text


def _fields(form: Form) -> tuple[FieldChange, ...]:
    rows = ((form.get(f"field{row}", ""), form.get(f"new{row}", "").strip()) for row in range(FIELD_ROWS))
    return tuple(FieldChange(name, None, new) for name, new in rows if name and new)
