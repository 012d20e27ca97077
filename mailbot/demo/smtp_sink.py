"""A mail server that keeps what it gets, in memory: the other side of every answer, and the platform's MX."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from mailbot.mail.any_port import AnyPort

HOST = "127.0.0.1"
TAKEN = "250 2.0.0 taken"
Deliver = Callable[[bytes], None]


def _nowhere(_recipient: str) -> Deliver | None:
    return None


@dataclass(frozen=True, slots=True)
class SinkMail:
    """One mail as it arrived. `envelope_from` is empty for the null sender."""

    envelope_from: str
    recipients: tuple[str, ...]
    raw: bytes


class SmtpSink:
    """Listens on loopback from `__enter__` on; `mails` grows as they come.

    `forward` says of a recipient (lower case) where its mail is handed on to before it is answered with 250.
    `answers` names, by recipient, what RCPT is answered instead of 250; `content_answers` the same after DATA.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        forward: Callable[[str], Deliver | None] = _nowhere,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        login: tuple[str, str] | None = None,
        utf8: bool = True,
    ) -> None:
        self.mails: list[SinkMail] = []
        self.answers: dict[str, str] = {}
        self.content_answers: dict[str, str] = {}
        self.connections = 0
        self._forward = forward
        self._arrived = threading.Condition()
        self._login = login
        self._controller: Controller = AnyPort(
            self,
            hostname=HOST,
            port=port,
            ssl_context=tls if implicit_tls else None,
            tls_context=None if implicit_tls else tls,
            auth_required=login is not None,
            auth_require_tls=tls is not None and not implicit_tls,
            authenticator=self._authenticate,
            enable_SMTPUTF8=utf8,
            server_hostname="mx.demo.example",
            ident="mailbot demo",
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._controller.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()

    def mails_for(self, address: str) -> list[SinkMail]:
        """What came for `address`, oldest first."""
        wanted = address.lower()
        with self._arrived:
            return [mail for mail in self.mails if wanted in map(str.lower, mail.recipients)]

    def wait_for(self, address: str, count: int = 1, seconds: float = 10) -> list[SinkMail]:
        """At least `count` mails for `address`. Raises: TimeoutError when they do not come in time."""
        until = time.monotonic() + seconds
        with self._arrived:
            while len(found := self.mails_for(address)) < count:
                if not self._arrived.wait(until - time.monotonic()):
                    raise TimeoutError(f"{len(found)} of {count} mails came within {seconds} s")
        return found

    def clear(self) -> None:
        """Nothing has arrived yet."""
        with self._arrived:
            self.mails.clear()

    async def handle_EHLO(  # noqa: N802  # named by aiosmtpd
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Counts connections; aiosmtpd's door."""
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802  # named by aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Takes any recipient but those in `answers`; aiosmtpd's door."""
        answer = self.answers.get(address.lower(), "250 2.1.5 fine")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802  # named by aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keeps the mail and hands it on; aiosmtpd's door."""
        recipients = tuple(envelope.rcpt_tos)
        refusals = [self.content_answers[each] for each in recipients if each in self.content_answers]
        if refusals:
            return refusals[0]
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        sender = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
        await self._hand_on(recipients, raw)
        with self._arrived:
            self.mails.append(SinkMail(sender, recipients, raw))
            self._arrived.notify_all()
        return TAKEN

    async def _hand_on(self, recipients: tuple[str, ...], raw: bytes) -> None:
        targets = {self._forward(each.lower()) for each in recipients}
        for target in (target for target in targets if target is not None):
            await asyncio.get_running_loop().run_in_executor(None, target, raw)

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=self._login is not None and given == self._login, handled=False)
