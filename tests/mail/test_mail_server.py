"""Mail that comes the way it does at a company: Postfix, rspamd as its filter, LMTP, Dovecot, and then mailbot."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from mailbot.core.message import ParsedMail
from mailbot.core.parse import parse
from mailbot.core.sender import SenderSettings, judge_sender
from mailbot.demo.stub_dns import StubDns, Zone
from mailbot.mail.dns import Dns
from tests.core.signing import rsa_record, seal, sign
from tests.servers.dovecot import Dovecot
from tests.servers.mail_server import HOST, MailServer
from tests.world import CAMILLE, DELETE_EN, EMILY, START, Builder, DovecotBox

DOMAIN = "myownconference.test"
ALICE = "alice@example.org"
HOME, ELSEWHERE, FORWARDER = "203.0.113.5", "198.51.100.7", "198.51.100.80"
NOTHING_BELIEVED = SenderSettings(frozenset(), frozenset())
SERVER_BELIEVED = SenderSettings(frozenset({HOST}), frozenset(), frozenset({f"imap.{DOMAIN}"}))
FORWARDER_BELIEVED = replace(SERVER_BELIEVED, arc_sealers=frozenset({"forwarder.example"}))

KEY = {"TXT": [rsa_record(1024).decode()]}
ZONE: Zone = {
    "example.org": {"TXT": [f"v=spf1 ip4:{HOME} -all"], "A": [HOME]},
    "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"]},
    "s._domainkey.example.org": KEY,
    "relaxed.example": {"TXT": [f"v=spf1 ip4:{HOME} -all"], "A": [HOME]},
    "_dmarc.relaxed.example": {"TXT": ["v=DMARC1; p=none"]},
    "mailer.example": {"TXT": [f"v=spf1 ip4:{ELSEWHERE} -all"], "A": [ELSEWHERE]},
    "s._domainkey.mailer.example": KEY,
    "forwarder.example": {"TXT": [f"v=spf1 ip4:{FORWARDER} -all"], "A": [FORWARDER]},
    "arc._domainkey.forwarder.example": KEY,
}


def letter(sender: str = ALICE, body: str = "Please delete my account and all my data.") -> bytes:
    head = f"From: Alice <{sender}>\r\nTo: privacy@{DOMAIN}\r\nSubject: My account\r\n"
    dated = f"Date: {START:%a, %d %b %Y %H:%M:%S} +0000\r\nMessage-ID: <{uuid4().hex}@example.org>\r\n"
    return f"{head}{dated}\r\n{body}\r\n".encode()


def forwarded() -> bytes:
    """Signed by Alice's domain, changed by a forwarder (so the signature is broken), who seals that he saw it pass."""
    changed = sign(letter(), "example.org").replace(b"My account", b"[fwd] My account")
    saw = "mx.forwarder.example; dmarc=pass header.from=example.org; dkim=pass header.d=example.org"
    return seal(changed, "forwarder.example", saw)


@dataclass(frozen=True)
class Case:
    """A mail, who hands it in from where, and what it is judged: by signatures alone, and with our server's word."""

    name: str
    mail: bytes
    envelope: str
    address: str
    alone: str
    with_server: str
    with_forwarder: str = ""


MALLORY = "mallory@mailer.example"
RELAXED = letter("alice@relaxed.example")
PASS = "dkim=pass header.d=example.org; dmarc=pass header.from=example.org"
SPELLINGS = (
    "Authentication-Results",
    "AUTHENTICATION-RESULTS",
    "Authentication-Results ",
    "authentication-results",
)

CASES = [
    Case("signed", sign(letter(), "example.org"), ALICE, HOME, "proven", "proven"),
    Case(
        "signed, through a plain alias",
        sign(letter(), "example.org"),
        "alias@forwarder.example",
        FORWARDER,
        "proven",
        "proven",
    ),
    Case("not signed, from its domain's own server", letter(), ALICE, HOME, "forged", "proven"),
    Case(
        "signed by another domain", sign(letter(), "mailer.example"), MALLORY, ELSEWHERE, "forged", "forged"
    ),
    Case("spoofed", letter(), ALICE, ELSEWHERE, "forged", "forged"),
    Case("spoofed, envelope of the spoofer's own", letter(), MALLORY, ELSEWHERE, "forged", "forged"),
    Case("spoofed where the domain asks for nothing", RELAXED, MALLORY, ELSEWHERE, "unproven", "unproven"),
    Case(
        "changed and sealed by a forwarder",
        forwarded(),
        "alias@forwarder.example",
        FORWARDER,
        "forged",
        "forged",
        "proven",
    ),
    Case(
        "sealed by the spoofer",
        seal(letter(), "mailer.example", f"mx.mailer.example; {PASS}"),
        ALICE,
        ELSEWHERE,
        "forged",
        "forged",
    ),
    *(
        Case(
            f"spoofed with our server's name ({spelling!r})",
            f"{spelling}: {HOST}; {PASS}\r\n".encode() + letter(),
            ALICE,
            ELSEWHERE,
            "forged",
            "forged",
        )
        for spelling in SPELLINGS
    ),
    Case(
        "our server's name where the domain asks for nothing",
        f"Authentication-Results: {HOST}; dmarc=pass header.from=relaxed.example\r\n".encode() + RELAXED,
        MALLORY,
        ELSEWHERE,
        "unproven",
        "unproven",
    ),
]


@pytest.fixture(scope="module")
def names() -> Iterator[StubDns]:
    with StubDns(copy.deepcopy(ZONE)) as dns:
        yield dns


@pytest.fixture(scope="module")
def mail_server(dovecot: Dovecot, names: StubDns) -> Iterator[MailServer]:
    with MailServer(dovecot, names, DOMAIN) as server:
        yield server


@pytest.fixture(scope="module")
def arrived(mail_server: MailServer, dovecot: Dovecot) -> dict[str, bytes]:
    """Every case's mail as it lies in Dovecot, by the case's name."""
    users = {case.name: f"rt-{uuid4().hex}@{DOMAIN}" for case in CASES}
    for case in CASES:
        mail_server.send(case.mail, case.envelope, users[case.name], case.address)
    return {name: mail_server.arrived(user, 1)[0] for name, user in users.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mail_is_judged_as_it_came(case: Case, arrived: dict[str, bytes], names: StubDns) -> None:
    """By its signatures alone, with the word of our own server, and with a forwarder whose seal we believe."""
    raw = arrived[case.name]
    assert b"Authentication-Results: " + HOST.encode() in raw

    def judged(settings: SenderSettings) -> str:
        mail = parse(raw)
        assert isinstance(mail, ParsedMail)
        return judge_sender(mail, raw, Dns((names.address,), 5).txt, settings, START).verdict.value

    found = (judged(NOTHING_BELIEVED), judged(SERVER_BELIEVED), judged(FORWARDER_BELIEVED))
    assert found == (case.alone, case.with_server, case.with_forwarder or case.with_server)


def test_only_the_true_sender_is_answered(
    mail_server: MailServer, dovecot: Dovecot, names: StubDns, builder: Builder, tmp_path: Path
) -> None:
    """Camille signs, Mallory writes as Emily with our server's name on top: one gets a question, the other nothing."""
    builder.smtp.clear()
    names.zone.update(builder.dns.zone)
    box = DovecotBox(dovecot, f"rt-{uuid4().hex}@{DOMAIN}")
    believed = {"authserv_ids": [HOST], "own_hosts": [f"imap.{DOMAIN}"]}
    strangers = Builder(builder.template, builder.smtp, names)
    with strangers.world(tmp_path, box=box, more={"sender": believed}) as world:
        true = world.letter(CAMILLE, "Delete my account", DELETE_EN)
        false = world.letter(EMILY, "Delete my account", DELETE_EN, signed=False)
        named = (
            f"Authentication-Results: {HOST}; dmarc=pass header.from={EMILY.partition('@')[2]}\r\n".encode()
        )
        for raw, sender in ((true, CAMILLE), (named + false, EMILY)):
            mail_server.send(raw, sender, box.user, ELSEWHERE)
        mail_server.arrived(box.user, 2)
        world.work()
        assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]
        assert world.states(EMILY) == [("deletion", "awaiting_staff")]
        assert [len(world.letters(CAMILLE)), len(world.letters(EMILY))] == [1, 0]
