"""Encryption at rest: a key per case, wrapped by the master key; keyed hashes for look-ups.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces; a data key seals far fewer than 2^32 values.
Addresses inside links are sealed with AES-SIV (RFC 5297), so that one address always gives one link.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

from mailbot.core.address import normalise
from mailbot.core.token import TOKEN_BYTES, spell, unspell

KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID_BYTES = 4
_LINK_BLOCK = 16
_MARK_BYTES = TOKEN_BYTES // 2
_LINK_VERSION = b"\x01"


class KeyTrouble(Exception):
    """The master keys given do not open what is stored; the text names the mend and no secret."""


class Destroyed(Exception):
    """The data key was destroyed when its retention ended: what it sealed can never be read again."""


@dataclass(frozen=True, slots=True, repr=False)
class Seal:
    """Encrypts and decrypts with one data key. `context` binds a value to its place (table and column)."""

    _cipher: AESGCM

    def seal(self, plain: bytes, context: str) -> bytes:
        """Nonce and ciphertext of `plain`."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """What was sealed. Raises KeyTrouble when key, context or bytes are not those it was sealed with."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise KeyTrouble(f"a sealed value of {context} does not open with its key") from error


class Keyring:
    """The master keys, newest first: the newest wraps, every one unwraps."""

    def __init__(self, masters: Sequence[bytes]) -> None:
        """Raises KeyTrouble when there is no key or one is not 32 bytes."""
        if not masters or any(len(master) != KEY_BYTES for master in masters):
            raise KeyTrouble("a master key must be 32 bytes; make one with: openssl rand -base64 32")
        self._masters = {
            hashlib.sha256(master).digest()[:_KEY_ID_BYTES]: AESGCM(master) for master in masters
        }
        self._newest = next(iter(self._masters))

    def new_key(self) -> tuple[Seal, bytes]:
        """A fresh data key and its wrapped form."""
        key = os.urandom(KEY_BYTES)
        return Seal(AESGCM(key)), self.wrap(key)

    def wrap(self, key: bytes) -> bytes:
        """`key` wrapped by the newest master key."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._newest + nonce + self._masters[self._newest].encrypt(nonce, key, b"data-key")

    def unwrap(self, wrapped: bytes) -> bytes:
        """The data key. Raises KeyTrouble when the master key that wrapped it is not among ours."""
        master = self._masters.get(wrapped[:_KEY_ID_BYTES])
        if master is None:
            raise KeyTrouble(
                "data was sealed under a master key that is not given; add the old key after the new one"
            )
        nonce, body = (
            wrapped[_KEY_ID_BYTES : _KEY_ID_BYTES + _NONCE_BYTES],
            wrapped[_KEY_ID_BYTES + _NONCE_BYTES :],
        )
        try:
            return master.decrypt(nonce, body, b"data-key")
        except InvalidTag as error:
            raise KeyTrouble("a wrapped key in the database is damaged") from error

    def open_key(self, wrapped: bytes | None) -> Seal:
        """The seal of a wrapped data key. Raises Destroyed when the key is gone."""
        if wrapped is None:
            raise Destroyed("the key of this case was destroyed when its retention ended")
        return Seal(AESGCM(self.unwrap(wrapped)))


class Pseudonyms:
    """Keyed hashes of addresses, and links that carry an address nobody else can read."""

    def __init__(self, secret: bytes) -> None:
        self._hash_key = _derived(secret, b"address-hash")
        self._links = AESSIV(_derived(secret, b"link-1") + _derived(secret, b"link-2"))

    def address(self, address: str) -> bytes:
        """HMAC-SHA256 of the normalised address."""
        return self._keyed(b"address:", normalise(address))

    def text(self, purpose: str, value: str) -> bytes:
        """HMAC-SHA256 of another identifier, kept apart by purpose."""
        return self._keyed(purpose.encode() + b":", value)

    def link_token(self, address: str) -> str:
        """The unsubscribe token of `address`: the same for ever, unreadable and unforgeable without our secret."""
        plain = normalise(address).encode()
        padded = plain + bytes(-len(plain) % _LINK_BLOCK)  # the length of an address is not told either
        sealed = _LINK_VERSION + self._links.encrypt(padded, [b"unsubscribe"])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def address_in(self, token: str) -> str | None:
        """The normalised address of an unsubscribe token; None when we did not make it."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            if sealed[:1] != _LINK_VERSION:
                return None
            return self._links.decrypt(sealed[1:], [b"unsubscribe"]).rstrip(b"\0").decode()
        except (binascii.Error, InvalidTag, ValueError):
            return None

    def mailto_token(self, address: str) -> str:
        """A token of `address` short enough for a local part (RFC 5321 §4.5.3.1.1): a mark of the address, and one
        that shows that the first is ours. It tells whether an address is meant, never which."""
        mark = self.address(address)[:_MARK_BYTES]
        return spell(mark + self._seen_in(mark))

    def is_mailto_token(self, token: str) -> bool:
        """Whether we made it, for whomever."""
        raw = unspell(token)
        return raw is not None and hmac.compare_digest(raw[_MARK_BYTES:], self._seen_in(raw[:_MARK_BYTES]))

    def _seen_in(self, mark: bytes) -> bytes:
        return self.text("mailto", mark.hex())[:_MARK_BYTES]

    def _keyed(self, prefix: bytes, value: str) -> bytes:
        return hmac.digest(self._hash_key, prefix + value.encode("utf-8", "surrogatepass"), "sha256")


def _derived(secret: bytes, label: bytes) -> bytes:
    return hmac.digest(secret, b"mailbot " + label, "sha256")
