"""How final a bounce is: the delivery status (RFC 3464) where there is one, else what flufl.bounce reads in it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from email import message_from_bytes
from enum import StrEnum

from flufl.bounce import all_failures

from mailbot.core.message import ParsedMail

_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_GROUP_END = re.compile(rb"\r?\n[ \t]*\r?\n")
_ACTION = re.compile(rb"^Action:[ \t]*([a-z]+)", re.MULTILINE | re.IGNORECASE)
_STATUS = re.compile(rb"^Status:[ \t]*([245]\.\d{1,3}\.\d{1,3})", re.MULTILINE | re.IGNORECASE)
_REFUSAL = re.compile(
    r"(?:\b5[0-5]\d[ -]#?|#|\bstatus:?\s?)(5\.[0-7]\.\d{1,3})(?![\d.])"
    r"|\b(?:smtp|server|host|error|code|response|said|status|reason)\b[^\n]{0,60}\b5[0-5]\d[ -]",
    re.IGNORECASE,
)
"""What a server answered for good (RFC 5321 §4.2.1), as a letter quotes it; not any number, which may be a date."""
MAX_TEXT_LOOKED_AT = 8_000

logging.getLogger("flufl.bounce").disabled = True
"""It logs what it stumbles over with all details; a bounce holds addresses."""


class Finality(StrEnum):
    """What a bounce says will become of the letter, the gravest first."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    """The other server has given up, on trouble that may pass (4.x.x): sent anew it may arrive."""
    DELAYED = "delayed"
    """The other server is still trying."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one letter; `status` is the enhanced code (RFC 3463), empty where none is given."""

    finality: Finality
    status: str = ""

    def __str__(self) -> str:
        return f"{self.finality} {self.status}".strip()


def read_bounce(mail: ParsedMail, raw: bytes) -> Delivery:
    """The gravest delivery that the bounce reports. What it encloses (our letter, another bounce) does not count."""
    parts = [raw[one.start : one.end] for one in mail.attachments if one.content_type in _STATUS_TYPES]
    groups = [group for part in parts for group in _GROUP_END.split(part) if _ACTION.search(group)]
    if not groups:
        return _free_form(mail, raw)
    return min((_delivery(group) for group in groups), key=lambda one: list(Finality).index(one.finality))


def _delivery(group: bytes) -> Delivery:
    action = _ACTION.search(group)
    status = _STATUS.search(group)
    code = status[1].decode() if status else ""
    match (action[1].lower() if action else b"", code[:1]):
        case b"failed", "4":
            return Delivery(Finality.TEMPORARY, code)
        case b"failed", "5" | "":
            return Delivery(Finality.PERMANENT, code)
        case b"delayed", _:
            return Delivery(Finality.DELAYED, code)
        case _:
            return Delivery(Finality.UNKNOWN, code)


def _free_form(mail: ParsedMail, raw: bytes) -> Delivery:
    try:
        delayed, failed = all_failures(message_from_bytes(raw))
    except Exception:  # noqa: BLE001  # its detectors stumble over odd headers; then only the text speaks
        delayed, failed = frozenset(), frozenset()
    if delayed and not failed:
        return Delivery(Finality.DELAYED)
    code = _REFUSAL.search(mail.text[:MAX_TEXT_LOOKED_AT])
    return Delivery(Finality.PERMANENT if failed or code else Finality.UNKNOWN, _enhanced(code))


def _enhanced(code: re.Match[str] | None) -> str:
    return (code[1] or "") if code else ""
