"""An authorization server (RFC 6749) on loopback: gives tokens that the private Dovecot takes."""

from __future__ import annotations

import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import RSAKey

from mailbot.mail.settings import OAuth2Settings
from tests.servers.certificates import Certificates
from tests.servers.dovecot import web_token

KEY = b"0123456789abcdef0123456789abcdef"
CLIENT, SECRET, FIRST_REFRESH_TOKEN = "mailbot", "s3cret", "r3fresh0"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

Answer = tuple[int, bytes]


@dataclass
class TokenServer:
    """Gives `user` tokens that say they hold for `seconds`. `rotating`: each refresh token works once.

    `fixed` is answered to everything instead; `locked_out` makes every refresh token worthless."""

    user: str
    seconds: int = 3600
    rotating: bool = False
    fixed: Answer | None = None
    account_key: RSAKey | None = None
    certificates: Certificates | None = None
    location: str = ""
    forms: list[dict[str, str]] = field(default_factory=list)
    claims: list[dict[str, object]] = field(default_factory=list)
    refresh_token: str = FIRST_REFRESH_TOKEN
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = {
                    name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()
                }
                with outer._lock:
                    outer.forms.append(form)
                    status, answer = outer.fixed or outer._answer(form)
                self.send_response(status)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if self.certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificates.server, self.certificates.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Its token_url."""
        scheme = "https" if self.certificates else "http"
        return f"{scheme}://127.0.0.1:{self._server.server_port}/token"

    def settings(self, **changes: object) -> OAuth2Settings:
        """Settings that ask it by refresh token."""
        values: dict[str, object] = {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "refresh_token": FIRST_REFRESH_TOKEN,
        }
        return OAuth2Settings(self.url, **(values | changes))  # type: ignore[arg-type]  # typed by the reader

    def _answer(self, form: dict[str, str]) -> Answer:
        if form["grant_type"] == JWT_BEARER and self.account_key:
            self.claims.append(jwt.decode(form["assertion"], self.account_key, algorithms=["RS256"]).claims)
            return self._grant()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return 401, b'{"error": "invalid_client"}'
        if form["grant_type"] == "refresh_token" and form["refresh_token"] != self.refresh_token:
            return 400, b'{"error": "invalid_grant", "error_description": "alice"}'
        return self._grant()

    def _grant(self) -> Answer:
        token = web_token(KEY, self.user, self.seconds)
        granted = {"access_token": token, "token_type": "Bearer", "expires_in": self.seconds}
        if self.rotating:
            self.refresh_token = granted["refresh_token"] = f"r3fresh{next(self._numbers)}"
        return 200, json.dumps(granted).encode()
