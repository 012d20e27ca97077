"""What a mail server's answer means for the mail, and for us."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass

from mailbot.mail.oauth2 import TokenTrouble

OUR_FAULT = frozenset({500, 501, 502, 503, 504, 521, 523, 530, 534, 535, 538})
"""Permanent codes that speak of the connection, the login or the protocol, never of this mail."""
TRY_LATER_AT_RECIPIENT = frozenset({552})
"""Too many recipients, in old servers' words (RFC 5321 §4.5.3.1.10)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The server has taken responsibility for the mail."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not sent, or not known to be sent; the same bytes may be tried again. No personal data in `reason`."""

    reason: str
    code: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Never to be sent like this: a person has to look. No personal data in `reason`."""

    reason: str
    code: int | None


Outcome = Sent | Later | Refused


def judge(code: int, text: bytes, stage: str) -> Outcome:
    """What `code` at `stage` ("sender", "recipient" or "content") says of the mail."""
    if 200 <= code < 300:
        return Sent()
    reason = f"{stage} refused: {describe(code, text)}"
    ours = code in OUR_FAULT and stage == "sender"
    if 500 <= code < 600 and not ours and not (stage == "recipient" and code in TRY_LATER_AT_RECIPIENT):
        return Refused(reason, code)
    return Later(reason, code)


def describe(code: int, text: bytes) -> str:
    """The codes only (RFC 5321, RFC 3463): servers like to repeat the address in their text."""
    enhanced = re.match(rb"\s*([245]\.\d{1,3}\.\d{1,3})\b", text)
    return f"{code} {enhanced[1].decode()}" if enhanced else str(code)


def describe_error(error: Exception) -> str:
    """Why there is no connection, with the mend where there is one; no personal data."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message}); renew it, or name its CA in ca_file"
        case ssl.SSLError():
            return f"no TLS ({error.reason}); check port and security"
        case smtplib.SMTPNotSupportedError():
            return 'it offers no STARTTLS or no login; check security ("tls"?), username and port'
        case smtplib.SMTPAuthenticationError():
            return f"login refused ({error.smtp_code}); check username and password"
        case smtplib.SMTPResponseException():
            return f"it answered {describe(error.smtp_code, as_octets(error.smtp_error))}"
        case smtplib.SMTPServerDisconnected() if isinstance(error.__context__, OSError):
            return describe_error(error.__context__)  # smtplib hides a timeout in it
        case smtplib.SMTPServerDisconnected():
            return "it closed the connection"
        case TimeoutError():
            return "no answer in time; check network and firewall"
        case TokenTrouble():
            return str(error)
        case OSError():
            return f"no connection ({error.strerror or type(error).__name__}); check host and port"
        case _:
            return type(error).__name__


def as_octets(text: bytes | str) -> bytes:
    """smtplib is not of one mind about the type of an answer's text."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")
