"""/c/{token}: what was asked in somebody's name, shown before it is done, and the buttons that decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from mailbot.web.forms import Form, button, page
from mailbot.web.pages import Pages
from mailbot.web.parts import Parts

_FIELD = "field."


class ConfirmPages:
    """Confirming, cancelling, denying. The token came by mail to the address on file: that is the proof."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts, self._pages = parts, pages

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [page("/c/{token}", self.show), button("/c/{token}", self.decide)]

    def show(self, request: Request) -> Response:
        """The page; changes nothing."""
        if wait := self._pages.must_wait(request):
            return wait
        confirmation = self._parts.proof.view(request.path_params["token"], self._parts.clock())
        if confirmation is None:
            return self._pages.stranger(request)
        template = "confirm.html" if confirmation.open else "confirmed.html"
        return self._pages.show(template, confirmation.language, confirmation=confirmation)

    def decide(self, request: Request, form: Form) -> Response:
        """What the person pressed has happened; the answer says what comes next."""
        if wait := self._pages.must_wait(request):
            return wait
        match form.get("action"):
            case "confirm":
                return self._confirm(request, form)
            case "cancel":
                return self._stop(request, "cancelled.html")
            case "deny":
                return self._stop(request, "denied.html")
            case _:
                return self._pages.problem(request, 400)

    def _confirm(self, request: Request, form: Form) -> Response:
        token, now = request.path_params["token"], self._parts.clock()
        confirmation = self._parts.proof.confirm(token, edited_fields(form), now, form.get("shown", ""))
        if confirmation is None:
            return self._pages.stranger(request)
        if confirmation.open:  # a value was refused, or it is not what was shown: the page says so
            status = 409 if confirmation.changed else 422
            return self._pages.show("confirm.html", confirmation.language, status, confirmation=confirmation)
        return self._pages.show("confirmed.html", confirmation.language, confirmation=confirmation)

    def _stop(self, request: Request, template: str) -> Response:
        token, now = request.path_params["token"], self._parts.clock()
        confirmation = self._parts.proof.view(token, now)
        stop = self._parts.proof.cancel if template == "cancelled.html" else self._parts.proof.deny
        if confirmation is None or not stop(token, now):
            return self._pages.stranger(request)
        return self._pages.show(template, confirmation.language, reference=confirmation.reference)


def edited_fields(form: Form) -> Mapping[str, Mapping[str, str]]:
    """Request id -> field -> value, from inputs named "field.<request id>.<field>"."""
    edited: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name, value in form.items():
        request_id, _, field = name.removeprefix(_FIELD).partition(".")
        if name.startswith(_FIELD) and request_id and field:
            edited[request_id][field] = value.strip()
    return edited
