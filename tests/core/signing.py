"""Keys, zones and signers for tests: DKIM by dkimpy, an independent program; ARC by hand, checked against dkimpy."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import dkim
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from mailbot.core.dns_answer import NoTxt, TxtAnswer, TxtRecords

RELAXED = (b"relaxed", b"relaxed")


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """One throw-away key a size."""
    return rsa.generate_private_key(65537, bits)


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    """One throw-away key."""
    return ed25519.Ed25519PrivateKey.generate()


def rsa_record(bits: int = 1024, tags: str = "v=DKIM1; k=rsa") -> bytes:
    """The key record of `rsa_key(bits)`."""
    der = (
        rsa_key(bits)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return tags.encode() + b"; p=" + base64.b64encode(der)


def ed25519_record() -> bytes:
    """The key record of `ed25519_key()`."""
    raw = ed25519_key().public_key().public_bytes_raw()
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw)


def sign(
    mail: bytes,
    domain: str,
    *,
    names: Sequence[str] = ("from", "to", "subject", "date", "from", "subject"),
    bits: int = 1024,
    canonical: tuple[bytes, bytes] = RELAXED,
    algorithm: bytes = b"rsa-sha256",
    length: bool = False,
    selector: str = "s",
    identity: bytes | None = None,
) -> bytes:
    """`mail` with a DKIM-Signature of `domain` on top."""
    signer = dkim.DKIM(mail)
    field: bytes = signer.sign(
        selector.encode(),
        domain.encode(),
        _private(algorithm, bits),
        signature_algorithm=algorithm,
        identity=identity,
        canonicalize=canonical,
        include_headers=[name.encode() for name in names],
        length=length,
    )
    newline = b"\n" if b"\r\n" not in mail else b"\r\n"
    return field.replace(b"\r\n", newline) + mail


def sign_freely(
    mail: bytes, tags: Mapping[str, str | None], signer: Callable[[bytes], bytes] | None = None
) -> bytes:
    """`mail` (CRLF) signed relaxed for example.org, `tags` set beside or instead of the usual (None: left out).

    The cryptography always fits, however unwise the tags; `signer` makes the signature of the bytes instead.
    """
    usual = {
        "v": "1",
        "a": "rsa-sha256",
        "c": "relaxed/relaxed",
        "d": "example.org",
        "s": "s",
        "h": "from:to:subject:date",
        "bh": base64.b64encode(hashlib.sha256(_relaxed_body(mail)).digest()).decode(),
    }
    chosen = {name: value for name, value in (usual | dict(tags)).items() if value is not None}
    field = "DKIM-Signature: " + "; ".join(f"{name}={value}" for name, value in chosen.items()) + "; b="
    lines = [*_picked(mail, chosen.get("h", "").split(":")), _relax(field)]
    field += base64.b64encode(signer("\r\n".join(lines).encode())).decode() if signer else _rsa(lines)
    return field.encode() + b"\r\n" + mail


def _private(algorithm: bytes, bits: int) -> bytes:
    if algorithm == b"ed25519-sha256":
        return base64.b64encode(ed25519_key().private_bytes_raw())
    return rsa_key(bits).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


class Zone:
    """TXT records by name, asked as the core asks; `asked` has every name."""

    def __init__(self, records: Mapping[str, TxtAnswer | bytes | str]) -> None:
        self.records = dict(records)
        self.asked: list[str] = []

    def __call__(self, name: str) -> TxtAnswer:
        """The answer for `name`."""
        self.asked.append(name)
        found = self.records.get(name, NoTxt(any(other.endswith(f".{name}") for other in self.records)))
        if isinstance(found, (bytes, str)):
            return TxtRecords((found.encode() if isinstance(found, str) else found,))
        return found


def seal(
    mail: bytes,
    domain: str,
    results: str,
    *,
    status: str | None = None,
    names: str = "from:to:subject:date",
    signer: str = "",
) -> bytes:
    """`mail` (CRLF) with the next ARC set of `domain` on top, whose results are `results` (RFC 8617 §5.1).

    `signer`: the domain of its message signature where that is another one."""
    earlier = _arc_fields(mail)
    instance = len(earlier) // 3 + 1
    cv = status or ("none" if instance == 1 else "pass")
    body_hash = base64.b64encode(hashlib.sha256(_relaxed_body(mail)).digest()).decode()
    aar = f"ARC-Authentication-Results: i={instance}; {results}"
    ams = (
        f"ARC-Message-Signature: i={instance}; a=rsa-sha256; c=relaxed/relaxed; d={signer or domain}; "
        f"s=arc; h={names}; bh={body_hash}; b="
    )
    ams += _rsa([*_picked(mail, names.split(":")), _relax(ams)])
    seal_field = f"ARC-Seal: i={instance}; a=rsa-sha256; cv={cv}; d={domain}; s=arc; b="
    seal_field += _rsa([*earlier, _relax(aar), _relax(ams), _relax(seal_field)])
    return f"{seal_field}\r\n{ams}\r\n{aar}\r\n".encode() + mail


def _rsa(lines: list[str]) -> str:
    signed = "\r\n".join(lines).encode()
    return base64.b64encode(rsa_key(1024).sign(signed, padding.PKCS1v15(), hashes.SHA256())).decode()


def _header_lines(mail: bytes) -> list[str]:
    head = mail.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", " ").replace("\r\n\t", " ")
    return head.split("\r\n")


def _relax(line: str) -> str:
    name, _, value = line.partition(":")
    return f"{name.lower()}:{' '.join(value.split())}"


def _picked(mail: bytes, names: list[str]) -> list[str]:
    lines = [_relax(line) for line in _header_lines(mail)]
    return [line for name in names for line in lines if line.startswith(f"{name}:")]


def _arc_fields(mail: bytes) -> list[str]:
    """The earlier sets, oldest first, each as results, message signature, seal."""
    return [line for line in map(_relax, reversed(_header_lines(mail))) if line.startswith("arc-")]


def _relaxed_body(mail: bytes) -> bytes:
    lines = mail.partition(b"\r\n\r\n")[2].split(b"\r\n")
    body = b"\r\n".join(re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in lines).rstrip(b"\r\n")
    return body + b"\r\n" if body else b""
