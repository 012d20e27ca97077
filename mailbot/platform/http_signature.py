"""Requests to the platform are signed, so that it does what mailbot asks and nobody else."""

from __future__ import annotations

import hashlib
import hmac

KEY_ID = "Mailbot-Key-Id"
TIMESTAMP = "Mailbot-Timestamp"
SIGNATURE = "Mailbot-Signature"
IDEMPOTENCY_KEY = "Idempotency-Key"
VALID_SECONDS = 300
"""A request that is older, or so much ahead, is refused: nobody sends it again later."""


def sign(secret: bytes, method: str, path: str, timestamp: str, idempotency_key: str, body: bytes) -> str:
    """The value of Mailbot-Signature. `timestamp`: seconds since 1970 in digits; `path` without host and query;
    `idempotency_key` as in its header, empty where there is none."""
    signed = "\n".join((method, path, timestamp, idempotency_key, hashlib.sha256(body).hexdigest()))
    return "v1=" + hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()


def is_signed(
    secret: bytes,
    method: str,
    path: str,
    timestamp: str,
    idempotency_key: str,
    body: bytes,
    signature: str,
    now: float,
) -> bool:
    """The request is mailbot's and fresh. Takes as long for a wrong signature as for a right one."""
    is_fresh = timestamp.isdecimal() and abs(now - int(timestamp)) <= VALID_SECONDS
    expected = sign(secret, method, path, timestamp, idempotency_key, body)
    return hmac.compare_digest(expected.encode(), signature.encode()) and is_fresh
