"""An IMAP or SMTP server that does at STARTTLS what an attacker on the way would."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.servers.certificates import Certificates

Answer = Callable[[bytes, bool], bytes]
"""Gets a line without its end and whether the connection is protected by now; gives what to send."""


class StarttlsServer:
    """Greets and answers by `answer`; after an answer to STARTTLS that says yes it speaks TLS, where it has
    certificates, else hangs up. `clear` are the lines that came unprotected."""

    def __init__(self, greeting: bytes, answer: Answer, certificates: Certificates | None = None) -> None:
        self._greeting, self._answer = greeting, answer
        self._context: ssl.SSLContext | None = None
        if certificates:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificates.server, certificates.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.clear: list[bytes] = []
        self.protected: list[bytes] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            connection.sendall(self._greeting)
            if not self._serve(connection, self.clear, is_protected=False) or self._context is None:
                return
            with self._context.wrap_socket(connection, server_side=True) as protected:
                self._serve(protected, self.protected, is_protected=True)

    def _serve(self, connection: socket.socket, lines: list[bytes], *, is_protected: bool) -> bool:
        """True when TLS is to begin."""
        received = b""
        while octets := connection.recv(4096):
            *whole, received = (received + octets).split(b"\r\n")
            for line in whole:
                lines.append(line)
                answer = self._answer(line, is_protected)
                connection.sendall(answer)
                if b"STARTTLS" in line.upper() and (answer[:3] == b"220" or b" OK" in answer):
                    return True
        return False


class TlsServer(StarttlsServer):
    """The same, protected from the first byte on."""

    def _talk(self, connection: socket.socket) -> None:
        assert self._context is not None
        with (
            contextlib.suppress(OSError),
            self._context.wrap_socket(connection, server_side=True) as protected,
        ):
            protected.sendall(self._greeting)
            self._serve(protected, self.protected, is_protected=True)
