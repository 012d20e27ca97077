"""Signatures and signing domains that prove nothing of Alice."""

from __future__ import annotations

import base64
import hashlib
import re

from tests.core.forgeries.world import (
    FORGED,
    MAIL,
    OTHER_HASH,
    SIGNED,
    UNPROVEN,
    Sample,
    above,
    freely,
    from_,
)
from tests.core.signing import sign, sign_freely
from tests.core.weak_keys import WeakKey

SIGNATURES = (
    Sample("no signature", "an unsigned mail of a domain that signs", MAIL, FORGED),
    Sample("body changed", "words of the body are replaced", SIGNED.replace(b"it.", b"all."), FORGED),
    Sample("body grown", "text is appended", SIGNED + b"And Vera's too.\r\n", FORGED),
    Sample("body emptied", "the body is cut off", SIGNED.partition(b"Please")[0], FORGED),
    Sample(
        "subject changed", "the signed subject is replaced", SIGNED.replace(b"my acc", b"all acc"), FORGED
    ),
    Sample("From changed", "the local part is replaced", SIGNED.replace(b"alice@", b"vera@"), FORGED),
    Sample("name changed", "the display name is replaced", SIGNED.replace(b"Alice <", b"Vera <"), FORGED),
    Sample("date changed", "the signed date is replaced", SIGNED.replace(b"10:00:00", b"11:00:00"), FORGED),
    Sample("hash replaced", "bh= of another body", freely({"bh": OTHER_HASH}), FORGED),
    Sample(
        "hash repaired", "bh= is made to fit the new body, b= is not", SIGNED.replace(b"it.", b"x"), FORGED
    ),
    Sample("signature torn", "b= is cut short", re.sub(rb"b=[A-Za-z0-9+/]{6}", b"b=", SIGNED), FORGED),
    Sample("signature empty", "b= says nothing", re.sub(rb" b=[^;]+?(?=\r\nFrom)", b" b=", SIGNED), FORGED),
    Sample(
        "length zero",
        "l=0: the body is not signed at all",
        freely({"l": "0", "bh": base64.b64encode(hashlib.sha256(b"").digest()).decode()}),
        UNPROVEN,
    ),
    Sample(
        "length and more",
        "l= covers Alice's words, Mallory's follow",
        sign(MAIL, "example.org", length=True) + b"And Vera's too.\r\n",
        UNPROVEN,
    ),
    Sample("length too long", "l= beyond the body's end", freely({"l": "99999"}), UNPROVEN),
    Sample("length negative", "l=-1", freely({"l": "-1"}), FORGED),
    Sample("subject not signed", "the subject can be replaced", freely({"h": "from:to:date"}), UNPROVEN),
    Sample(
        "subject added",
        "a mail signed without subject gets one",
        above("Subject: delete Vera", freely({"h": "from:to:date"}, MAIL.replace(b"Subject", b"X-Subject"))),
        UNPROVEN,
    ),
    Sample("From not signed", "h= leaves From out", freely({"h": "to:subject:date"}), FORGED),
    Sample("nothing signed", "h= is empty", freely({"h": ""}), FORGED),
    Sample("no h=", "h= is missing", freely({"h": None}), FORGED),
    Sample("identity elsewhere", "i= in another domain", freely({"i": "alice@evil.example"}), FORGED),
    Sample(
        "identity above",
        "i= in the domain above d=",
        freely({"d": "mail.example.org", "i": "@example.org"}),
        FORGED,
    ),
    Sample("identity alike", "i= ends like d= without a dot", freely({"i": "@notexample.org"}), FORGED),
    Sample(
        "subdomain identity, exact key",
        "t=s forbids an i= below d=",
        freely({"s": "exact", "i": "alice@sub.example.org"}),
        FORGED,
    ),
    Sample("expired", "x= is in the past", freely({"t": "1000000000", "x": "1000000001"}), UNPROVEN),
    Sample("expired, no t=", "x= is in the past", freely({"x": "1000000001"}), UNPROVEN),
    Sample("ends before it begins", "x= before t=", freely({"t": "1000000009", "x": "1000000001"}), FORGED),
    Sample("from the future", "t= in the year 5138", freely({"t": "99999999999"}), FORGED),
    Sample("odd time", "t= is no number", freely({"t": "now"}), FORGED),
    Sample("sha1", "rsa-sha1 is broken", sign(MAIL, "example.org", algorithm=b"rsa-sha1"), FORGED),
    Sample("algorithm named wrongly", "a=rsa-sha512", freely({"a": "rsa-sha512"}), FORGED),
    Sample("algorithm none", "a=none", freely({"a": "none"}), FORGED),
    Sample("algorithm of another key", "a=ed25519 with an RSA key", freely({"a": "ed25519-sha256"}), FORGED),
    Sample("version 2", "v=2", freely({"v": "2"}), FORGED),
    Sample("no version", "v= is missing", freely({"v": None}), FORGED),
    Sample(
        "a tag twice",
        "d= twice: programs pick different ones",
        SIGNED.replace(b"d=example.org;", b"d=evil.example; d=example.org;"),
        FORGED,
    ),
    Sample("unknown canonicalisation", "c=nofws", freely({"c": "nofws"}), FORGED),
    Sample("key asked elsewhere", "q=http/txt", freely({"q": "http/txt"}), FORGED),
    Sample(
        "648 bits",
        "a key that can be broken",
        sign_freely(MAIL, {"s": "k648"}, WeakKey(127, 521).sign),
        FORGED,
    ),
    Sample(
        "734 bits",
        "a key that can be broken",
        sign_freely(MAIL, {"s": "k734"}, WeakKey(127, 607).sign),
        FORGED,
    ),
    Sample(
        "exponent three",
        "a cube root with waste behind the hash",
        sign_freely(MAIL, {"s": "three"}, WeakKey(1279, 2203, 3).forge),
        FORGED,
    ),
    Sample(
        "exponent one",
        "anything is its own signature",
        sign_freely(MAIL, {"s": "one"}, WeakKey(1279, 2203, 1).forge),
        FORGED,
    ),
    Sample("no key", "a selector without a record", freely({"s": "gone"}), FORGED),
    Sample("revoked key", "p= is empty", freely({"s": "revoked"}), FORGED),
    Sample("torn key", "p= cannot be read", freely({"s": "torn"}), FORGED),
    Sample("key without p=", "no p=", freely({"s": "empty"}), FORGED),
    Sample("testing key", "t=y: the domain does not stand by it", freely({"s": "testing"}), UNPROVEN),
    Sample("key only for sha1", "h=sha1", freely({"s": "sha1only"}), FORGED),
    Sample("key not for mail", "s=tlsrpt", freely({"s": "tlsrpt"}), FORGED),
    Sample("key of another kind", "k=dsa over an RSA key", freely({"s": "dsa"}), FORGED),
    Sample("key of another version", "v=DKIM2", freely({"s": "v2"}), FORGED),
    Sample("key with a late version", "v= is not its first tag", freely({"s": "late"}), FORGED),
    Sample("two keys", "two records under one selector", freely({"s": "two"}), FORGED),
    Sample("selector path", "s= leads out of _domainkey", freely({"s": "x..y"}), FORGED),
    Sample(
        "selector into another zone",
        "s=s._domainkey.evil.example.",
        freely({"s": "s._domainkey.evil.example."}),
        FORGED,
    ),
    Sample(
        "signature of a signature",
        "only Mallory's header is covered",
        freely({"h": "from", "d": "evil.example"}),
        FORGED,
    ),
    Sample(
        "signature copied",
        "Alice's signature on another mail",
        SIGNED.partition(b"From:")[0] + MAIL.replace(b"it.", b"all."),
        FORGED,
    ),
    Sample(
        "signature renamed",
        "X-DKIM-Signature",
        SIGNED.replace(b"DKIM-Signature", b"X-DKIM-Signature"),
        FORGED,
    ),
    Sample(
        "bytes turned round",
        "CRLF in a signed header becomes a fold of another field",
        SIGNED.replace(b"\r\nTo:", b"\r\n To:"),
        FORGED,
    ),
)


DOMAINS = (
    Sample("unaligned", "Mallory signs for her own domain", sign(MAIL, "evil.example"), FORGED),
    Sample("public suffix", "d=org", freely({"d": "org"}), FORGED),
    Sample("longer domain", "d=example.org.evil.example", freely({"d": "example.org.evil.example"}), FORGED),
    Sample(
        "subdomain, strict",
        "adkim=s and d= below From",
        from_("a@strict.example", "mail.strict.example"),
        FORGED,
    ),
    Sample(
        "parent, strict",
        "adkim=s and d= above From",
        from_("a@mail.strict.example", "strict.example"),
        FORGED,
    ),
    Sample(
        "neighbour on a shared suffix",
        "mallory.pages.dev for alice.pages.dev",
        from_("a@alice.pages.dev", "mallory.pages.dev"),
        FORGED,
    ),
    Sample(
        "the shared suffix", "pages.dev for alice.pages.dev", from_("a@alice.pages.dev", "pages.dev"), FORGED
    ),
    Sample(
        "unsigned subdomain",
        "a name below example.org",
        MAIL.replace(b"@example", b"@billing.example"),
        FORGED,
    ),
    Sample(
        "subdomain with sp=none",
        "the domain asks nothing for those below it",
        MAIL.replace(b"example.org", b"x.parent.example"),
        UNPROVEN,
    ),
    Sample("no policy", "a domain without DMARC", MAIL.replace(b"example.org", b"nowhere.example"), UNPROVEN),
    Sample("empty d=", "d= says nothing", freely({"d": ""}), FORGED),
    Sample("final dot in d=", "d=example.org.", freely({"d": "example.org."}), FORGED),
    Sample("space in d=", "d=example .org", freely({"d": "example .org"}), FORGED),
    Sample("letters of another alphabet", "d= in U-labels", freely({"d": "ex\u0430mple.org"}), FORGED),
    Sample(
        "many signatures",
        "seventy of Mallory's",
        sign(MAIL, "evil.example").partition(b"From:")[0] * 70 + MAIL,
        FORGED,
    ),
)
