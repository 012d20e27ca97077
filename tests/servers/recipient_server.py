"""A recipient of personal data on loopback: takes webhooks and OpenDSR requests, and fails in set ways."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.servers.certificates import Certificates


@dataclass(frozen=True)
class Taken:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """What it says."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


@dataclass
class RecipientServer:
    """Answers each request with the next of `faults` while there are some, then 201. A fault is a status (with
    headers) or "hang up". `on_request` is called before the answer."""

    faults: list[int | str | tuple[int, dict[str, str]]] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    certificates: Certificates | None = None
    on_request: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.taken.append(Taken(self.path, headers, body))
                outer.on_request()
                fault = outer.faults.pop(0) if outer.faults else 201
                if fault == "hang up":
                    self.connection.close()
                    return
                status, more = fault if isinstance(fault, tuple) else (int(fault), {})
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

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
        """Where it listens."""
        scheme = "https" if self.certificates else "http"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}/told"
