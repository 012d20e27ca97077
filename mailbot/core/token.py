"""Tokens: single-use secrets for one purpose, one address, with an end. Only their SHA-256 is kept."""

from __future__ import annotations

import base64
import hashlib
import re
from enum import StrEnum

TOKEN_BYTES = 20
"""160 bits: beyond guessing, and exactly 32 base32 characters, so that no padding is needed."""

_FORM = re.compile(r"[a-z2-7]{32}\Z")


class Purpose(StrEnum):
    """What a token opens. A token of one purpose opens nothing else."""

    CONFIRM = "confirm"
    NEW_ADDRESS = "new_address"
    HOST = "host"
    EXPORT = "export"
    STATUS = "status"
    BOUNCE = "bounce"


def spell(random: bytes) -> str:
    """The token of `random` bytes: lower-case base32, so that it survives a case-folded local part."""
    if len(random) != TOKEN_BYTES:
        raise ValueError(f"a token is made of {TOKEN_BYTES} random bytes")
    return base64.b32encode(random).decode("ascii").lower()


def unspell(token: str) -> bytes | None:
    """The bytes of a token as it came back (any case); None when it cannot be one of ours."""
    folded = token.strip().lower()
    return base64.b32decode(folded.upper()) if _FORM.match(folded) else None


def digest(token: str) -> bytes | None:
    """SHA-256 of a token as it came back (any case); None when it cannot be one of ours."""
    folded = token.strip().lower()
    return hashlib.sha256(folded.encode("ascii")).digest() if _FORM.match(folded) else None


def address_with(address: str, token: str) -> str:
    """`address` with the token as its detail part: `local+token@domain` (RFC 5233)."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{token}@{domain}"


def token_in(recipient: str, address: str) -> str | None:
    """The token in `recipient`, when it is `address` with a detail part; None when not."""
    detail = (detail_of(recipient, address) or "").lower()
    return detail if _FORM.match(detail) else None


def detail_of(recipient: str, address: str) -> str | None:
    """The detail part of `recipient` as written (RFC 5233), empty where it has none; None when it is not `address`."""
    local, _, domain = address.lower().rpartition("@")
    got_local, _, got_domain = recipient.rpartition("@")
    base, _, detail = got_local.partition("+")
    return detail if (base.lower(), got_domain.lower()) == (local, domain) else None
