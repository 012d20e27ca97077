"""Keys in base64, as they are written in secrets."""

from __future__ import annotations

import base64

from mailbot.config.trouble import ConfigTrouble

_MASTER_KEY = 32
"""Bytes."""
_SHORTEST_SIGNING_SECRET = 24
"""Bytes (Standard Webhooks)."""


def master_keys(key: str, written: str) -> tuple[bytes, ...]:
    """The keys in `written`, in its order. Raises ConfigTrouble when there is none or one is not 32 bytes."""
    keys = tuple(map(_decoded, written.split()))
    if not keys or any(len(one) != _MASTER_KEY for one in keys):
        raise ConfigTrouble(
            f"{key}: each key must be 32 bytes in base64; make one with `openssl rand -base64 32`"
        )
    return keys


def signing_secret(key: str, written: str) -> bytes:
    """What webhooks are signed with. Raises ConfigTrouble when it is too short."""
    secret = _decoded(written.strip().removeprefix("whsec_"))
    if len(secret) < _SHORTEST_SIGNING_SECRET:
        raise ConfigTrouble(
            f"{key}: must be at least 24 bytes in base64; make one with `openssl rand -base64 32`"
        )
    return secret


def _decoded(word: str) -> bytes:
    """The bytes of `word`; none when it is not base64."""
    try:
        return base64.b64decode(word, validate=True)
    except ValueError:  # binascii.Error is one; letters that are no ASCII raise it plainly
        return b""
