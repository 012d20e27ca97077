"""Mails that Mallory forges, and honest ones beside them: what is tried, the bytes, the verdict it must get.

Every table is read by tests and by the page of attacks; `ZONE` and `BELIEVED` are the world they are judged in:
example.org asks for p=reject, mx.example.com is our own server, forward.example a forwarder whom we trust.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from mailbot.core.dns_answer import TxtAnswer, TxtRecords
from mailbot.core.sender import SenderSettings, Verdict
from tests.core.signing import ed25519_record, rsa_record, seal, sign, sign_freely
from tests.core.weak_keys import WeakKey

PROVEN, UNPROVEN, FORGED = Verdict.PROVEN, Verdict.UNPROVEN, Verdict.FORGED
BELIEVED = SenderSettings(frozenset({"mx.example.com"}), frozenset({"forward.example"}))
REST = (
    b"To: privacy@example.com\r\nSubject: my account\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n"
    b"Please delete it.\r\n"
)
MAIL = b"From: Alice <alice@example.org>\r\n" + REST
REJECT = "v=DMARC1; p=reject"


class Sample(NamedTuple):
    """One mail and the verdict it must get."""

    name: str
    tried: str
    raw: bytes
    verdict: Verdict


def _tags(tags: str) -> bytes:
    return rsa_record(1024, tags)


ZONE: Mapping[str, TxtAnswer | bytes | str] = {
    "_dmarc.example.org": REJECT,
    "_dmarc.strict.example": f"{REJECT}; adkim=s",
    "_dmarc.parent.example": f"{REJECT}; sp=none",
    "_dmarc.none.example": "v=DMARC1; p=none",
    "s._domainkey.example.org": rsa_record(),
    "s._domainkey.mail.example.org": rsa_record(),
    "s._domainkey.deep.mail.example.org": rsa_record(),
    "s._domainkey.strict.example": rsa_record(),
    "s._domainkey.mail.strict.example": rsa_record(),
    "s._domainkey.org": rsa_record(),
    "s._domainkey.evil.example": rsa_record(),
    "s._domainkey.example.org.evil.example": rsa_record(),
    "s._domainkey.pages.dev": rsa_record(),
    "s._domainkey.mallory.pages.dev": rsa_record(),
    "_dmarc.alice.pages.dev": REJECT,
    "_dmarc.xn--exmple-4nf.org": "v=DMARC1; p=none",
    "s._domainkey.xn--exmple-4nf.org": rsa_record(),
    "ed._domainkey.example.org": ed25519_record(),
    "testing._domainkey.example.org": _tags("v=DKIM1; k=rsa; t=y"),
    "exact._domainkey.example.org": _tags("v=DKIM1; k=rsa; t=s"),
    "sha1only._domainkey.example.org": _tags("v=DKIM1; k=rsa; h=sha1"),
    "tlsrpt._domainkey.example.org": _tags("v=DKIM1; k=rsa; s=tlsrpt"),
    "dsa._domainkey.example.org": _tags("v=DKIM1; k=dsa"),
    "v2._domainkey.example.org": _tags("v=DKIM2; k=rsa"),
    "late._domainkey.example.org": _tags("k=rsa; v=DKIM1"),
    "revoked._domainkey.example.org": "v=DKIM1; k=rsa; p=",
    "torn._domainkey.example.org": "v=DKIM1; k=rsa; p=MIGfMA0GCSq",
    "empty._domainkey.example.org": "v=DKIM1; k=rsa",
    "two._domainkey.example.org": TxtRecords((rsa_record(), _tags("v=DKIM1; k=rsa; n=other"))),
    "k648._domainkey.example.org": WeakKey(127, 521).record(),
    "k734._domainkey.example.org": WeakKey(127, 607).record(),
    "three._domainkey.example.org": WeakKey(1279, 2203, 3).record(),
    "one._domainkey.example.org": WeakKey(1279, 2203, 1).record(),
    "arc._domainkey.forward.example": rsa_record(),
    "arc._domainkey.stranger.example": rsa_record(),
    "s._domainkey.forward.example": rsa_record(),
}

OTHER_HASH = base64.b64encode(hashlib.sha256(b"Hello.\r\n").digest()).decode()
SIGNED = sign(MAIL, "example.org")
SIGNED_ONCE = sign(MAIL, "example.org", names=("from", "to", "subject", "date"))
_EVERYTHING = ("from", "from", "to", "to", "subject", "subject", "date", "date", "reply-to", "content-type")
OVERSIGNED = sign(MAIL, "example.org", names=_EVERYTHING)


def freely(tags: Mapping[str, str | None], mail: bytes = MAIL) -> bytes:
    return sign_freely(mail, tags)


def above(lines: str, raw: bytes = SIGNED) -> bytes:
    return lines.encode("utf-8") + b"\r\n" + raw


def below(lines: str, raw: bytes = SIGNED) -> bytes:
    """`lines` as the last of the header."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return head + b"\r\n" + lines.encode("utf-8") + b"\r\n\r\n" + body


def from_(value: str, signer: str = "example.org") -> bytes:
    return sign_freely(f"From: {value}\r\n".encode() + REST, {"d": signer})


OURS = "Received: from out.example.net by mx.example.com (Postfix) with ESMTP id 1; now"
THEIRS = "Received: from pc by out.example.net with ESMTP id 2; then"
PASS = "Authentication-Results: mx.example.com; dmarc=pass header.from=example.org"


def told(*lines: str) -> bytes:
    return above("\r\n".join(lines), MAIL)


PASSED = "mx.forward.example; dkim=pass header.d=example.org; dmarc=pass header.from=example.org"
LISTED = MAIL.replace(b"Please", b"[list] Please")


def chain(*hops: str, results: str = PASSED, mail: bytes = LISTED) -> bytes:
    """`mail` sealed by each of `hops` in turn."""
    for hop in hops:
        mail = seal(mail, hop, results)
    return mail


ONE = chain("forward.example")
TWO = chain("stranger.example", "forward.example")
SETS = ONE.partition(b"From:")[0]
