"""What must be proven, lest the forgeries be met by a program that never proves anybody."""

from __future__ import annotations

from tests.core.forgeries.world import (
    MAIL,
    ONE,
    OURS,
    OVERSIGNED,
    PASS,
    PROVEN,
    SIGNED,
    THEIRS,
    TWO,
    Sample,
    above,
    chain,
    freely,
    from_,
    told,
)
from tests.core.signing import sign

HONEST = (
    Sample("signed", "an aligned signature", SIGNED, PROVEN),
    Sample("oversigned", "h= names fields twice", OVERSIGNED, PROVEN),
    Sample("signed by a subdomain", "relaxed alignment", sign(MAIL, "mail.example.org"), PROVEN),
    Sample("signed by a deep subdomain", "relaxed alignment", sign(MAIL, "deep.mail.example.org"), PROVEN),
    Sample(
        "Ed25519",
        "the newer algorithm",
        sign(MAIL, "example.org", algorithm=b"ed25519-sha256", selector="ed"),
        PROVEN,
    ),
    Sample("simple", "c=simple/simple", sign(MAIL, "example.org", canonical=(b"simple", b"simple")), PROVEN),
    Sample(
        "simple body",
        "c=relaxed/simple",
        sign(MAIL, "example.org", canonical=(b"relaxed", b"simple")),
        PROVEN,
    ),
    Sample("line feeds", "stored with bare LF", SIGNED.replace(b"\r\n", b"\n"), PROVEN),
    Sample("two signatures", "a list signs on top", sign(SIGNED, "evil.example"), PROVEN),
    Sample(
        "broken one on top",
        "an older signature still holds",
        above("DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=gone; h=from; bh=AAAA; b=AAAA"),
        PROVEN,
    ),
    Sample("subdomain identity", "i= below d=", freely({"i": "alice@sub.example.org"}), PROVEN),
    Sample(
        "exact key, exact identity", "t=s and i=@d", freely({"s": "exact", "i": "alice@example.org"}), PROVEN
    ),
    Sample("strict and exact", "adkim=s, d= is From", from_("a@strict.example", "strict.example"), PROVEN),
    Sample("in force", "t= and x= around now", freely({"t": "1700000000", "x": "99999999999"}), PROVEN),
    Sample(
        "trace fields added",
        "Received and Return-Path on top",
        above("Return-Path: <a@example.org>\r\n" + THEIRS),
        PROVEN,
    ),
    Sample("our server's word", "dmarc=pass by our server", told(OURS, PASS), PROVEN),
    Sample(
        "our server's word, forged below",
        "ours on top of a forged one",
        told(OURS, PASS, THEIRS, PASS.replace("pass", "fail")),
        PROVEN,
    ),
    Sample("forwarded", "a trusted forwarder's seal", ONE, PROVEN),
    Sample("forwarded twice", "a stranger's, then a trusted one's", TWO, PROVEN),
    Sample("forwarded fifty times", "as many sets as there may be", chain(*["forward.example"] * 50), PROVEN),
)
"""What must be proven, lest the tables above be met by a program that never proves anybody."""
