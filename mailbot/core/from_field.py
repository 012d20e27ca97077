"""The From field, read twice: once by the mail parser, once here strictly; only what both agree on is an address."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mailbot.core.dns_answer import LONGEST_NAME
from mailbot.core.domains import ascii_domain
from mailbot.core.lookalikes import mixes_scripts
from mailbot.core.message import Address, ParsedMail
from mailbot.core.raw_mail import Field, RawMail

_LONGEST_VALUE = 2_000
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
# Not quoted: "alice"@ and alice@ are one address that programs compare as two.
_LOCAL = rf"{_ATOM}(?:\.{_ATOM})*"
_LABEL = r"[A-Za-z0-9_\u0080-\U0010ffff-]+"
_ADDRESS = rf"(?P<local>{_LOCAL})@(?P<domain>{_LABEL}(?:\.{_LABEL})*)"
_COMMENT = r"(?:\([^()\\<>]*\)[ \t]*)?"
_NAME = r'(?P<name>(?:"(?:[^"\\]|\\.)*"|\([^()\\<>@"]*\)|[^<>"()@,;:\\\[\]])*)'
_BARE = re.compile(rf"[ \t]*{_ADDRESS}[ \t]*{_COMMENT}")
_NAMED = re.compile(rf"{_NAME}<[ \t]*{_ADDRESS}[ \t]*>[ \t]*{_COMMENT}")
# Written by many mail programs though not allowed: the same address as its own name, unquoted.
_DOUBLED = re.compile(rf"[ \t]*(?P<name>[^\s<>,;:\"()]+@[^\s<>,;:\"()]+)[ \t]*<[ \t]*{_ADDRESS}[ \t]*>[ \t]*")
_ADDRESS_IN_NAME = re.compile(r"[^\s<>\"'(),;:@\[\]]+@[^\s<>\"'(),;:@\[\]]+")
_TURNING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\u0080-\u009f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class MalformedFrom:
    """From names nobody, or more than one, or is broken: nobody honest sends this."""

    reason: str


@dataclass(frozen=True, slots=True)
class FromReading:
    """One sender. `address` is None when programs or people would differ on it. `doubts` forbid proof."""

    address: Address | None
    domain: str | None
    """In lower-case A-labels; None when it is no host name that could publish anything."""
    doubts: tuple[str, ...]


def read_from(mail: ParsedMail, cut: RawMail) -> FromReading | MalformedFrom:
    """Who the mail says it is from (RFC 5322 §3.6.2, §6 of RFC 7489: exactly one author domain)."""
    fields = cut.named(b"from")
    reason = _field_fault(fields) or _parse_fault(mail)
    if reason:
        return MalformedFrom(reason)
    text = fields[0].value.decode("utf-8", "replace").replace("\r\n", "")
    if _CONTROL.search(text) or len(text) > _LONGEST_VALUE:
        return MalformedFrom("From has bytes that belong in no address")
    return _reading(text, mail)


def _field_fault(fields: tuple[Field, ...]) -> str | None:
    if len(fields) != 1:
        return "there is no From field" if not fields else "there are several From fields"
    return "From has white space before its colon" if fields[0].spaced else None


def _parse_fault(mail: ParsedMail) -> str | None:
    if len(mail.from_) != 1:
        return "From names several senders" if mail.from_ else "From names nobody"
    if any(defect.startswith("from:") for defect in mail.defects):
        return "From is malformed"
    return "From has an encoded address" if "=?" in mail.from_[0].address else None


def _reading(text: str, mail: ParsedMail) -> FromReading:
    """`text`: the value of the one From field, unfolded."""
    parsed = mail.from_[0]
    strict = _strict_address(text)
    same = strict is not None and strict == parsed.address and not _hides_something(strict)
    domain = ascii_domain(parsed.address.rpartition("@")[2][:LONGEST_NAME])
    doubts = [] if same else ["From can be read in more than one way"]
    if domain is None:
        doubts.append("the From domain is no domain that could vouch for anybody")
    if any(_shows_another(shown, parsed.address) for shown in (parsed.name, text)):
        doubts.append("the sender's name shows another address than the real one")
    if _TURNING.search(parsed.name) or _TURNING.search(text):
        doubts.append("the sender's name has signs that turn the reading direction round")
    mixed = mixes_scripts(parsed.address.rpartition("@")[0]) or mixes_scripts(domain or "")
    if mixed:
        doubts.append("the sender's address mixes alphabets, as look-alikes do")
    return FromReading(parsed.address if same and not mixed else None, domain, tuple(doubts))


def _strict_address(text: str) -> Address | None:
    """The address in `text` if there is only one way to see it, else None."""
    found = _BARE.fullmatch(text) or _NAMED.fullmatch(text)
    if found is None:
        found = _DOUBLED.fullmatch(text)
        if found is None or found["name"].lower() != f"{found['local']}@{found['domain']}".lower():
            return None
    return Address(f"{found['local']}@{found['domain'].lower()}")


def _hides_something(address: Address) -> bool:
    """True when `address` has characters that are not seen, could not be decoded, or are written in two ways."""
    if unicodedata.normalize("NFKC", address) != address:
        return True
    return any(unicodedata.category(sign)[0] == "C" or sign.isspace() or sign == "\ufffd" for sign in address)


def _shows_another(text: str, address: Address) -> bool:
    """True when `text` has something like an address in it (also in full-width letters) that is not `address`."""
    found = (one.strip(".").lower() for one in _ADDRESS_IN_NAME.findall(unicodedata.normalize("NFKC", text)))
    return any(one != address.lower() for one in found)
