"""ARC chains that are broken, or of nobody we trust."""

from __future__ import annotations

import re

from tests.core.forgeries.world import (
    FORGED,
    LISTED,
    MAIL,
    ONE,
    PASSED,
    SETS,
    TWO,
    UNPROVEN,
    Sample,
    above,
    chain,
)
from tests.core.signing import seal

CHAINS = (
    Sample("stranger's seal", "anybody can seal", chain("stranger.example"), FORGED),
    Sample(
        "stranger's seal on top",
        "the newest seal is not a trusted one's",
        chain("forward.example", "stranger.example"),
        FORGED,
    ),
    Sample("sealer alike", "forward.example.evil.example", chain("s.forward.example"), FORGED),
    Sample(
        "seal broken",
        "b= of the newest seal is torn",
        re.sub(rb"(ARC-Seal: i=1;.*? b=)....", rb"\1AAAA", ONE),
        FORGED,
    ),
    Sample(
        "seal by another key",
        "the seal names a key that is not published",
        ONE.replace(b"cv=none; d=forward.example; s=arc", b"cv=none; d=forward.example; s=gone"),
        FORGED,
    ),
    Sample(
        "older seal broken",
        "the first seal does not hold",
        re.sub(rb"(ARC-Seal: i=1;.*? b=)....", rb"\1AAAA", TWO),
        FORGED,
    ),
    Sample(
        "message signature broken",
        "b= of the newest is torn",
        re.sub(rb"(ARC-Message-Signature: i=1;.*? b=)....", rb"\1AAAA", ONE),
        FORGED,
    ),
    Sample(
        "message signature of a stranger",
        "the trusted seal holds, what it seals is signed by a stranger",
        seal(LISTED, "forward.example", PASSED, signer="stranger.example"),
        FORGED,
    ),
    Sample("body changed since", "the text is replaced", ONE.replace(b"[list]", b"[lost]"), FORGED),
    Sample(
        "body as an older set saw it",
        "only the older message signature fits",
        TWO.replace(b"[list]", b"[lost]"),
        FORGED,
    ),
    Sample("From changed since", "the address is replaced", ONE.replace(b"alice@", b"vera@"), FORGED),
    Sample("subject changed since", "the subject is replaced", ONE.replace(b"my acc", b"all acc"), FORGED),
    Sample(
        "results changed since",
        "fail becomes pass",
        chain("forward.example", results=PASSED.replace("=pass", "=fail")).replace(b"=fail", b"=pass"),
        FORGED,
    ),
    Sample(
        "results say fail",
        "the sealer saw it fail",
        chain("forward.example", results="x; dmarc=fail header.from=example.org"),
        FORGED,
    ),
    Sample(
        "results say nothing", "the sealer saw nothing", chain("forward.example", results="x; none"), FORGED
    ),
    Sample(
        "results of another domain",
        "the sealer saw evil.example pass",
        chain("forward.example", results="x; dmarc=pass header.from=evil.example"),
        FORGED,
    ),
    Sample(
        "results of another signature",
        "dkim=pass of evil.example",
        chain("forward.example", results="x; dkim=pass header.d=evil.example"),
        FORGED,
    ),
    Sample(
        "results of SPF",
        "spf=pass is no signature",
        chain("forward.example", results="x; spf=pass smtp.mailfrom=example.org"),
        FORGED,
    ),
    Sample(
        "signature passed, policy failed",
        "dkim=pass beside dmarc=fail",
        chain(
            "forward.example", results="x; dkim=pass header.d=example.org; dmarc=fail header.from=example.org"
        ),
        FORGED,
    ),
    Sample(
        "pass in an older set",
        "the newest saw it fail, an older one pass",
        chain("forward.example", results="x; dmarc=fail header.from=example.org", mail=ONE),
        FORGED,
    ),
    Sample(
        "stranger's results of the newest instance",
        "a second results field for i=1",
        above("ARC-Authentication-Results: i=1; " + PASSED, ONE),
        FORGED,
    ),
    Sample(
        "results of a later instance",
        "i=2 results without a seal",
        above("ARC-Authentication-Results: i=2; " + PASSED, ONE),
        FORGED,
    ),
    Sample("gap", "instances 1 and 3", TWO.replace(b"i=2;", b"i=3;"), FORGED),
    Sample("begins at two", "instance 1 is missing", ONE.replace(b"i=1;", b"i=2;"), FORGED),
    Sample("instance zero", "i=0", ONE.replace(b"i=1;", b"i=0;"), FORGED),
    Sample("no instance", "i= is missing", ONE.replace(b" i=1;", b""), FORGED),
    Sample("instance with letters", "i=1a", ONE.replace(b"i=1;", b"i=1a;"), FORGED),
    Sample("set doubled", "the whole set twice", SETS + ONE, FORGED),
    Sample(
        "seal doubled",
        "ARC-Seal twice",
        above("ARC-Seal: i=1; a=rsa-sha256; cv=none; d=forward.example; s=arc; b=AAAA", ONE),
        FORGED,
    ),
    Sample("seal missing", "no ARC-Seal", ONE.replace(b"ARC-Seal", b"X-Seal"), FORGED),
    Sample(
        "message signature missing",
        "no ARC-Message-Signature",
        ONE.replace(b"ARC-Message-Sig", b"X-Message-Sig"),
        FORGED,
    ),
    Sample("results missing", "no ARC-Authentication-Results", ONE.replace(b"ARC-Auth", b"X-Auth"), FORGED),
    Sample(
        "first set taken out",
        "only the newest is left",
        TWO.replace(b"ARC-Seal: i=1;", b"X-Seal: i=1;"),
        FORGED,
    ),
    Sample(
        "chain failed",
        "the trusted sealer itself says cv=fail",
        seal(chain("stranger.example"), "forward.example", PASSED, status="fail"),
        FORGED,
    ),
    Sample(
        "first says pass",
        "cv=pass where nothing was before",
        seal(LISTED, "forward.example", PASSED, status="pass"),
        FORGED,
    ),
    Sample(
        "second says none",
        "cv=none where a set was before",
        seal(chain("stranger.example"), "forward.example", PASSED, status="none"),
        FORGED,
    ),
    Sample("odd status", "cv=ok", seal(LISTED, "forward.example", PASSED, status="ok"), FORGED),
    Sample(
        "From not signed",
        "the message signature leaves From out",
        seal(LISTED, "forward.example", PASSED, names="to:subject:date"),
        FORGED,
    ),
    Sample(
        "subject not signed",
        "the message signature leaves the subject out",
        seal(LISTED, "forward.example", PASSED, names="from:to:date"),
        FORGED,
    ),
    Sample(
        "seal signs seals",
        "h= names ARC-Seal",
        seal(LISTED, "forward.example", PASSED, names="from:to:subject:arc-seal"),
        FORGED,
    ),
    Sample("set moved", "the set of one mail on another", SETS + MAIL.replace(b"it.", b"all."), FORGED),
    Sample("From twice under a chain", "a second From", above("From: mallory@evil.example", ONE), FORGED),
    Sample("subject twice under a chain", "a second subject", above("Subject: delete Vera", ONE), UNPROVEN),
    Sample("fifty-one sets", "more instances than there may be", chain(*["forward.example"] * 51), FORGED),
)
