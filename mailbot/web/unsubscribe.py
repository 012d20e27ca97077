"""/u/{token}: a page with one button, and what mail programs send by themselves (RFC 8058)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from mailbot.web.forms import Form, button, page
from mailbot.web.pages import Pages
from mailbot.web.parts import Parts
from mailbot.web.words import hinted


class UnsubscribePages:
    """Unsubscribing by a link. The token is the proof, so there is no login, cookie or second step."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts, self._pages = parts, pages

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            page("/u/{token}", self.show),
            button("/u/{token}", self.unsubscribe),
            button("/u/{token}/undo", self.undo),
        ]

    def show(self, request: Request) -> Response:
        """The page; changes nothing."""
        address = self._address(request)
        if address is None:
            return self._pages.stranger(request)
        status = self._parts.unsubscribing.status(address)
        is_off = status is not None and status.lifted_at is None
        return self._page(request, address, "off" if is_off else "ask")

    def unsubscribe(self, request: Request, form: Form) -> Response:
        """The address gets no more promotional mail, durably, when this answers 200.

        Only our button or RFC 8058's one field counts: whatever else is posted here, by whatever prefetches
        and probes links, changes nothing (400).
        """
        one_click = form.get("List-Unsubscribe") == "One-Click"
        if not one_click and form.get("action") != "unsubscribe":
            return self._pages.problem(request, 400)
        address = self._address(request)
        if address is None:
            return self._pages.stranger(request)
        language = None if one_click else self._pages.accepted(request)
        how, now = "one_click" if one_click else "link", self._parts.clock()
        self._parts.unsubscribing.unsubscribe(address, how=how, language=language, now=now)
        return PlainTextResponse("Unsubscribed.") if one_click else self._page(request, address, "done")

    def undo(self, request: Request, form: Form) -> Response:
        """The address gets promotional mail again."""
        if form.get("action") != "undo":
            return self._pages.problem(request, 400)
        address = self._address(request)
        if address is None:
            return self._pages.stranger(request)
        self._parts.unsubscribing.undo(address, how="link", now=self._parts.clock())
        return self._page(request, address, "undone")

    def _address(self, request: Request) -> str | None:
        return self._parts.unsubscribing.address_of(request.path_params["token"])

    def _page(self, request: Request, address: str, stage: str) -> Response:
        return self._pages.show(
            "unsubscribe.html",
            self._pages.accepted(request),
            stage=stage,
            address=hinted(address),
            action=f"/u/{request.path_params['token']}",
        )
