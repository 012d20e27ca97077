"""What one mail says, after parsing: plain frozen data that every later step reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

Address = NewType("Address", str)
"""An addr-spec (RFC 5322 §3.4.1) with its domain in lower case; the local part as written."""


@dataclass(frozen=True, slots=True)
class NamedAddress:
    """One mailbox of an address field: display name (decoded, may be empty) and addr-spec."""

    name: str
    address: Address


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the letter itself. `start` and `end` are byte offsets of its (still encoded)
    body within the raw message, so that it can be cut out later without keeping it in memory."""

    filename: str
    content_type: str
    start: int
    end: int
    encoding: str = ""
    """Content-Transfer-Encoding in lower case."""


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One mail, read. Header values are decoded text without line breaks; absent ones are empty.

    `from_` has every address of every From field: more or fewer than one is for the sender check to judge.
    `text` is the letter as plain text, whichever part it came from, quotes still in it; `html` is the
    HTML part it was made from (None for a plain letter). `defects` names what was broken, in words.
    `headers` are (lower-cased name, raw value) in order of appearance, top first.
    """

    message_id: str
    subject: str
    from_: tuple[NamedAddress, ...]
    reply_to: tuple[NamedAddress, ...]
    recipients: tuple[NamedAddress, ...]
    """To, Cc, Delivered-To, X-Original-To, Envelope-To: where a token of ours may stand."""
    in_reply_to: str
    references: tuple[str, ...]
    text: str
    html: str | None
    attachments: tuple[Attachment, ...]
    headers: tuple[tuple[str, str], ...]
    content_type: str
    defects: tuple[str, ...]

    def header(self, name: str) -> str:
        """The topmost raw value of header `name` (lower case), or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    def header_all(self, name: str) -> tuple[str, ...]:
        """Every raw value of header `name` (lower case), top first."""
        return tuple(value for key, value in self.headers if key == name)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A mail that cannot be read at all; it is quarantined with this reason (no personal data in it)."""

    reason: str
