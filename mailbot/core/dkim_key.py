"""A public key as published in DNS (RFC 6376 §3.6.1, RFC 8301, RFC 8463)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mailbot.core.tag_list import read_base64, read_tags, read_words

SMALLEST_RSA_BITS = 1024
GOOD_RSA_BITS = 2048
LARGEST_RSA_BITS = 8192
_LONGEST_RECORD = 8192


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A usable key. `exact_identity` is flag t=s: i= must name d= itself; `testing` is flag t=y."""

    public: RSAPublicKey | Ed25519PublicKey
    exact_identity: bool
    testing: bool

    @property
    def algorithm(self) -> str:
        """The a= this key verifies."""
        return "rsa-sha256" if isinstance(self.public, RSAPublicKey) else "ed25519-sha256"

    @property
    def weakness(self) -> str | None:
        """What is poor about a key that still counts, in words."""
        if isinstance(self.public, RSAPublicKey) and self.public.key_size < GOOD_RSA_BITS:
            return f"the key has only {self.public.key_size} bits"
        return None

    def verifies(self, signature: bytes, text: bytes) -> bool:
        """True when `signature` is this key's over `text` (for Ed25519 over its SHA-256, RFC 8463 §3)."""
        try:
            if isinstance(self.public, RSAPublicKey):
                self.public.verify(signature, text, PKCS1v15(), SHA256())
            else:
                self.public.verify(signature, hashlib.sha256(text).digest())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class UnusableKey:
    """A record from which no signature can be verified."""

    reason: str


def pick_key(records: tuple[bytes, ...]) -> DkimKey | UnusableKey:
    """The one key among a name's TXT records; records that are no keys are passed over, two keys are none."""
    keys = [record for record in records if _looks_like_key(record)]
    if not keys:
        return UnusableKey("no key is published")
    if len(keys) > 1:
        return UnusableKey("several keys are published under one name")
    return read_key(keys[0])


def _looks_like_key(record: bytes) -> bool:
    squeezed = record[:64].replace(b" ", b"")
    return (
        squeezed.startswith((b"v=DKIM1", b"p=", b"k=", b"h=", b"t=", b"s=", b"n=", b"g="))
        or b";p=" in squeezed
    )


@lru_cache(maxsize=1024)
def read_key(record: bytes) -> DkimKey | UnusableKey:
    """The key of one record. Kept by the record's bytes, for parsing a key costs more than using it."""
    if len(record) > _LONGEST_RECORD:
        return UnusableKey("the key record is too long")
    tags = read_tags(record)
    if tags is None:
        return UnusableKey("the key record is malformed")
    return _refusal(tags) or _usable(tags)


def _refusal(tags: dict[str, bytes]) -> UnusableKey | None:
    if "v" in tags and (tags["v"] != b"DKIM1" or next(iter(tags)) != "v"):
        return UnusableKey("the key record is of another version")
    if tags.get("p") == b"":
        return UnusableKey("the key has been revoked")
    if "h" in tags and "sha256" not in read_words(tags["h"]):
        return UnusableKey("the key is not for sha256")
    if "s" in tags and not {"*", "email"} & set(read_words(tags["s"])):
        return UnusableKey("the key is not for mail")
    return None


def _usable(tags: dict[str, bytes]) -> DkimKey | UnusableKey:
    data = read_base64(tags.get("p", b""))
    if data is None:
        return UnusableKey("the key cannot be read")
    public = _public_key(tags.get("k", b"rsa"), data)
    if isinstance(public, UnusableKey):
        return public
    flags = read_words(tags.get("t", b""))
    return DkimKey(public, exact_identity="s" in flags, testing="y" in flags)


def _public_key(kind: bytes, data: bytes) -> RSAPublicKey | Ed25519PublicKey | UnusableKey:
    try:
        if kind == b"ed25519":
            return Ed25519PublicKey.from_public_bytes(data)
        key = load_der_public_key(data) if kind == b"rsa" else None
    except (ValueError, UnsupportedAlgorithm):
        return UnusableKey("the key cannot be read")
    if not isinstance(key, RSAPublicKey):
        return UnusableKey("the key is of an unknown kind")
    if not SMALLEST_RSA_BITS <= key.key_size <= LARGEST_RSA_BITS:
        return UnusableKey(f"the key has {key.key_size} bits")
    return key
