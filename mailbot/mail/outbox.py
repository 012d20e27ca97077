"""Sending mail by SMTP, one mail to one recipient at a time, over a connection that is kept."""

from __future__ import annotations

import base64
import contextlib
import functools
import re
import smtplib
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from mailbot.mail.access_tokens import AccessTokens
from mailbot.mail.oauth2 import TokenTrouble
from mailbot.mail.rate import RateLimit
from mailbot.mail.settings import OAuth2Settings, Security, SmtpSettings
from mailbot.mail.smtp_answers import Later, Outcome, Refused, Sent, as_octets, describe_error, judge
from mailbot.mail.tls import cleartext_refusal, protection, tls_context

__all__ = ["Later", "Outcome", "Refused", "Sent", "SmtpConnection"]

MAILS_A_CONNECTION = 500
IDLE_AT_MOST_SECONDS = 30.0
"""A connection that was quiet for longer may be gone without our knowing: a new one is opened."""

_UNFIT = re.compile(r"[\x00-\x20\x7f-\x9f<>]")
_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_ConnectionFailure = (smtplib.SMTPException, OSError)


class SmtpConnection:
    """A connection to the sending server, opened when it is needed and again when it was dropped.

    `send` never raises for what server or network do. Not for several threads at once.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        *,
        tokens: AccessTokens | None = None,
        rate: RateLimit | None = None,
        mails_a_connection: int = MAILS_A_CONNECTION,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self._tokens = tokens or AccessTokens()
        self._rate = rate or RateLimit(settings.max_per_minute, clock, sleep)
        self._mails_a_connection = mails_a_connection
        self._clock = clock
        self._smtp: smtplib.SMTP | None = None
        self._sent = 0
        self._used_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """No connection any more."""
        if self._smtp is not None:
            with contextlib.suppress(*_ConnectionFailure):
                self._smtp.quit()
        self._drop()

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> Outcome:
        """What became of the mail. `envelope_from` may be empty (the null sender, RFC 5321 §4.5.5).

        A `Later` after the content was handed over may have been sent all the same: send the same bytes again.
        """
        if _UNFIT.search(envelope_from) or _UNFIT.search(recipient) or "@" not in recipient:
            return Refused("the address cannot be used in SMTP", None)
        self._rate.take()
        refusal = self._ready()
        if refusal is not None:
            return refusal
        return self._deliver(envelope_from, recipient, _with_line_ends(raw))

    def check(self) -> list[str]:
        """What the server can do, a sentence each. Raises: OSError with the reason in words when it cannot be used."""
        refusal = self._ready()
        if refusal is not None or self._smtp is None:
            raise ConnectionError(refusal.reason if refusal else "no connection")
        smtp, where = self._smtp, f"{self.settings.host}:{self.settings.port}"
        login = f"logged in as {self.settings.username}" if self.settings.username else "no login configured"
        features = ", ".join(sorted(name.upper() for name in smtp.esmtp_features))
        return [
            f"connected to {where}, {protection(smtp.sock)}",
            login,
            f"the server offers {features or 'no extensions'}",
        ]

    def _ready(self) -> Later | None:
        """None when there is a connection to use; otherwise why there is none."""
        if self._smtp is not None and self._is_worn():
            self.close()
        if self._smtp is not None:
            return None
        refusal = cleartext_refusal(self.settings.host, allowed=self.settings.allow_cleartext)
        if self.settings.security is Security.NONE and refusal:
            return Later(refusal, None)
        try:
            self._open()
        except (*_ConnectionFailure, UnicodeError, TokenTrouble) as error:
            self._drop()
            where = f"{self.settings.host}:{self.settings.port}"
            return Later(f"{where}: {describe_error(error)}", getattr(error, "smtp_code", None))
        return None

    def _is_worn(self) -> bool:
        return self._sent >= self._mails_a_connection or self._clock() - self._used_at > IDLE_AT_MOST_SECONDS

    def _open(self) -> None:
        settings = self.settings
        context = None if settings.security is Security.NONE else tls_context(settings.ca_file)
        if settings.security is Security.TLS:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                local_hostname=_own_name(), timeout=settings.timeout_seconds, context=context
            )
        else:
            smtp = smtplib.SMTP(local_hostname=_own_name(), timeout=settings.timeout_seconds)
        self._smtp, self._sent, self._used_at = smtp, 0, self._clock()
        # smtplib takes the name to check in the certificate from here when it connects by itself only.
        smtp._host = settings.host  # type: ignore[attr-defined]  # as its own constructor does
        code, text = smtp.connect(settings.host, settings.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        if settings.security is Security.STARTTLS:
            smtp.starttls(context=context)  # raises when refused: never goes on in clear text
        smtp.ehlo_or_helo_if_needed()
        if settings.username:
            _log_in(smtp, settings, self._tokens)
        if smtp.sock is not None:
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None

    def _deliver(self, envelope_from: str, recipient: str, raw: bytes) -> Outcome:
        fresh = self._sent == 0
        try:
            return self._transaction(envelope_from, recipient, raw)
        except _BeforeContent as early:
            self._drop()
            if fresh or self._ready() is not None:
                return Later(f"{self.settings.host}: {describe_error(early.cause)}", None)
            return self._deliver(envelope_from, recipient, raw)  # a fresh connection now: once only
        except _ConnectionFailure as error:
            self._drop()
            return Later(f"{self.settings.host}: {describe_error(error)} while sending", None)

    def _transaction(self, envelope_from: str, recipient: str, raw: bytes) -> Outcome:
        smtp = self._smtp
        if smtp is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        options = _mail_options(smtp, envelope_from, recipient, raw)
        if options is None:
            return Refused("the server takes no international addresses (SMTPUTF8)", None)
        smtp.command_encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
        outcome = self._envelope(smtp, envelope_from, recipient, options)
        if isinstance(outcome, Sent):
            outcome = self._content(smtp, raw)
        self._sent += 1
        self._used_at = self._clock()
        if not isinstance(outcome, Sent):
            self._clean_up(smtp, outcome)
        return outcome

    def _envelope(self, smtp: smtplib.SMTP, envelope_from: str, recipient: str, options: str) -> Outcome:
        try:
            code, text = smtp.docmd("MAIL", f"FROM:<{envelope_from}>{options}")
            if code == 421:
                raise smtplib.SMTPServerDisconnected("421")
        except _ConnectionFailure as error:
            raise _BeforeContent(error) from error
        sender = judge(code, text, "sender")
        if not isinstance(sender, Sent):
            return sender
        code, text = smtp.docmd("RCPT", f"TO:<{recipient}>")
        return judge(code, text, "recipient")

    def _content(self, smtp: smtplib.SMTP, raw: bytes) -> Outcome:
        try:
            code, text = smtp.data(raw)
        except smtplib.SMTPDataError as refused:
            code, text = refused.smtp_code, as_octets(refused.smtp_error)
        return judge(code, text, "content")

    def _clean_up(self, smtp: smtplib.SMTP, outcome: Later | Refused) -> None:
        """The next mail starts afresh. After a success it does so anyway (RFC 5321 §4.1.1.4)."""
        if outcome.code == 421:
            self._drop()
            return
        try:
            code, _ = smtp.rset()
        except _ConnectionFailure:
            code = 0
        if code != 250:
            self._drop()


@functools.cache
def _own_name() -> str:
    """The name for EHLO; finding it may ask DNS, so it is asked once."""
    return smtplib.SMTP().local_hostname


def _log_in(smtp: smtplib.SMTP, settings: SmtpSettings, tokens: AccessTokens) -> None:
    """smtplib's own login takes ASCII only; PLAIN takes any password (RFC 4616)."""
    if settings.oauth2 is not None:
        _by_token(smtp, settings, settings.oauth2, tokens)
    elif (settings.username + settings.password).isascii():
        smtp.login(settings.username, settings.password)
    else:
        _authenticate(smtp, "PLAIN", f"\0{settings.username}\0{settings.password}")


def _by_token(
    smtp: smtplib.SMTP, settings: SmtpSettings, oauth2: OAuth2Settings, tokens: AccessTokens
) -> None:
    """With a fresh token where the one at hand is refused: it may have been withdrawn, or our clock be wrong."""
    token = tokens.token(oauth2, settings.timeout_seconds)
    try:
        _bearer_login(smtp, settings, token)
    except smtplib.SMTPAuthenticationError:
        if not tokens.refused(oauth2, token):
            raise
        _bearer_login(smtp, settings, tokens.token(oauth2, settings.timeout_seconds))


def _bearer_login(smtp: smtplib.SMTP, settings: SmtpSettings, token: str) -> None:
    """By the standard way (RFC 7628) where the server knows it; Microsoft knows only the older one."""
    if "OAUTHBEARER" in smtp.esmtp_features.get("auth", "").upper().split():
        name = settings.username.replace("=", "=3D").replace(",", "=2C")
        where = f"host={settings.host}\1port={settings.port}"
        _authenticate(smtp, "OAUTHBEARER", f"n,a={name},\1{where}\1auth=Bearer {token}\1\1", "\1")
    else:
        _authenticate(smtp, "XOAUTH2", f"user={settings.username}\1auth=Bearer {token}\1\1")


def _authenticate(smtp: smtplib.SMTP, mechanism: str, answer: str, end: str = "") -> None:
    """Logged in. A server that says by 334 what it dislikes wants `end` before it says no (RFC 7628 §3.2.3)."""
    code, text = smtp.docmd("AUTH", f"{mechanism} {_base64(answer)}")
    if code == 334:
        code, text = smtp.docmd(_base64(end))
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, text)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class _BeforeContent(Exception):
    """The connection failed before the server can have seen anything of this mail but its sender."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


def _mail_options(smtp: smtplib.SMTP, envelope_from: str, recipient: str, raw: bytes) -> str | None:
    """Parameters of MAIL FROM; None when the server lacks what the mail needs."""
    options = ""
    if "size" in smtp.esmtp_features:
        options += f" SIZE={len(raw)}"
    plain = raw.isascii()
    if not plain and "8bitmime" in smtp.esmtp_features:
        options += " BODY=8BITMIME"
    international = not (envelope_from + recipient).isascii()
    if international or (not plain and not raw.partition(b"\r\n\r\n")[0].isascii()):
        if "smtputf8" not in smtp.esmtp_features:
            return None
        options += " SMTPUTF8"
    return options


def _with_line_ends(raw: bytes) -> bytes:
    """CRLF everywhere: bare CR or LF lets one server see an end of the mail where another sees none."""
    if raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r"):
        return raw
    return _BARE_LINE_END.sub(b"\r\n", raw)
