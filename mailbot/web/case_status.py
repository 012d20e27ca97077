"""/case/{token}: a person's own view of their case."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from mailbot.web.forms import page
from mailbot.web.pages import Pages
from mailbot.web.parts import Parts


class CasePages:
    """What was asked, what happened, what is next and by when."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts, self._pages = parts, pages

    def routes(self) -> list[BaseRoute]:
        """The route."""
        return [page("/case/{token}", self.show)]

    def show(self, request: Request) -> Response:
        """The page; changes nothing."""
        if wait := self._pages.must_wait(request):
            return wait
        case = self._parts.status.view(request.path_params["token"], self._parts.clock())
        if case is None:
            return self._pages.stranger(request)
        return self._pages.show("case.html", case.language, case=case)
