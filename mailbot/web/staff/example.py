"""A mail becomes an example for the rules: shown without the person in it, edited by staff, then kept."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from mailbot.core.request import Capacity, FieldChange, Kind
from mailbot.core.training import Example
from mailbot.examples import Labelled
from mailbot.keeping import KeepingTrouble
from mailbot.web.forms import Form
from mailbot.web.pages import Pages
from mailbot.web.parts import Parts
from mailbot.web.staff.case import case_path
from mailbot.web.staff.grant import Grants
from mailbot.web.staff.login import Gate, Login

MAX_TEXT = 20_000


class ExamplePages:
    """Showing what would be kept, and keeping it. Only for a login that opened the case."""

    def __init__(self, parts: Parts, pages: Pages, gate: Gate) -> None:
        self._parts, self._pages, self._gate = parts, pages, gate

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        path = "/staff/case/{reference}/example"
        return [self._gate.page(path, self.show), self._gate.button(path, self.keep)]

    def show(self, request: Request, login: Login) -> Response:
        """The mail without the person, to be edited; changes nothing."""
        reference = request.path_params["reference"]
        if not self._may(request, login):
            return RedirectResponse(case_path(reference), 303)
        try:
            return self._form(login, reference, self._parts.keeper.draft(reference))
        except KeepingTrouble as trouble:
            return self._form(login, reference, None, str(trouble), 422)

    def keep(self, request: Request, login: Login, form: Form) -> Response:
        """The example as staff left it is kept, and the ledger says who did."""
        reference = request.path_params["reference"]
        if not self._may(request, login):
            return RedirectResponse(case_path(reference), 303)
        example = None
        try:
            example = _edited(form, self._parts.keeper.draft(reference))
            kept = self._parts.keeper.keep(reference, example, login.by, self._parts.clock())
        except KeepingTrouble as trouble:
            return self._form(login, reference, example, str(trouble), 422)
        return self._gate.show(
            "example.html", login, path=case_path(reference), kept=kept, example=None, message=""
        )

    def _may(self, request: Request, login: Login) -> bool:
        grants = Grants(self._parts.store.pseudonyms, secure=self._gate.secure)
        path = case_path(request.path_params["reference"])
        return grants.holds(request, login, path, self._parts.clock())

    def _form(
        self, login: Login, reference: str, example: Labelled | None, message: str = "", status: int = 200
    ) -> Response:
        return self._gate.show(
            "example.html",
            login,
            status,
            path=case_path(reference),
            example=example,
            kept="",
            message=message,
            kinds=tuple(Kind),
            capacities=tuple(Capacity),
        )


def _edited(form: Form, draft: Labelled) -> Labelled:
    """The draft with what the form says. A field whose new value was emptied is left out."""
    text = form.get("text", "").replace("\r\n", "\n").strip()
    if len(text) > MAX_TEXT:
        raise KeepingTrouble(f"the text is too long: at most {MAX_TEXT:,} characters")
    rows = enumerate(draft.fields)
    changes = tuple(
        FieldChange(one.field, form.get(f"old{row}", "").strip() or None, new)
        for row, one in rows
        if (new := form.get(f"new{row}", "").strip())
    )
    try:
        capacity = Capacity(form.get("capacity", ""))
    except ValueError:
        raise KeepingTrouble("choose as whom the person asks") from None
    example = Example(
        draft.example.id,
        draft.example.language,
        form.get("subject", "").strip(),
        text,
        frozenset(kind for kind in Kind if form.get(f"kind-{kind}")),
        capacity,
        bool(form.get("withdraws")),
        bool(form.get("review")),
    )
    return Labelled(example, changes)
