"""Single steps of mailbot beside the plain way of doing the same: where its speed comes from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import dkim

from bench.generator import PRIVACY, Letter, Signer
from mailbot.config import parse_config
from mailbot.core.classify import Classifier
from mailbot.core.dns_answer import NoTxt, TxtAnswer, TxtRecords
from mailbot.core.language import LanguageGuesser, Signs
from mailbot.core.message import ParsedMail
from mailbot.core.newest_text import newest_text
from mailbot.core.parse import parse
from mailbot.core.request import Language
from mailbot.core.sender import SenderSettings, judge_sender
from mailbot.demo.stub_dns import Zone
from mailbot.knowledge import load_rulebooks
from mailbot.mail.compose import OutgoingMail, compose

Floor = tuple[str, float, float, str]
"""Step, ours a second, theirs a second, who they are (empty: nobody)."""

_SAMPLE = 300
_TONGUES = tuple(map(Language, ("fr", "en", "de")))
_TEXT = "Hello,\n\nwe have received your mail and will answer it within a month. Grüße!\n" * 5


def measure_floors(written: Sequence[Letter], mails: Sequence[bytes], signer: Signer) -> Iterator[Floor]:
    """Each step over the first few hundred mails, the large ones among them."""
    raw = mails[:_SAMPLE]
    signed = [mail for letter, mail in zip(written, raw, strict=False) if letter.wants_signature]
    lookup, now = _lookup(signer.zone()), datetime.now(UTC)
    parsed = [mail for mail in map(parse, raw) if isinstance(mail, ParsedMail)]
    texts = [newest_text(mail.text) for mail in parsed]
    settings = SenderSettings(frozenset(), frozenset())
    pairs = [(mail, one) for one in signed if isinstance(mail := parse(one), ParsedMail)]
    yield "parse", _rate(parse, raw), _rate(_walk, raw), "stdlib email, walked"
    yield "newest text", _rate(newest_text, [mail.text for mail in parsed]), 0.0, ""
    guesser = LanguageGuesser({one: Signs() for one in _TONGUES})
    yield "language", _rate(guesser.guess, texts), 0.0, ""
    classifier = Classifier(load_rulebooks(parse_config({}, Path("config.toml"))))
    yield "understand", _rate(lambda text: classifier.understand("", text, _TONGUES[:1]), texts), 0.0, ""
    yield (
        "sender proof of a signed mail",
        _rate(lambda pair: judge_sender(pair[0], pair[1], lookup, settings, now), pairs),
        _rate(lambda one: dkim.verify(one, dnsfunc=_for_dkimpy(lookup)), signed),
        "dkimpy",
    )
    outgoing = [_outgoing(number) for number in range(_SAMPLE)]
    yield "compose", _rate(compose, outgoing), _rate(_by_stdlib, outgoing), "EmailMessage"


def _rate(step: Callable[..., object], things: Sequence[object]) -> float:
    started = time.perf_counter()
    for thing in things:
        step(thing)
    return len(things) / (time.perf_counter() - started)


def _walk(raw: bytes) -> int:
    mail = message_from_bytes(raw, policy=policy.default)
    return sum(len(part.get_content()) for part in mail.walk() if not part.is_multipart())


def _lookup(zone: Zone) -> Callable[[str], TxtAnswer]:
    def ask(name: str) -> TxtAnswer:
        entry = zone.get(name)
        return TxtRecords(tuple(value.encode() for value in entry["TXT"])) if entry else NoTxt()

    return ask


def _for_dkimpy(lookup: Callable[[str], TxtAnswer]) -> Callable[..., bytes | None]:
    def ask(name: bytes, timeout: float = 5) -> bytes | None:  # noqa: ARG001  # dkimpy gives it
        found = lookup(name.decode().removesuffix("."))
        return found.records[0] if isinstance(found, TxtRecords) else None

    return ask


def _outgoing(number: int) -> OutgoingMail:
    return OutgoingMail(
        from_name="MyOwnConference",
        from_address=PRIVACY,
        to=f"sender{number}@company.example",
        subject=f"Votre demande a bien été reçue [{number}]",
        text=_TEXT,
        html=f"<p>{_TEXT}</p>",
        message_id=f"<{number}@myownconference.com>",
        date=datetime(2026, 3, 2, tzinfo=UTC),
        reference=str(number),
    )


def _by_stdlib(mail: OutgoingMail) -> bytes:
    built = EmailMessage(policy=policy.SMTP)
    built["From"] = f"{mail.from_name} <{mail.from_address}>"
    built["To"] = mail.to
    built["Subject"] = mail.subject
    built["Message-ID"] = mail.message_id
    built["Auto-Submitted"] = mail.auto_submitted
    built.set_content(mail.text)
    built.add_alternative(mail.html, subtype="html")
    return built.as_bytes()
