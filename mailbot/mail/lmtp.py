"""Mail pushed in by our own mail server (LMTP, RFC 2033): "taken" is said only once it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailbot.mail.any_port import AnyPort

MAX_MESSAGE_BYTES = 26_214_400
LINE_BYTES = 1 << 20
"""Longer than SMTP allows: a request is not lost because some program never broke its lines."""
TOO_LARGE = "552 5.3.4 too large"

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


class LmtpDoor:
    """Listens from `start` to `stop`. `accept` stores one mail durably before it answers; it runs in threads.

    An exception of `accept` is answered with 451, so that the delivering server keeps the mail.
    """

    def __init__(self, listen: str, accept: Accept, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        host, _, port = listen.rpartition(":")
        self._controller = _LmtpController(
            _Handler(accept),
            hostname=host.strip("[]") or "127.0.0.1",
            port=int(port),
            data_size_limit=max_message_bytes,
            enable_SMTPUTF8=True,
            server_hostname="mailbot",
            ident="mailbot",
        )

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

    async def push(self, status: str | bytes) -> None:
        """After the content LMTP wants an answer for each recipient; aiosmtpd gives one when it is too large."""
        text = status if isinstance(status, str) else status.decode("utf-8", "replace")
        if text.startswith(("552 Error: Too much", "500 Line too long")):
            recipients = self.envelope.rcpt_tos if self.envelope else [""]
            text = "\r\n".join([TOO_LARGE] * len(recipients))
        await super().push(text)


class _LmtpController(AnyPort):
    def factory(self) -> SMTP:
        return _Lmtp(self.handler, **self.SMTP_kwargs)


class _Handler:
    """aiosmtpd's doors."""

    def __init__(self, accept: Accept) -> None:
        self._accept = accept

    async def handle_DATA(  # noqa: N802  # named by aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """One answer for each recipient, in their order (RFC 2033 §4.2)."""
        sender = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        answers = [await self._answer(LmtpMail(sender, each, raw)) for each in envelope.rcpt_tos]
        return "\r\n".join(answer.value for answer in answers)

    async def handle_exception(self, error: Exception) -> str:
        """aiosmtpd would tell the other side what went wrong inside."""
        log.error("lmtp.failed", error=type(error).__name__)
        return LmtpAnswer.LATER.value

    async def _answer(self, mail: LmtpMail) -> LmtpAnswer:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(None, self._accept, mail)
        except Exception as error:  # noqa: BLE001  # whatever it is, the mail must stay with the delivering server
            log.error("lmtp.not_stored", error=type(error).__name__)
            return LmtpAnswer.LATER
