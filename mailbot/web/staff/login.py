"""Who is logged in; the door every staff page is behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from mailbot.store import staff
from mailbot.web.forms import Form, button, page
from mailbot.web.limits import Attempts
from mailbot.web.pages import Pages
from mailbot.web.parts import Parts
from mailbot.web.security import comes_from_elsewhere, secret_equals

QUEUE = "/staff/"
LOGIN = "/staff/login"
_TRIES, _TRY_MINUTES = 10, 15
_LONGEST_NAME, _LONGEST_PASSWORD = 200, 1_000


@dataclass(frozen=True, slots=True)
class Login:
    """Who is logged in. `by` is the account's id, as the ledger names staff; `session` binds a grant to this login."""

    name: str
    by: str
    csrf: str
    session: str


class Gate:
    """Lets staff through, with their CSRF token on everything that changes something."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts, self._pages = parts, pages
        self.cookie = "__Host-mailbot" if parts.config.web.secure_cookies else "mailbot"
        self.secure = parts.config.web.secure_cookies

    def page(self, path: str, show: Callable[[Request, Login], Response]) -> Route:
        """GET of `path` for those who are logged in."""

        def guarded(request: Request) -> Response:
            login = self.login(request)
            return show(request, login) if login else _to(LOGIN)

        return page(path, guarded)

    def button(self, path: str, act: Callable[[Request, Login, Form], Response]) -> Route:
        """POST of a form to `path` from a page of this very login."""

        def guarded(request: Request, form: Form) -> Response:
            login = self.login(request)
            if login is None:
                return _to(LOGIN)
            if comes_from_elsewhere(request) or not secret_equals(form.get("csrf", ""), login.csrf):
                return self._pages.problem(request, 403)
            return act(request, login, form)

        return button(path, guarded)

    def login(self, request: Request) -> Login | None:
        """Who is logged in with the request's cookie."""
        cookie = request.cookies.get(self.cookie, "")
        if not cookie:
            return None
        with self._parts.store.read() as tx:
            found = staff.session_of(tx, cookie, self._parts.clock())
            if found is None:
                return None
            person, session = found
            return Login(person.name, str(person.id), session.csrf, session.digest.hex())

    def show(self, template: str, login: Login, status: int = 200, **values: Any) -> Response:
        """A staff page: always English."""
        return self._pages.show(f"staff/{template}", "en", status, login=login, **values)


class LoginPages:
    """Logging in and out."""

    def __init__(self, parts: Parts, pages: Pages, gate: Gate) -> None:
        self._parts, self._pages, self._gate = parts, pages, gate
        self._tries = Attempts(_TRIES, timedelta(minutes=_TRY_MINUTES), parts.clock)

    def routes(self) -> list[BaseRoute]:
        """The routes."""
        return [
            page(LOGIN, self.show),
            button(LOGIN, self.log_in),
            self._gate.button("/staff/logout", self.log_out),
            page("/staff", lambda _: _to(QUEUE)),
        ]

    def show(self, request: Request) -> Response:
        """The form."""
        return _to(QUEUE) if self._gate.login(request) else self._form(200, "")

    def log_in(self, request: Request, form: Form) -> Response:
        """A session for a right name and password; one answer for every wrong one, whatever the reason."""
        if comes_from_elsewhere(request):
            return self._pages.problem(request, 403)
        if self._tries.exhausted(request):
            return self._form(429, "Too many tries. Wait a quarter of an hour.")
        name, password = form.get("name", "").strip(), form.get("password", "")
        cookie = self._try(name, password)
        if cookie is None:
            self._tries.failed(request)
            return self._form(401, "Name and password do not open an account, or it may not be used now.")
        response = _to(QUEUE)
        response.set_cookie(
            self._gate.cookie,
            cookie,
            max_age=staff.SESSION_HOURS * 3600,
            httponly=True,
            secure=self._gate.secure,
            samesite="strict",
        )
        return response

    def log_out(self, request: Request, _: Login, __: Form) -> Response:
        """The session is ended."""
        with self._parts.store.begin() as tx:
            staff.log_out(tx, request.cookies.get(self._gate.cookie, ""))
        response = _to(LOGIN)
        response.delete_cookie(self._gate.cookie, secure=self._gate.secure, httponly=True, samesite="strict")
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def _try(self, name: str, password: str) -> str | None:
        if len(name) > _LONGEST_NAME or len(password) > _LONGEST_PASSWORD:
            return None
        found = staff.log_in(self._parts.store, name, password, self._parts.clock())
        return found[0] if found else None

    def _form(self, status: int, message: str) -> Response:
        response = self._pages.show("staff/login.html", "en", status, message=message, login=None)
        if status == 429:
            response.headers["Retry-After"] = str(self._tries.retry_after_seconds)
        return response


def _to(path: str) -> Response:
    return RedirectResponse(path, 303)
