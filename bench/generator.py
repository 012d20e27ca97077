"""Mails as they come into a privacy mailbox, the same for the same seed: three languages, every shape, no real person.

A signature holds the time it was made, so signing is a step of its own (`Signer`); everything else is determined.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.phrases import TONGUES, Tongue
from mailbot.demo.stub_dns import Zone

PRIVACY = "privacy@myownconference.com"
SHAPES = ("plain", "alternative", "quoted")
KINDS = {"deletion": 30, "access": 15, "correction": 15, "unsubscribe": 20, "unclear": 20}
"""Out of a hundred."""
ATTACHMENT_EVERY = 100
SMALLEST_BYTES, LARGEST_BYTES = 2 << 10, 20 << 10
PROVIDERS, OWN_DOMAINS = 10, 190
"""Two mails of three come from a few large providers, the others from domains of their own."""

_SELECTOR = b"bench"
_BEGIN = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
_HEADER_BYTES = 1_400
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Letter:
    """One generated mail, and what it was made to be. `raw` has CRLF line ends and no signature."""

    raw: bytes
    sender: str
    language: str
    kind: str
    shape: str
    wants_signature: bool
    has_attachment: bool


def letters(count: int, seed: int) -> Iterator[Letter]:
    """`count` mails of as many senders: half of them to be signed, one in a hundred with a large attachment."""
    for number in range(count):
        yield _letter(number, random.Random(f"{seed}/{number}"))


class Signer:
    """Signs as the senders' mail servers would, with one throw-away RSA key of 2048 bits."""

    def __init__(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        self._public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def finished(self, letter: Letter) -> bytes:
        """The mail as it is delivered: signed relaxed/relaxed by the domain of its sender, if it should be."""
        if not letter.wants_signature:
            return letter.raw
        domain = letter.sender.rpartition("@")[2].encode()
        names = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]
        field: bytes = dkim.sign(
            letter.raw,
            _SELECTOR,
            domain,
            self._private,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=names,
        )
        return field + letter.raw

    def zone(self) -> Zone:
        """What DNS says of the senders' domains: those that sign publish a key and a DMARC policy."""
        record = f"v=DKIM1; k=rsa; p={base64.b64encode(self._public).decode()}"
        zone: Zone = {}
        for number in range(PROVIDERS + OWN_DOMAINS):
            signing = _domain(number, signing=True)
            zone[f"{_SELECTOR.decode()}._domainkey.{signing}"] = {"TXT": [record]}
            zone[f"_dmarc.{signing}"] = {"TXT": ["v=DMARC1; p=reject"]}
        return zone


def _letter(number: int, chance: random.Random) -> Letter:
    language = ("fr", "en", "de")[number % 3]
    shape = SHAPES[number // 3 % 3]
    signs = (number + number // ATTACHMENT_EVERY) % 2 == 0
    has_attachment = number % ATTACHMENT_EVERY == 17
    kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
    tongue = TONGUES[language]
    name = f"{chance.choice(tongue.first_names)} {chance.choice(tongue.last_names)}"
    sender = f"sender{number}@{_domain_of(chance, signing=signs)}"
    subject, wish = chance.choice(tongue.wishes[kind])
    size = round(SMALLEST_BYTES * (LARGEST_BYTES / SMALLEST_BYTES) ** chance.random())
    body = _body(tongue, wish.format(name=name), name, chance)
    mail = _headed(number, name, sender, subject, chance)
    _fill(mail, shape, tongue, body, max(size - _HEADER_BYTES, 600), chance)
    if has_attachment:
        _attach(mail, chance)
    _fix_boundaries(mail, number)
    return Letter(mail.as_bytes(), sender, language, kind, shape, signs, has_attachment)


def _domain_of(chance: random.Random, *, signing: bool) -> str:
    is_large = chance.random() < 2 / 3
    number = chance.randrange(PROVIDERS) if is_large else PROVIDERS + chance.randrange(OWN_DOMAINS)
    return _domain(number, signing=signing)


def _domain(number: int, *, signing: bool) -> str:
    owner = "provider" if number < PROVIDERS else "company"
    return f"{owner}{number}.{'signs' if signing else 'plain'}.example"


def _headed(number: int, name: str, sender: str, subject: str, chance: random.Random) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    at = _BEGIN + timedelta(seconds=61 * number)
    domain = sender.rpartition("@")[2]
    for hop in range(4):
        token = f"{chance.getrandbits(64):016x}"
        mail["Received"] = (
            f"from out{hop}.{domain} (out{hop}.{domain} [192.0.2.{1 + hop}]) by relay{hop}.{domain} "
            f"(Postfix) with ESMTPS id {token} for <{PRIVACY}>; {format_datetime(at)}"
        )
    mail["From"] = f'"{name}" <{sender}>'
    mail["To"] = PRIVACY
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{chance.getrandbits(96):024x}@{domain}>"
    mail["X-Mailer"] = "Example Mail 7.2"
    return mail


def _body(tongue: Tongue, wish: str, name: str, chance: random.Random) -> str:
    before = " ".join(chance.sample(tongue.talk, chance.randrange(4)))
    after = " ".join(chance.sample(tongue.talk, chance.randrange(4)))
    paragraphs = [chance.choice(tongue.greetings), before, wish, after]
    said = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
    return f"{said}\n\n{chance.choice(tongue.closings)}\n{name}\n"


def _fill(
    mail: EmailMessage, shape: str, tongue: Tongue, body: str, size: int, chance: random.Random
) -> None:
    """The letter in its shape; what is missing to `size` is history below it, or markup around it."""
    if shape == "plain":
        mail.set_content(body + _signature(tongue, size - len(body), chance))
    elif shape == "quoted":
        mail.set_content(body + _history(tongue, size - len(body), chance))
    else:
        history = _history(tongue, (size - 2 * len(body)) // 3, chance)
        mail.set_content(body + history)
        mail.add_alternative(_html(body, history), subtype="html")


def _signature(tongue: Tongue, size: int, chance: random.Random) -> str:
    """A block below "-- " that says what nobody reads."""
    return "\n-- \n" + _prose(tongue, size, chance, "")


def _history(tongue: Tongue, size: int, chance: random.Random) -> str:
    return f"\n{tongue.quoted_by.format(day='02.03.2026')}\n" + _prose(tongue, size, chance, "> ")


def _prose(tongue: Tongue, size: int, chance: random.Random, mark: str) -> str:
    lines: list[str] = []
    while size > 0:
        lines.append(mark + chance.choice(tongue.talk))
        size -= len(lines[-1].encode()) + 2
    return "\n".join(lines) + "\n"


def _html(body: str, history: str) -> str:
    said = "".join(
        f'<p style="margin:0 0 1em 0;font-family:Arial">{escape(one)}</p>\n' for one in body.split("\n\n")
    )
    quoted = "".join(f"<div>{escape(line.removeprefix('> '))}</div>\n" for line in history.splitlines())
    return (
        '<html><head><style>p { color: #222 } .quoted { color: #777 }</style></head><body dir="ltr">\n'
        f'{said}<blockquote class="quoted" type="cite">\n{quoted}</blockquote>\n</body></html>\n'
    )


def _attach(mail: EmailMessage, chance: random.Random) -> None:
    """A file whose base64 takes 1 to 5 MiB."""
    size = chance.randrange(1 << 20, 5 << 20) * 3 // 4
    noise = chance.randbytes(_PIECE)
    data = (noise * (size // _PIECE + 1))[:size]
    mail.add_attachment(data, maintype="application", subtype="pdf", filename="scan.pdf")


def _fix_boundaries(mail: EmailMessage, number: int) -> None:
    for depth, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_bench_{number}_{depth}")
