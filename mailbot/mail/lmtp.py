"""Mail pushed in by our own mail server (LMTP, RFC 2033): "taken" is said only once it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailbot.mail.any_port import AnyPort
from mailbot.mail.rate import RateLimit

LINE_BYTES = 1 << 20
"""Longer than SMTP allows: a request is not lost because some program never broke its lines."""
MOST_RECIPIENTS = 100
TOO_LARGE = "552 5.3.4 too large"
TOO_MANY_CONNECTIONS = "421 4.3.2 too many connections, try again later"
TOO_MANY_MAILS = "451 4.7.1 too many mails, try again later"
TOO_MANY_RECIPIENTS = "452 4.5.3 too many recipients, send another copy for them"

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LmtpMail:
    """One mail for one recipient. `envelope_from` is empty for the null sender."""

    envelope_from: str
    recipient: str
    raw: bytes


class LmtpAnswer(Enum):
    """What the delivering server is told of one recipient."""

    TAKEN = "250 2.0.0 taken"
    UNKNOWN_RECIPIENT = "550 5.1.1 no such address here"
    LATER = "451 4.3.0 cannot be stored now, try again later"


Accept = Callable[[LmtpMail], LmtpAnswer]
Knows = Callable[[str], LmtpAnswer]


@dataclass(frozen=True, slots=True)
class LmtpLimits:
    """What is taken at most; beyond it the delivering server is asked to come again, but for a mail too large."""

    max_message_bytes: int = 26_214_400
    max_connections: int = 50
    max_per_minute: int = 3_000


class LmtpDoor:
    """Listens from `start` to `stop`. `accept` stores one mail durably before it answers; `knows` says of a recipient
    whether mail for it may come. Both run in threads, and an exception of theirs is answered with 451, so that the
    delivering server keeps the mail.
    """

    def __init__(
        self,
        listen: str,
        accept: Accept,
        knows: Knows = lambda _: LmtpAnswer.TAKEN,
        limits: LmtpLimits | None = None,
    ) -> None:
        host, _, port = listen.rpartition(":")
        limits = limits or LmtpLimits()
        self._controller = _LmtpController(
            _Handler(accept, knows, RateLimit(limits.max_per_minute)),
            hostname=host.strip("[]") or "127.0.0.1",
            port=int(port),
            data_size_limit=limits.max_message_bytes,
            enable_SMTPUTF8=True,
            server_hostname="mailbot",
            ident="mailbot",
        )
        self._controller.max_connections = limits.max_connections

    @property
    def port(self) -> int:
        """Where it listens; of interest when it was told to listen on port 0."""
        return int(self._controller.port)

    def start(self) -> None:
        """Mail is taken. Raises: OSError when the address is in use."""
        self._controller.start()

    def stop(self) -> None:
        """No mail is taken any more; what was not answered yet stays with the delivering server."""
        self._controller.stop()


class _Lmtp(LMTP):
    line_length_limit = LINE_BYTES

    def __init__(self, handler: _Handler, controller: _LmtpController, **options: Any) -> None:
        self._controller = controller
        super().__init__(handler, **options)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """One more is connected; aiosmtpd's door."""
        self._controller.connections += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """One less is connected; aiosmtpd's door."""
        self._controller.connections -= 1
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        if self._controller.connections > self._controller.max_connections:
            await self.push(TOO_MANY_CONNECTIONS)
            self._writer.close()
            return
        await super()._handle_client()

    async def push(self, status: str | bytes) -> None:
        """After the content LMTP wants an answer for each recipient; aiosmtpd gives one when it is too large."""
        text = status if isinstance(status, str) else status.decode("utf-8", "replace")
        if text.startswith(("552 Error: Too much", "500 Line too long")):
            recipients = self.envelope.rcpt_tos if self.envelope else [""]
            text = "\r\n".join([TOO_LARGE] * len(recipients))
        await super().push(text)


class _LmtpController(AnyPort):
    connections = 0
    max_connections = 0

    def factory(self) -> SMTP:
        return _Lmtp(self.handler, self, **self.SMTP_kwargs)


class _Handler:
    """aiosmtpd's doors."""

    def __init__(self, accept: Accept, knows: Knows, rate: RateLimit) -> None:
        self._accept = accept
        self._knows = knows
        self._rate = rate

    async def handle_MAIL(  # noqa: N802  # named by aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A mail begins, unless there were too many."""
        if not self._rate.try_take():
            return TOO_MANY_MAILS
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 go on"

    async def handle_RCPT(  # noqa: N802  # named by aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """A recipient we do not know is refused here, so that the mail never comes."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return TOO_MANY_RECIPIENTS
        answer = await _in_thread(self._knows, address)
        if answer is not LmtpAnswer.TAKEN:
            return str(answer.value)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 go on"

    async def handle_DATA(  # noqa: N802  # named by aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """One answer for each recipient, in their order (RFC 2033 §4.2)."""
        sender = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        answers = [await _in_thread(self._accept, LmtpMail(sender, each, raw)) for each in envelope.rcpt_tos]
        return "\r\n".join(answer.value for answer in answers)

    async def handle_exception(self, error: Exception) -> str:
        """aiosmtpd would tell the other side what went wrong inside."""
        log.error("lmtp.failed", error=type(error).__name__)
        return LmtpAnswer.LATER.value


async def _in_thread(ask: Callable[[T], LmtpAnswer], what: T) -> LmtpAnswer:
    """The answer of `ask`; LATER where it raises."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(None, ask, what)
    except Exception as error:  # noqa: BLE001  # whatever it is, the mail must stay with the delivering server
        log.error("lmtp.not_stored", error=type(error).__name__)
        return LmtpAnswer.LATER
