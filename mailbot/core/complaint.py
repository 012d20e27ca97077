"""A complaint that a mailbox provider passes on (ARF, RFC 5965): of what kind, and about which mail."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailbot.core.message import ParsedMail, Unreadable
from mailbot.core.parse import parse

_TYPE = re.compile(rb"^Feedback-Type:[ \t]*([a-z-]+)", re.MULTILINE | re.IGNORECASE)
_ENCLOSED = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers")
_LINK_TOKEN = re.compile(r"[\w-]{40,1000}")
_NO_COMPLAINT = frozenset({"auth-failure", "not-spam"})
"""Reports for those who keep domains (RFC 6591), and "this was no spam after all"."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Somebody called a mail spam. `tokens` stand in the List-Unsubscribe of that mail; whose they are is open."""

    tokens: tuple[str, ...]


def read_complaint(report: ParsedMail, raw: bytes) -> Complaint | None:
    """The complaint in a feedback report, or None when the report is no complaint about a mail."""
    kinds = [match[1].decode().lower() for part in _parts(report, raw, ("message/feedback-report",))
             if (match := _TYPE.search(part))]  # fmt: skip
    enclosed = _parts(report, raw, _ENCLOSED)
    if _NO_COMPLAINT.intersection(kinds) or not (kinds or enclosed):
        return None
    return Complaint(tuple(dict.fromkeys(token for part in enclosed for token in _tokens(part))))


def _parts(report: ParsedMail, raw: bytes, types: tuple[str, ...]) -> list[bytes]:
    return [raw[one.start : one.end] for one in report.attachments if one.content_type in types]


def _tokens(enclosed: bytes) -> list[str]:
    mail = parse(enclosed)
    if isinstance(mail, Unreadable):
        return []
    return [token for value in mail.header_all("list-unsubscribe") for token in _LINK_TOKEN.findall(value)]
