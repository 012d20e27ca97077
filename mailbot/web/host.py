"""/h/{token}: a host decides about what a visitor of their events asked."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from mailbot.web.forms import Form, button, page
from mailbot.web.pages import Pages
from mailbot.web.parts import Parts

MAX_REASON = 2_000


class HostPages:
    """Agreeing or refusing. The token came by mail to the host's address on file."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts, self._pages = parts, pages

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [page("/h/{token}", self.show), button("/h/{token}", self.decide)]

    def show(self, request: Request) -> Response:
        """The page; changes nothing."""
        return self._question(request, 200, missing_reason=False)

    def decide(self, request: Request, form: Form) -> Response:
        """The host's decision is recorded and taken up."""
        if wait := self._pages.must_wait(request):
            return wait
        reason = form.get("reason", "").strip()[:MAX_REASON]
        match form.get("action"):
            case "agree":
                return self._decided(request, agreed=True, reason="")
            case "refuse" if reason:
                return self._decided(request, agreed=False, reason=reason)
            case "refuse":
                return self._question(request, 422, missing_reason=True)
            case _:
                return self._pages.problem(request, 400)

    def _question(self, request: Request, status: int, *, missing_reason: bool) -> Response:
        if wait := self._pages.must_wait(request):
            return wait
        question = self._parts.hosts.view(request.path_params["token"], self._parts.clock())
        if question is None:
            return self._pages.stranger(request)
        return self._pages.show(
            "host.html", question.language, status, question=question, missing_reason=missing_reason
        )

    def _decided(self, request: Request, *, agreed: bool, reason: str) -> Response:
        token, now, hosts = request.path_params["token"], self._parts.clock(), self._parts.hosts
        question = hosts.view(token, now)
        if question is None:
            return self._pages.stranger(request)
        taken = hosts.agree(token, now) if agreed else hosts.refuse(token, reason, now)
        if not taken:
            return self._pages.stranger(request)
        return self._pages.show("host_decided.html", question.language, question=question, agreed=agreed)
