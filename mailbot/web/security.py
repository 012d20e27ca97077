"""What every answer of the site carries, how large a question may be, and what happens when something breaks."""

from __future__ import annotations

import hmac

import structlog
from fastapi import HTTPException
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailbot.store.database import StoreTrouble

CONTENT_SECURITY_POLICY = "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
MAX_FORM_BYTES = 65_536
MAX_API_BYTES = 4 * 1024 * 1024
"""10,000 addresses of the longest kind (RFC 5321 §4.5.3.1: 254) fit with their JSON."""
RETRY_AFTER_SECONDS = 30
STORE_IS_DOWN = (StoreTrouble, OperationalError, InterfaceError)

_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_NO_STORE = (b"cache-control", b"no-store")
_STATIC = (b"cache-control", b"public, max-age=86400")

_log = structlog.get_logger("mailbot.web")


class Shield:
    """Security headers on every answer, a limit on every body, and no exception text to anybody.

    What breaks is logged by its type and the route's pattern only: URLs hold tokens and exception texts
    may hold data (law 9).
    """

    def __init__(self, app: ASGIApp, https: bool) -> None:
        self._app = app
        self._headers = (*_HEADERS, _HSTS) if https else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, shielded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_shielded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = self._with_headers(scope["path"], message.get("headers", []))
            await send(message)

        try:
            await self._app(scope, _limited(scope, receive), send_shielded)
        except Exception as trouble:  # noqa: BLE001 - the last door: nothing may leave with a traceback
            _log.error("web.broken", route=route_of(scope), trouble=type(trouble).__name__)
            if not started:
                await Response("Something went wrong on our side.", 500)(scope, receive, send_shielded)

    def _with_headers(self, path: str, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        caching = _STATIC if path.startswith("/static/") else _NO_STORE
        given = {name.lower() for name, _ in headers}  # a page may be stricter than the site
        return [*headers, *(pair for pair in (*self._headers, caching) if pair[0] not in given)]


def route_of(scope: Scope) -> str:
    """The pattern of the route that answers, such as "/u/{token}": the path itself would tell a token."""
    route = scope.get("route")
    pattern = getattr(route, "path", "")
    return f"{scope.get('root_path', '')}{pattern}" or "?"


def secret_equals(given: str, expected: str) -> bool:
    """Whether two secrets are the same; takes as long either way."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def comes_from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site sent this (Fetch Metadata; `Origin` is null under no-referrer)."""
    return request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def _limited(scope: Scope, receive: Receive) -> Receive:
    limit = MAX_API_BYTES if scope["path"].startswith("/api/") else MAX_FORM_BYTES
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    too_large = not declared.isdigit() or int(declared) > limit
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        if too_large:
            raise HTTPException(413, "the request is too large")
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413, "the request is too large")
        return message

    return receive_limited
