"""Headers that read in two ways."""

from __future__ import annotations

from tests.core.forgeries.world import (
    FORGED,
    MAIL,
    OVERSIGNED,
    SIGNED,
    SIGNED_ONCE,
    UNPROVEN,
    Sample,
    above,
    below,
)
from tests.core.signing import sign

HEADERS = (
    Sample("second From above", "a From over the signed one", above("From: mallory@evil.example"), FORGED),
    Sample("second From below", "a From under the signed one", below("From: mallory@evil.example"), FORGED),
    Sample("From in other case", "fROM beside From", above("fROM: mallory@evil.example"), FORGED),
    Sample("From with a space", '"From :" beside From', above("From : mallory@evil.example"), FORGED),
    Sample("From with a tab", "From and a tab beside From", above("From\t: mallory@evil.example"), FORGED),
    Sample("From folded away", "a fold before the colon", above("From\r\n : mallory@evil.example"), FORGED),
    Sample(
        "From behind a CR",
        "a bare CR hides a second From",
        above("X: y\rFrom: mallory@evil.example"),
        UNPROVEN,
    ),
    Sample(
        "From behind a NUL", "a NUL hides a second From", above("X: y\0From: mallory@evil.example"), UNPROVEN
    ),
    Sample(
        "From behind a form feed",
        "a form feed hides a second From",
        above("X: y\x0cFrom: mallory@evil.example"),
        UNPROVEN,
    ),
    Sample("From behind a line separator", "U+2028", above("X: y\u2028From: mallory@evil.example"), UNPROVEN),
    Sample(
        "second From, oversigned",
        "h= names From twice",
        above("From: mallory@evil.example", OVERSIGNED),
        FORGED,
    ),
    Sample(
        "second subject",
        "a subject over the signed one",
        above("Subject: delete Vera", SIGNED_ONCE),
        UNPROVEN,
    ),
    Sample(
        "second subject, oversigned",
        "h= names the subject twice",
        above("Subject: delete Vera", OVERSIGNED),
        FORGED,
    ),
    Sample("second To", "a To over the signed one", above("To: privacy@example.com", SIGNED_ONCE), UNPROVEN),
    Sample("second To, oversigned", "h= names To twice", above("To: other@example.com", OVERSIGNED), FORGED),
    Sample(
        "second Date", "a date over the signed one", above("Date: Mon, 23 Nov 2026 10:00:00 +0000"), UNPROVEN
    ),
    Sample(
        "second Reply-To",
        "two Reply-To",
        above("Reply-To: a@evil.example\r\nReply-To: b@evil.example"),
        UNPROVEN,
    ),
    Sample("second Message-ID", "two Message-IDs", above("Message-ID: <a@x>\r\nMessage-ID: <b@x>"), UNPROVEN),
    Sample(
        "second content type",
        "another boundary",
        above("Content-Type: text/html\r\nContent-Type: text/plain"),
        UNPROVEN,
    ),
    Sample(
        "second encoding",
        "another transfer encoding",
        above("Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit"),
        UNPROVEN,
    ),
    Sample(
        "second MIME version", "two MIME-Versions", above("MIME-Version: 1.0\r\nMIME-Version: 1.0"), UNPROVEN
    ),
    Sample(
        "content type, oversigned",
        "a content type is added",
        above("Content-Type: text/html", OVERSIGNED),
        FORGED,
    ),
    Sample("no field name", "a line that is no field", above("hello"), FORGED),
    Sample("no field name but a colon", "a line that begins with a colon", above(": x"), FORGED),
    Sample(
        "blank line of spaces",
        "some programs end the header here",
        above("X: y\r\n \r\nDelete: Vera"),
        UNPROVEN,
    ),
    Sample("begins with a fold", "a fold of nothing", above(" From: mallory@evil.example"), FORGED),
    Sample(
        "header ended early",
        "an empty line above the signed header",
        above("From: mallory@evil.example\r\n"),
        UNPROVEN,
    ),
    Sample(
        "header ended by LF",
        "a bare LF pair above the signed header",
        b"From: mallory@evil.example\n\n" + SIGNED,
        UNPROVEN,
    ),
    Sample(
        "smuggled end",
        "a dot line between bare line feeds",
        SIGNED.replace(b"Please", b"\n.\nPlease"),
        FORGED,
    ),
    Sample(
        "bare CR in the body", "a CR is added to the body", SIGNED.replace(b"Please ", b"Please\r "), FORGED
    ),
    Sample("eight bits", "bytes above ASCII in an unsigned field", b"X-Note: \xff\xfe\r\n" + MAIL, FORGED),
    Sample(
        "Sender alone",
        "Sender says Alice, From says Mallory",
        above(
            "Sender: alice@example.org",
            MAIL.replace(b"Alice <alice@example.org>", b"mallory@nowhere.example"),
        ),
        UNPROVEN,
    ),
    Sample(
        "Sender signs",
        "Sender's domain signs, From's does not",
        sign(above("Sender: m@evil.example", MAIL), "evil.example"),
        FORGED,
    ),
    Sample(
        "Resent-From signs",
        "Resent-From's domain signs",
        sign(above("Resent-From: m@evil.example", MAIL), "evil.example"),
        FORGED,
    ),
    Sample(
        "two Senders",
        "two Sender fields",
        above("Sender: a@evil.example\r\nSender: b@evil.example"),
        UNPROVEN,
    ),
    Sample("huge header", "two megabytes of header", above("X: " + "y" * 2_000_000), FORGED),
    Sample("no header", "a body only", b"\r\nPlease delete it.\r\n", FORGED),
)
