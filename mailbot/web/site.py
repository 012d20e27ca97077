"""The site: every page and the API in one application."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from mailbot.web.api import create_api
from mailbot.web.case_status import CasePages
from mailbot.web.confirm import ConfirmPages
from mailbot.web.export import ExportPages
from mailbot.web.forms import page
from mailbot.web.health import HealthPages
from mailbot.web.host import HostPages
from mailbot.web.pages import STATIC, Pages
from mailbot.web.parts import Parts
from mailbot.web.security import RETRY_AFTER_SECONDS, STORE_IS_DOWN, Shield
from mailbot.web.staff.action import ActionPages
from mailbot.web.staff.case import CaseSheetPages
from mailbot.web.staff.example import ExamplePages
from mailbot.web.staff.login import Gate, LoginPages
from mailbot.web.staff.message import MessagePages
from mailbot.web.staff.queue import QueuePages
from mailbot.web.unsubscribe import UnsubscribePages


def create_site(parts: Parts) -> FastAPI:
    """The whole site. Raises ConfigTrouble when the API's key is named but missing."""
    pages = Pages(parts)
    https = parts.config.web.public_url.startswith("https://")
    site = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        routes=_routes(parts, pages),
        middleware=[Middleware(Shield, https=https)],
        redirect_slashes=False,
    )
    _answer_for_trouble(site, pages)
    return site


def _routes(parts: Parts, pages: Pages) -> list[BaseRoute]:
    gate = Gate(parts, pages)
    nouns = (
        UnsubscribePages(parts, pages),
        ConfirmPages(parts, pages),
        HostPages(parts, pages),
        ExportPages(parts, pages),
        CasePages(parts, pages),
        HealthPages(parts),
        LoginPages(parts, pages, gate),
        QueuePages(parts, pages, gate),
        CaseSheetPages(parts, pages, gate),
        MessagePages(parts, pages, gate),
        ActionPages(parts, pages, gate),
        ExamplePages(parts, pages, gate),
    )
    return [
        *(route for noun in nouns for route in noun.routes()),
        page("/", lambda request: pages.show("home.html", pages.accepted(request))),
        page("/robots.txt", lambda _: PlainTextResponse("User-agent: *\nDisallow: /\n")),
        Mount("/api/v1", create_api(parts)),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


def _answer_for_trouble(site: FastAPI, pages: Pages) -> None:
    def refused(request: Request, trouble: Exception) -> Response:
        return pages.problem(request, trouble.status_code if isinstance(trouble, HTTPException) else 500)

    def store_is_down(request: Request, _: Exception) -> Response:
        return pages.problem(request, 503, RETRY_AFTER_SECONDS)

    site.add_exception_handler(HTTPException, refused)
    for trouble in STORE_IS_DOWN:
        site.add_exception_handler(trouble, store_is_down)
    site.add_exception_handler(Exception, refused)
