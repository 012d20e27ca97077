"""Leave to see one case's personal data: given to one login by opening the case, which is logged; ends by itself.

It is a cookie bound by a keyed hash to session, case and end, so that it holds in every process and
after a restart, and needs no table.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from mailbot.store.encryption import Pseudonyms
from mailbot.web.security import secret_equals
from mailbot.web.staff.login import Login

GRANT_MINUTES = 60
_COOKIE = "mailbot-opened"


class Grants:
    """Gives and checks leave."""

    def __init__(self, pseudonyms: Pseudonyms, *, secure: bool) -> None:
        self._pseudonyms, self._secure = pseudonyms, secure

    def give(self, response: Response, login: Login, path: str, now: datetime) -> None:
        """The browser may show what lies under `path` ("/staff/case/…") for a while."""
        ends = int((now + timedelta(minutes=GRANT_MINUTES)).timestamp())
        response.set_cookie(
            _COOKIE,
            f"{ends}.{self._mark(login, path, ends)}",
            max_age=GRANT_MINUTES * 60,
            path=quote(path),
            httponly=True,
            secure=self._secure,
            samesite="strict",
        )

    def holds(self, request: Request, login: Login, path: str, now: datetime) -> bool:
        """Whether this login has opened `path` and the leave has not ended."""
        ends, _, mark = request.cookies.get(_COOKIE, "").partition(".")
        if not ends.isascii() or not ends.isdigit() or len(ends) > 12 or int(ends) <= now.timestamp():
            return False
        return secret_equals(mark, self._mark(login, path, int(ends)))

    def _mark(self, login: Login, path: str, ends: int) -> str:
        return self._pseudonyms.text("staff-opened", f"{login.session}|{path}|{ends}").hex()
