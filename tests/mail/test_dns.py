"""TXT records are asked for within a time, kept within bounds, and a failure is never taken for an answer."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest

from mailbot.core.dns_answer import DnsFailure, NoTxt, TxtRecords
from mailbot.core.message import ParsedMail
from mailbot.core.parse import parse
from mailbot.core.sender import SenderSettings, Verdict, judge_sender
from mailbot.demo.stub_dns import SERVFAIL, TIMEOUT, StubDns
from mailbot.mail.dns import FAILURE_KEPT_SECONDS, MOST_KEPT, Dns
from tests.core.signing import rsa_record, sign

LONG = "v=DKIM1; p=" + "A" * 3000


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_kind_of_answer_is_told_apart() -> None:
    """Records, an empty name, a missing name, a failing and a silent server are five different things."""
    zone = {
        "example.org": {"A": ["192.0.2.1"]},
        "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject", "second"]},
        "broken.example.org": SERVFAIL,
        "silent.example.org": TIMEOUT,
    }
    with StubDns(zone) as stub:
        dns = Dns([stub.address], 0.3)
        assert dns.txt("_DMARC.example.org.") == TxtRecords((b"second", b"v=DMARC1; p=reject"))
        assert dns.txt("example.org") == NoTxt(name_exists=True)
        assert dns.txt("nobody.example.org") == NoTxt(name_exists=False)
        assert isinstance(dns.txt("broken.example.org"), DnsFailure)
        assert isinstance(dns.txt("silent.example.org"), DnsFailure)


def test_a_silent_server_costs_no_more_than_the_time_set() -> None:
    """The time-out holds."""
    with StubDns({"silent.example.org": TIMEOUT}) as stub:
        began = time.monotonic()
        Dns([stub.address], 0.3).txt("silent.example.org")
        assert time.monotonic() - began < 1.5


def test_a_long_record_is_whole() -> None:
    """A record of many strings, too long for UDP, is fetched by TCP and joined."""
    with StubDns({"s._domainkey.example.org": {"TXT": [LONG]}}) as stub:
        assert Dns([stub.address], 2).txt("s._domainkey.example.org") == TxtRecords((LONG.encode(),))
        assert stub.tcp_queries == ["s._domainkey.example.org"]


def test_answers_are_kept_for_their_time_and_failures_for_a_short_one() -> None:
    """Records hold for their TTL; a failure is asked again after seconds, and then the truth counts."""
    clock = Clock()
    with StubDns({"a.example.org": {"TXT": ["one"]}, "b.example.org": SERVFAIL}, ttl_seconds=60) as stub:
        dns = Dns([stub.address], 1, clock)
        for name in (
            "a.example.org",
            "A.example.org",
            "b.example.org",
            "b.example.org",
            "no.example.org",
            "no.example.org",
        ):
            dns.txt(name)
        assert stub.queries == ["a.example.org", "b.example.org", "no.example.org"]
        stub.zone["a.example.org"] = stub.zone["b.example.org"] = {"TXT": ["two"]}
        clock.now = FAILURE_KEPT_SECONDS + 1
        assert (dns.txt("a.example.org"), dns.txt("b.example.org")) == (
            TxtRecords((b"one",)),
            TxtRecords((b"two",)),
        )
        clock.now = 61
        assert dns.txt("a.example.org") == TxtRecords((b"two",))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "org",
        "a..org",
        "-a.org",
        "ex ample.org",
        "é.org",
        "a\x00.org",
        "a." * 130 + "org",
        "x" * 64 + ".org",
    ],
)
def test_names_that_cannot_exist_are_never_asked(name: str) -> None:
    """A mail cannot make us send nonsense to DNS."""
    with StubDns() as stub:
        assert Dns([stub.address], 1).txt(name) == NoTxt()
        assert stub.queries == []


def test_memory_is_bounded() -> None:
    """However many names are asked for, only so many answers are kept."""
    dns = Dns(["127.0.0.1:1"], 0.1)
    for number in range(MOST_KEPT + 50):
        dns._keep(f"n{number}.example.org", NoTxt(), 60)
    assert len(dns._kept) == MOST_KEPT


def test_threads_may_share_one() -> None:
    """Eight threads asking at once all get the right answers."""
    zone = {f"n{number}.example.org": {"TXT": [str(number)]} for number in range(40)}
    wrong: list[str] = []
    with StubDns(zone) as stub:
        dns = Dns([stub.address], 5)

        def ask() -> None:
            wrong.extend(
                name for name in zone if dns.txt(name) != TxtRecords((zone[name]["TXT"][0].encode(),))
            )

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_check_says_in_words_whether_dns_answers() -> None:
    """A server that answers at all is fine, even if it says that there is nothing; a silent one is not."""
    with StubDns() as stub:
        assert Dns([stub.address], 1).check() is None
        stub.zone["example.com"] = TIMEOUT
        assert Dns([stub.address], 0.3).check() == "DNS: no nameserver answered in time"


@pytest.mark.parametrize("text", ["localhost", "", "127.0.0.1:dns", "::1:x", "300.1.1.1"])
def test_a_nameserver_must_be_an_address(text: str) -> None:
    """A wrong address is said at the start, not at the first mail."""
    with pytest.raises(ValueError, match="nameserver"):
        Dns([text], 1)


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:5300", "[::1]:53", "[::1]", "::1"])
def test_addresses_may_be_written_with_or_without_port(text: str) -> None:
    """Both families, both forms."""
    Dns([text], 1)


MAIL = b"From: alice@example.org\r\nSubject: hello\r\n\r\nHello.\r\n"
SIGNED = sign(MAIL, "example.org", names=("from", "subject"))


@pytest.mark.parametrize(
    ("key", "verdict", "retry"),
    [
        ({"TXT": [rsa_record().decode()]}, Verdict.PROVEN, False),
        ({"TXT": ["v=DKIM1; p="]}, Verdict.FORGED, False),
        ({}, Verdict.FORGED, False),
        (SERVFAIL, Verdict.UNPROVEN, True),
        (TIMEOUT, Verdict.UNPROVEN, True),
    ],
)
def test_a_sender_is_judged_over_real_dns(key: dict[str, list[str]], verdict: Verdict, retry: bool) -> None:
    """From the wire to the verdict: a revoked or missing key forges, a silent server is not yet known."""
    zone = {"s._domainkey.example.org": key, "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"]}}
    mail = parse(SIGNED)
    assert isinstance(mail, ParsedMail)
    with StubDns(zone) as stub:
        dns = Dns([stub.address], 0.3)
        found = judge_sender(
            mail, SIGNED, dns.txt, SenderSettings(frozenset(), frozenset()), datetime.now(UTC)
        )
    assert (found.verdict, found.retry) == (verdict, retry)
