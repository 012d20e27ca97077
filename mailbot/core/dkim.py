"""DKIM signatures of a mail, verified (RFC 6376, with RFC 8301's and RFC 8463's algorithms).

Lean on purpose: text is canonicalised by a few passes in C, a body is hashed once for all signatures, keys are
kept, and a key is asked for only when the body hash fits. Stricter than the RFC where proof is at stake: see `State`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailbot.core.dkim_key import DkimKey, UnusableKey, pick_key
from mailbot.core.dns_answer import DnsFailure, NoTxt, TxtLookup, TxtRecords, is_askable
from mailbot.core.raw_mail import Field, RawMail
from mailbot.core.tag_list import read_base64, read_number, read_tags, read_words, without_value

FUTURE_SECONDS = 36_000
"""How far in the future t= may lie: clocks and time zones of senders are set wrongly."""
_LONGEST_FIELD = 16_384
_ALGORITHMS = ("rsa-sha256", "ed25519-sha256")
_CANONICALISATIONS = ("simple", "relaxed")
_FIELD_NAME = b"dkim-signature"


class State(StrEnum):
    """What a signature shows. `weak`: it verifies, yet does not prove the mail as it is here (l=, expired, testing)."""

    VALID = "valid"
    WEAK = "weak"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SignatureResult:
    """One signature judged. `notes`: what is poor about it, or why it is not valid, in words."""

    domain: str
    state: State
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """A well-formed signature field (DKIM-Signature or ARC-Message-Signature)."""

    field: Field
    domain: str
    """d=, lower case."""
    selector: str
    algorithm: str
    relaxed_header: bool
    relaxed_body: bool
    identity_domain: str
    """The domain of i=, lower case; d= where i= is absent."""
    names: tuple[str, ...]
    """h=, lower case, in order."""
    length: int | None
    signed_at: int | None
    expires_at: int | None
    body_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class BadSignature:
    """A signature field that no verifier may believe. `domain` is its d= when that much could be read, else empty."""

    domain: str
    reason: str


def read_signatures(mail: RawMail, most: int) -> tuple[Signature | BadSignature, ...]:
    """The DKIM-Signature fields of `mail`, top first, at most `most`."""
    return tuple(read_signature(field) for field in mail.named(_FIELD_NAME)[:most])


def read_signature(field: Field) -> Signature | BadSignature:
    """The signature in a DKIM-Signature field (RFC 6376 §3.5, §6.1.1)."""
    tags = read_tags(field.value) if len(field.written) <= _LONGEST_FIELD else None
    if tags is None:
        return BadSignature("", "a signature is malformed")
    if tags.get("v") != b"1":
        return BadSignature(_lower(tags, "d"), "a signature is of an unknown version")
    return read_signature_tags(field, tags)


def read_signature_tags(field: Field, tags: dict[str, bytes]) -> Signature | BadSignature:
    """What DKIM-Signature and ARC-Message-Signature have in common, read from `tags`."""
    domain = _lower(tags, "d")
    if not all(tags.get(name) for name in ("a", "b", "bh", "d", "h", "s")):
        return BadSignature(domain, "a signature lacks a tag")
    signature = _build(field, tags, domain)
    if signature is None:
        return BadSignature(domain, "a signature has a malformed tag")
    reason = _refusal(signature)
    return BadSignature(domain, reason) if reason else signature


def _build(field: Field, tags: dict[str, bytes], domain: str) -> Signature | None:
    header, _, body = _lower(tags, "c", "simple/simple").partition("/")
    numbers = {name: read_number(tags[name]) for name in ("l", "t", "x") if name in tags}
    body_hash, signature = read_base64(tags["bh"]), read_base64(tags["b"])
    if body_hash is None or signature is None or None in numbers.values():
        return None
    if {header, body or "simple"} - set(_CANONICALISATIONS) or "dns/txt" not in _query_methods(tags):
        return None
    return Signature(
        field=field,
        domain=domain,
        selector=_lower(tags, "s"),
        algorithm=tags["a"].decode("latin-1"),
        relaxed_header=header == "relaxed",
        relaxed_body=body == "relaxed",
        identity_domain=_lower(tags, "i").rpartition("@")[2] if "i" in tags else domain,
        names=read_words(tags["h"]),
        length=numbers.get("l"),
        signed_at=numbers.get("t"),
        expires_at=numbers.get("x"),
        body_hash=body_hash,
        signature=signature,
    )


def _query_methods(tags: dict[str, bytes]) -> tuple[str, ...]:
    return read_words(tags.get("q", b"dns/txt"))


def _lower(tags: dict[str, bytes], name: str, absent: str = "") -> str:
    return tags[name].decode("latin-1").lower() if name in tags else absent


def _refusal(signature: Signature) -> str | None:
    """Why this signature counts for nothing whatever it signs, or None."""
    if signature.algorithm not in _ALGORITHMS:
        return "a signature uses an algorithm that proves nothing"
    if "from" not in signature.names:
        return "a signature does not cover From"
    if not is_askable(f"{signature.selector}._domainkey.{signature.domain}"):
        return "a signature names no possible key"
    if not f".{signature.identity_domain}".endswith(f".{signature.domain}"):
        return "a signature's identity lies outside its domain"
    if (
        signature.signed_at
        and signature.expires_at is not None
        and signature.expires_at <= signature.signed_at
    ):
        return "a signature ends before it begins"
    return None


def verify(signature: Signature, mail: RawMail, lookup: TxtLookup, now: datetime) -> SignatureResult:
    """What `signature` shows about `mail` at `now`. The key is asked for only when all else fits."""
    reason = _misfit(signature, mail, now)
    if reason:
        return SignatureResult(signature.domain, State.INVALID, (reason,))
    key = find_key(signature.selector, signature.domain, lookup)
    if isinstance(key, DnsFailure):
        return SignatureResult(
            signature.domain, State.UNKNOWN, (f"the key could not be fetched: {key.reason}",)
        )
    if isinstance(key, UnusableKey):
        return SignatureResult(signature.domain, State.INVALID, (key.reason,))
    return _verify_with(key, signature, mail, now)


def _misfit(signature: Signature, mail: RawMail, now: datetime) -> str | None:
    """Why `signature` cannot be this mail's, found without its key, or None."""
    if signature.signed_at is not None and signature.signed_at > now.timestamp() + FUTURE_SECONDS:
        return "the signature is from the future"
    if len(mail.named(b"from")) != 1:
        return "the mail has not exactly one From field"
    if mail.body_hash(signature.relaxed_body, signature.length) != signature.body_hash:
        return "the body is not the one that was signed"
    return None


def find_key(selector: str, domain: str, lookup: TxtLookup) -> DkimKey | UnusableKey | DnsFailure:
    """The key that `domain` publishes as `selector`."""
    match lookup(f"{selector}._domainkey.{domain}"):
        case TxtRecords(records):
            return pick_key(records)
        case NoTxt():
            return UnusableKey("no key is published")
        case DnsFailure() as failure:
            return failure


def _verify_with(key: DkimKey, signature: Signature, mail: RawMail, now: datetime) -> SignatureResult:
    domain = signature.domain
    if key.algorithm != signature.algorithm:
        return SignatureResult(domain, State.INVALID, ("the key is for another algorithm",))
    if key.exact_identity and signature.identity_domain != domain:
        return SignatureResult(domain, State.INVALID, ("the key is not for subdomains",))
    if not key.verifies(signature.signature, signed_text(signature, mail)):
        return SignatureResult(domain, State.INVALID, ("the signature does not fit the header",))
    weak = _weaknesses(key, signature, mail, now)
    notes = (*weak, key.weakness) if key.weakness else weak
    return SignatureResult(domain, State.WEAK if weak else State.VALID, notes)


def _weaknesses(key: DkimKey, signature: Signature, mail: RawMail, now: datetime) -> tuple[str, ...]:
    """Why a signature that verifies proves nothing all the same."""
    found = []
    if mail.named(b"subject") and "subject" not in signature.names:
        found.append("the signature does not cover the subject, which can ask for things")
    if signature.length is not None:
        found.append("the signature covers only part of the body (l=)")
    if signature.expires_at is not None and signature.expires_at < now.timestamp():
        found.append("the signature has expired")
    if key.testing:
        found.append("the domain says that its signatures are only tests (t=y)")
    return tuple(found)


def signed_text(signature: Signature, mail: RawMail) -> bytes:
    """The bytes under the signature: the fields h= names, each name taken from the bottom up, then its own field."""
    left = {name: len(fields) for name, fields in mail.by_name.items()}
    lines: list[bytes] = []
    for word in signature.names:
        name = word.encode("latin-1")
        if left.get(name):
            left[name] -= 1
            lines.append(_canonical(mail.by_name[name][left[name]], signature.relaxed_header))
    lines.append(own_field(signature.field, signature.relaxed_header))
    return b"\r\n".join(lines)


def _canonical(field: Field, relaxed: bool) -> bytes:
    return field.relaxed() if relaxed else field.written


def own_field(field: Field, relaxed: bool) -> bytes:
    """A signature field as it signs itself: b= emptied, no final CRLF (RFC 6376 §3.7)."""
    head, value = field.written[: field.colon + 1], without_value(field.value, b"b")
    return field.name + b":" + _relaxed_value(value) if relaxed else head + value


def _relaxed_value(value: bytes) -> bytes:
    return Field(b"", b":" + value, 0).relaxed()[1:]
