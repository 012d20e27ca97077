"""/x/{token}: an export is shown, then downloaded by a button, so that a link scanner cannot use it up."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from mailbot.web.forms import Form, button, page
from mailbot.web.pages import Pages
from mailbot.web.parts import Parts


class ExportPages:
    """Fetching one's own data."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts, self._pages = parts, pages

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [page("/x/{token}", self.show), button("/x/{token}", self.download)]

    def show(self, request: Request) -> Response:
        """The page; changes nothing."""
        if wait := self._pages.must_wait(request):
            return wait
        export = self._parts.exports.view(request.path_params["token"], self._parts.clock())
        if export is None:
            return self._pages.stranger(request)
        return self._pages.show("export.html", export.language, export=export)

    def download(self, request: Request, form: Form) -> Response:
        """The ZIP, as a file to be saved; one download is counted."""
        if wait := self._pages.must_wait(request):
            return wait
        if form.get("action") != "download":
            return self._pages.problem(request, 400)
        token, now = request.path_params["token"], self._parts.clock()
        export = self._parts.exports.view(token, now)
        archive = self._parts.exports.open(token, now) if export else None
        if export is None or archive is None:
            return self._pages.stranger(request)
        headers = {
            "Content-Disposition": f'attachment; filename="{export.reference}.zip"',
            "Content-Length": str(export.size),
        }
        return StreamingResponse(archive, media_type="application/zip", headers=headers)
