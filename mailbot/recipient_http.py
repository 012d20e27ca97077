"""One recipient told by HTTP. Nothing it says is believed but the status, and nothing of its answer is read.

TLS is verified, redirects are not followed, no personal data stands in the URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from requests import PreparedRequest, RequestException, Session
from requests.adapters import HTTPAdapter

from mailbot.core.telling import (
    Channel,
    Recipient,
    Telling,
    opendsr_body,
    webhook_body,
    webhook_signature,
)
from mailbot.mail.tls import tls_context

CONNECT_SECONDS, ANSWER_SECONDS = 10, 30
LONGEST_WAIT_SECONDS = 24 * 3600
_KNOWN_ALREADY = 409
_PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Told:
    """The recipient has it."""


@dataclass(frozen=True, slots=True)
class Later:
    """Worth another try, not before so many seconds have passed."""

    reason: str
    after_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """Trying again changes nothing before somebody has looked at it."""

    reason: str


def tell(recipient: Recipient, telling_id: UUID, telling: Telling, now: datetime) -> Told | Later | Refused:
    """The recipient was asked, once. Its answer counts by its status alone: 2xx is yes, so is 409, by which it says
    that it knows the id; 408, 425, 429 and 5xx may pass; everything else is no."""
    body = _body(recipient, telling_id, telling)
    headers = _headers(recipient, telling_id, body, now)
    try:
        with _session(recipient.ca_file) as session:
            answer = session.post(
                recipient.url,
                data=body,
                headers=headers,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
                stream=True,  # what it says beside the status is neither read nor kept
            )
            with answer:
                return _meant(answer.status_code, answer.headers.get("Retry-After", ""), now)
    except (RequestException, OSError) as error:
        return Later(f"cannot be reached ({type(error).__name__})")


def _meant(status: int, retry_after: str, now: datetime) -> Told | Later | Refused:
    if 200 <= status < 300 or status == _KNOWN_ALREADY:
        return Told()
    if status in _PASSING or status >= 500:
        return Later(f"answers {status}", _seconds(retry_after, now))
    if 300 <= status < 400:
        return Refused(f"answers {status}: it redirects; configure the address it leads to")
    return Refused(f"answers {status}")


def _body(recipient: Recipient, telling_id: UUID, telling: Telling) -> bytes:
    if recipient.channel is Channel.OPENDSR:
        return opendsr_body(telling_id, telling)
    return webhook_body(telling_id, telling)


def _headers(recipient: Recipient, telling_id: UUID, body: bytes, now: datetime) -> dict[str, str]:
    """Signed anew at each try: the time is part of what is signed, the id stays."""
    headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "mailbot"}
    headers["Idempotency-Key"] = str(telling_id)
    if recipient.authorization:
        headers["Authorization"] = recipient.authorization
    if recipient.secret:
        stamp = int(now.timestamp())
        headers["webhook-id"] = str(telling_id)
        headers["webhook-timestamp"] = str(stamp)
        headers["webhook-signature"] = webhook_signature(recipient.secret, telling_id, stamp, body)
    return headers


def _seconds(retry_after: str, now: datetime) -> float:
    """How long the recipient wants us to wait (RFC 9110 §10.2.3), a day at most."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after), LONGEST_WAIT_SECONDS)
    try:
        seconds = (parsedate_to_datetime(retry_after) - now).total_seconds()
    except (ValueError, TypeError):
        return 0
    return min(max(seconds, 0), LONGEST_WAIT_SECONDS)


def _session(ca_file: Path | None) -> Session:
    session = Session()
    session.auth = _no_auth  # or else requests takes one from ~/.netrc
    session.mount("https://", _Trusting(ca_file))
    return session


def _no_auth(request: PreparedRequest) -> PreparedRequest:
    return request


class _Trusting(HTTPAdapter):
    """Trusts the CAs of the system and the one configured, as every other connection of ours."""

    def __init__(self, ca_file: Path | None) -> None:
        self._ca_file = ca_file
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=tls_context(self._ca_file), **options)
