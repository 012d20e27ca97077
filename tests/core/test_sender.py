"""Nobody is taken for somebody else: a sender is proven by what cannot be forged, and by nothing else."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.dns_answer import DnsFailure, NoTxt, TxtAnswer
from mailbot.core.message import ParsedMail
from mailbot.core.parse import parse
from mailbot.core.sender import SenderSettings, SenderVerdict, Verdict, judge_sender
from tests.core.signing import Zone, ed25519_record, rsa_record, seal, sign, sign_freely

NOW = datetime.now(UTC)
PLAIN = SenderSettings(frozenset(), frozenset())
TRUSTING = SenderSettings(frozenset({"mx.example.com"}), frozenset({"forward.example"}))
REST = (
    b"To: privacy@example.com\r\nSubject: my account\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n"
    b"Please delete it.\r\n"
)
MAIL = b"From: Alice <alice@example.org>\r\n" + REST
REJECT = "v=DMARC1; p=reject"
ZONE: dict[str, TxtAnswer | bytes | str] = {
    "s._domainkey.example.org": rsa_record(),
    "s._domainkey.mail.example.org": rsa_record(),
    "s._domainkey.example.net": rsa_record(),
    "arc._domainkey.forward.example": rsa_record(),
    "arc._domainkey.stranger.example": rsa_record(),
    "_dmarc.example.org": REJECT,
    "_dmarc.example.net": "v=DMARC1; p=none",
}
PROVEN, UNPROVEN, FORGED = Verdict.PROVEN, Verdict.UNPROVEN, Verdict.FORGED


def judge(
    raw: bytes, zone: dict[str, TxtAnswer | bytes | str] | None = None, believed: SenderSettings = PLAIN
) -> SenderVerdict:
    """The verdict on `raw` with `zone` (default ZONE) in DNS."""
    return judge_sender(parsed(raw), raw, Zone(ZONE if zone is None else zone), believed, NOW)


def parsed(raw: bytes) -> ParsedMail:
    """`raw` as the program reads it."""
    mail = parse(raw)
    assert isinstance(mail, ParsedMail)
    return mail


def test_alices_own_signed_mail_is_proven() -> None:
    """An aligned signature that verifies: the one thing that needs nobody's word."""
    verdict = judge(sign(MAIL, "example.org"))
    assert (verdict.verdict, verdict.method, verdict.domain) == (PROVEN, "dkim", "example.org")
    assert verdict.address == "alice@example.org"
    assert verdict.reasons == ("signed by example.org", "the key has only 1024 bits")
    assert not verdict.retry


def test_an_exact_signature_needs_one_question() -> None:
    """The policy does not matter when the very domain has signed."""
    raw, zone = sign(MAIL, "example.org"), Zone(ZONE)
    judge_sender(parsed(raw), raw, zone, PLAIN, NOW)
    assert zone.asked == ["s._domainkey.example.org"]


def test_a_signature_of_a_subdomain_counts_unless_alignment_is_strict() -> None:
    """adkim=s wants the very domain; and while the policy is not known, neither is the sender."""
    raw = sign(MAIL, "mail.example.org")
    assert judge(raw).verdict is PROVEN
    assert judge(raw, ZONE | {"_dmarc.example.org": f"{REJECT}; adkim=s"}).verdict is FORGED
    unknown = judge(raw, ZONE | {"_dmarc.example.org": DnsFailure("silent")})
    assert (unknown.verdict, unknown.retry) == (UNPROVEN, True)


def test_a_good_signature_is_found_among_bad_ones() -> None:
    """A list's signature on top, a broken one of our own below it, and the valid one at the bottom."""
    good = sign(MAIL, "example.org")
    broken = good.replace(b" s=s;", b" s=gone;").partition(b"From:")[0]
    assert judge(sign(broken + good, "example.net")).verdict is PROVEN


@pytest.mark.parametrize("zone", [ZONE, {name: ZONE[name] for name in ZONE if "_dmarc" not in name}])
def test_mallorys_own_signature_proves_nothing_about_alice(zone: dict[str, TxtAnswer | bytes | str]) -> None:
    """Mallory may sign with her own domain as she likes."""
    expected = FORGED if "_dmarc.example.org" in zone else UNPROVEN
    assert judge(sign(MAIL, "example.net"), zone).verdict is expected


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        ("v=DMARC1; p=reject", FORGED),
        ("v=DMARC1; p=quarantine", FORGED),
        ("v=DMARC1; p=none", UNPROVEN),
        ("v=DMARC1; p=quarantine; t=y", UNPROVEN),
        (NoTxt(), UNPROVEN),
        (DnsFailure("silent"), UNPROVEN),
    ],
)
def test_unsigned_mail_is_judged_by_the_domains_policy(policy: TxtAnswer | str, verdict: Verdict) -> None:
    """Forged only where the domain asks for failing mail to be held or refused."""
    found = judge(MAIL, {"_dmarc.example.org": policy})
    assert found.verdict is verdict
    assert found.retry is isinstance(policy, DnsFailure)


def test_a_key_that_cannot_be_fetched_is_not_yet_known() -> None:
    """Neither proven nor forged, whatever the policy: to be tried again."""
    found = judge(sign(MAIL, "example.org"), ZONE | {"s._domainkey.example.org": DnsFailure("silent")})
    assert (found.verdict, found.retry) == (UNPROVEN, True)


WEAK = {
    "signed in part": sign(MAIL, "example.org", length=True) + b"And Vera's too.\r\n",
    "subject open": sign(MAIL, "example.org", names=("from", "to")),
    "expired": sign_freely(MAIL, {"t": "1000000000", "x": "1000000001"}),
}


@pytest.mark.parametrize("name", WEAK)
def test_a_signature_that_verifies_but_proves_nothing_is_neither(name: str) -> None:
    """Alice's domain did sign something: the mail is not called forged, and nothing is proven."""
    found = judge(WEAK[name])
    assert (found.verdict, found.method, found.retry) == (UNPROVEN, None, False)


TAMPERED = {
    "another body": sign(MAIL, "example.org").replace(b"delete it", b"delete Vera"),
    "another subject": sign(MAIL, "example.org").replace(b"my account", b"all accounts"),
    "another From": sign(MAIL, "example.org").replace(b"alice@example.org>", b"vera@example.org>"),
    "sha1": sign(MAIL, "example.org", algorithm=b"rsa-sha1"),
    "key for another algorithm": sign(MAIL, "example.org", algorithm=b"ed25519-sha256"),
    "From not signed": sign_freely(MAIL, {"h": "to:subject:date"}),
    "identity elsewhere": sign_freely(MAIL, {"i": "@example.net"}),
    "from the future": sign_freely(MAIL, {"t": "99999999999"}),
    "no selector": sign_freely(MAIL, {"s": "gone"}),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_mail_is_forged_where_the_domain_says_so(name: str) -> None:
    """No signature left that holds, and p=reject."""
    assert judge(TAMPERED[name]).verdict is FORGED


SIGNED = sign(MAIL, "example.org")
TWISTED = {
    "second From on top": (b"From: mallory@example.net\r\n" + SIGNED, FORGED),
    "second From below": (SIGNED.replace(b"\r\nTo:", b"\r\nFrom: mallory@example.net\r\nTo:"), FORGED),
    "second From, other case": (b"FROM: mallory@example.net\r\n" + SIGNED, FORGED),
    "second From, spaced": (b"From : mallory@example.net\r\n" + SIGNED, FORGED),
    "second From, tabbed": (b"From\t: mallory@example.net\r\n" + SIGNED, FORGED),
    "second From behind a bare CR": (b"X: y\rFrom: mallory@example.net\r\n" + SIGNED, UNPROVEN),
    "second From behind a NUL": (b"X: y\x00From: mallory@example.net\r\n" + SIGNED, UNPROVEN),
    "second From behind a form feed": (b"X: y\x0cFrom: mallory@example.net\r\n" + SIGNED, UNPROVEN),
    "a line without a name": (b"hello\r\n" + SIGNED, UNPROVEN),
    "a blank line of spaces": (b"X: y\r\n \r\nDelete: Vera\r\n" + SIGNED, UNPROVEN),
    "begins with a fold": (b" From: mallory@example.net\r\n" + SIGNED, UNPROVEN),
    "second subject": (b"Subject: delete Vera\r\n" + SIGNED, UNPROVEN),
    "second content type": (b"Content-Type: text/html\r\nContent-Type: text/plain\r\n" + SIGNED, UNPROVEN),
    "header of two megabytes": (b"X: " + b"y" * 2_000_000 + b"\r\n" + SIGNED, FORGED),
}


@pytest.mark.parametrize("name", TWISTED)
def test_a_header_that_reads_in_two_ways_proves_nothing(name: str) -> None:
    """Whichever reading another program takes, we do not act on it."""
    raw, worst = TWISTED[name]
    found = judge(raw)
    assert found.verdict in (worst, FORGED)
    assert found.address != "mallory@example.net"


@pytest.mark.parametrize(
    "domain",
    ["localhost", "[192.0.2.1]", "192.0.2.1", "co.uk", "example..org", "exa_mple", "x" * 64 + ".org"],
)
def test_a_domain_that_can_vouch_for_nobody_proves_nobody(domain: str) -> None:
    """No name, an address, a public suffix: nothing is proven, and nothing odd is asked of DNS."""
    raw = sign_freely(f"From: alice@{domain}\r\n".encode() + REST, {"d": domain})
    zone = Zone({})
    assert judge_sender(parsed(raw), raw, zone, PLAIN, NOW).verdict is not PROVEN
    assert all(asked.endswith("co.uk") or asked == "_dmarc.uk" for asked in zone.asked)


def test_tenants_of_one_suffix_are_strangers() -> None:
    """mallory.pages.dev does not speak for alice.pages.dev, nor does pages.dev."""
    for signer in ("mallory.pages.dev", "pages.dev"):
        raw = sign(b"From: a@alice.pages.dev\r\n" + REST, signer)
        assert judge(raw, {f"s._domainkey.{signer}": rsa_record()}).verdict is UNPROVEN


def test_international_domains_are_compared_in_one_form() -> None:
    """почта.рф signs as its A-label; ß does not pass for ss; mixed alphabets are named."""
    zone: dict[str, TxtAnswer | bytes | str] = {
        f"s._domainkey.{domain}": rsa_record()
        for domain in ("xn--80a1acny.xn--p1ai", "strasse.de", "xn--exmple-4nf.org")
    }
    assert (
        judge(sign("From: a@почта.рф\r\n".encode() + REST, "xn--80a1acny.xn--p1ai"), zone).verdict is PROVEN
    )
    assert judge(sign("From: a@straße.de\r\n".encode() + REST, "strasse.de"), zone).verdict is UNPROVEN
    mixed = judge(sign(b"From: a@xn--exmple-4nf.org\r\n" + REST, "xn--exmple-4nf.org"), zone)
    assert "the sender's address mixes alphabets, as look-alikes do" in mixed.reasons
    assert (mixed.verdict, mixed.address) == (UNPROVEN, None)


def test_what_sender_and_resent_say_is_nothing_to_us() -> None:
    """Only From counts."""
    raw = b"Sender: mallory@example.net\r\nResent-From: mallory@example.net\r\n" + MAIL
    assert judge(sign(raw, "example.net")).verdict is FORGED


def own(result: str, domain: str = "example.org") -> bytes:
    """MAIL as our own server delivers it, with its DMARC result."""
    received = b"Received: from x by mx.example.com; now\r\n"
    return (
        received
        + f"Authentication-Results: mx.example.com;\r\n dmarc={result} header.from={domain}\r\n".encode()
        + MAIL
    )


@pytest.mark.parametrize(
    ("raw", "zone", "verdict"),
    [
        (own("pass"), ZONE, PROVEN),
        (own("pass (p=none)"), {}, PROVEN),
        (own("PASS", "Example.ORG"), ZONE, PROVEN),
        (own("pass", "example.net"), ZONE, FORGED),
        (own("pass", "mail.example.org"), ZONE, FORGED),
        (own("pass; dmarc=fail header.from=example.org"), ZONE, FORGED),
        (own("bestguesspass"), {}, UNPROVEN),
        (own("fail"), ZONE, FORGED),
        (own("fail (p=reject)"), {"_dmarc.example.org": DnsFailure("silent")}, FORGED),
        (own("fail"), {"_dmarc.example.org": "v=DMARC1; p=none"}, UNPROVEN),
        (own("fail (p=none dis=none)"), {"_dmarc.example.org": DnsFailure("silent")}, UNPROVEN),
        (own("temperror"), {"_dmarc.example.org": "v=DMARC1; p=none"}, UNPROVEN),
        (own("none"), {}, UNPROVEN),
    ],
)
def test_our_own_servers_word(raw: bytes, zone: dict[str, TxtAnswer | bytes | str], verdict: Verdict) -> None:
    """dmarc=pass about this very From domain proves; fail refutes unless the domain asks for nothing."""
    found = judge(raw, zone, TRUSTING)
    assert found.verdict is verdict
    assert found.method == ("authentication-results" if verdict is PROVEN else found.method)


def test_our_own_servers_word_counts_only_where_configured() -> None:
    """The same mail without a configured id is as if the field were not there."""
    assert judge(own("pass")).verdict is FORGED
    assert (
        judge(
            own("pass").replace(b"mx.example.com;\r\n dmarc", b"mx.evil.example;\r\n dmarc"), None, TRUSTING
        ).verdict
        is FORGED
    )


def test_with_dns_unasked_only_our_server_can_prove() -> None:
    """--no-dns: unproven, malformed ones forged, and our own server's word stands."""
    for raw, verdict in (
        (SIGNED, UNPROVEN),
        (b"From: b@example.net\r\n" + SIGNED, FORGED),
        (own("pass"), PROVEN),
    ):
        assert judge_sender(parsed(raw), raw, None, TRUSTING, NOW).verdict is verdict


PASSED = "mx.forward.example; dkim=pass header.d=example.org; dmarc=pass header.from=example.org"
LISTED = MAIL.replace(b"Please", b"[list] Please")


def test_our_test_seals_are_what_dkimpy_calls_valid() -> None:
    """The chains made here for tests hold before an independent program, and its verdict falls with ours."""
    one = seal(LISTED, "forward.example", PASSED)
    two = seal(b"X-Hop: 2\r\n" + one, "forward.example", "mx.forward.example; arc=pass; " + PASSED[20:])
    for raw, valid in ((one, True), (two, True), (two.replace(b"[list]", b"[lost]"), False)):
        status, _, _ = dkim.arc_verify(raw, dnsfunc=lambda name, timeout=5: rsa_record())
        assert (status == b"pass") is valid
        assert (judge(raw, None, TRUSTING).verdict is PROVEN) is valid


def chain(*hops: tuple[str, str]) -> bytes:
    """LISTED sealed by each hop in turn, (domain, results)."""
    raw = LISTED
    for domain, results in hops:
        raw = seal(raw, domain, results)
    return raw


ARC = {
    "trusted sealer": (chain(("forward.example", PASSED)), PROVEN),
    "trusted last, stranger first": (
        chain(("stranger.example", PASSED), ("forward.example", PASSED)),
        PROVEN,
    ),
    "only a signature seen": (chain(("forward.example", "x; dkim=pass header.i=@example.org")), PROVEN),
    "a stranger": (chain(("stranger.example", PASSED)), FORGED),
    "stranger last": (chain(("forward.example", PASSED), ("stranger.example", PASSED)), FORGED),
    "sealer saw it fail": (chain(("forward.example", "x; dmarc=fail header.from=example.org")), FORGED),
    "sealer saw another domain": (
        chain(("forward.example", "x; dmarc=pass header.from=example.net")),
        FORGED,
    ),
    "sealer saw another signature": (chain(("forward.example", "x; dkim=pass header.d=example.net")), FORGED),
    "signature pass, policy fail": (
        chain(("forward.example", "x; dkim=pass header.d=example.org; dmarc=fail header.from=example.org")),
        FORGED,
    ),
    "body changed since": (chain(("forward.example", PASSED)).replace(b"[list]", b"[lost]"), FORGED),
    "From changed since": (chain(("forward.example", PASSED)).replace(b"alice@", b"vera@"), FORGED),
    "results changed since": (
        chain(("forward.example", PASSED.replace("=pass", "=fail"))).replace(b"dmarc=fail", b"dmarc=pass"),
        FORGED,
    ),
    "first says pass": (seal(LISTED, "forward.example", PASSED, status="pass"), FORGED),
    "chain failed": (
        seal(chain(("stranger.example", PASSED)), "forward.example", PASSED, status="fail"),
        FORGED,
    ),
    "second says none": (
        seal(chain(("stranger.example", PASSED)), "forward.example", PASSED, status="none"),
        FORGED,
    ),
    "From not in its signature": (seal(LISTED, "forward.example", PASSED, names="to:subject:date"), FORGED),
    "first set taken out": (
        chain(("forward.example", PASSED), ("forward.example", PASSED)).replace(
            b"ARC-Seal: i=1;", b"X-Seal: i=1;"
        ),
        FORGED,
    ),
    "a set doubled": (
        chain(("forward.example", PASSED)).partition(b"From:")[0] + chain(("forward.example", PASSED)),
        FORGED,
    ),
    "an old seal broken": (
        chain(("stranger.example", PASSED), ("forward.example", PASSED)).replace(
            b"i=1; a=rsa-sha256; cv=none; d=stranger.example; s=arc",
            b"i=1; a=rsa-sha256; cv=none; d=stranger.example; s=gone",
        ),
        FORGED,
    ),
    "sealed results moved to another mail": (
        chain(("forward.example", PASSED)).partition(b"From:")[0]
        + MAIL.replace(b"delete it", b"delete Vera"),
        FORGED,
    ),
}


@pytest.mark.parametrize("name", ARC)
def test_chains(name: str) -> None:
    """A whole chain, its newest seal by a configured forwarder who saw this domain pass: nothing less proves."""
    raw, verdict = ARC[name]
    found = judge(raw, None, TRUSTING)
    assert found.verdict is verdict
    assert found.method == ("arc" if verdict is PROVEN else None)


def test_chains_count_for_nothing_without_configured_sealers() -> None:
    """Anybody can seal."""
    assert judge(ARC["trusted sealer"][0]).verdict is FORGED


def test_a_chain_whose_key_cannot_be_fetched_is_not_yet_known() -> None:
    """A failure of DNS is no verdict on the chain."""
    zone = ZONE | {"arc._domainkey.forward.example": DnsFailure("silent")}
    found = judge(ARC["trusted sealer"][0], zone, TRUSTING)
    assert (found.verdict, found.retry) == (UNPROVEN, True)


def test_one_mail_asks_dns_at_most_twelve_times() -> None:
    """Hundreds of signatures and a long chain included."""
    raw = MAIL
    for number in range(30):
        raw = sign_freely(raw, {"s": f"s{number}", "d": f"d{number}.example.org"})
    for number in range(20):
        raw = seal(raw, f"d{number}.example.org" if number < 19 else "forward.example", PASSED)
    zone = Zone(ZONE)
    judge_sender(parsed(raw), raw, zone, TRUSTING, NOW)
    assert 8 < len(zone.asked) <= 12
    assert len(zone.asked) == len(set(zone.asked))


def test_ed25519_proves_as_well() -> None:
    """RFC 8463."""
    raw = sign(MAIL, "example.org", algorithm=b"ed25519-sha256")
    assert judge(raw, {"s._domainkey.example.org": ed25519_record()}).verdict is PROVEN


HOSTILE = {
    "spaces": SIGNED + b" " * 5_000_000,
    "blank lines": SIGNED + b"\r\n" * 2_500_000,
    "bare line feeds": SIGNED.replace(b"\r\n", b"\n") + b"\n" * 5_000_000,
    "spaces in pairs": SIGNED + b"a  " * 1_600_000,
    "header lines": b"X:y\n" * 60_000 + SIGNED,
    "folds": b"X: y\n" + b" a\n" * 80_000 + SIGNED,
    "signatures": SIGNED.partition(b"From:")[0] * 400 + MAIL,
    "open brackets": b"Authentication-Results: " + b"(" * 16_000 + b"\r\n" + SIGNED,
    "names in From": b'From: "' + b"a@a " * 480 + b'" <alice@example.org>\r\n' + REST,
    "atoms in From": b"From: " + b"a." * 900 + b"@example.org\r\n" + REST,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_mail_keeps_us_busy(name: str) -> None:
    """Work grows with the size of a mail and no faster: megabytes of anything are judged within two seconds."""
    raw = HOSTILE[name]
    mail = parsed(MAIL)
    began = time.process_time()
    judge_sender(mail, raw, Zone(ZONE), TRUSTING, NOW)
    assert time.process_time() - began < 2


BITS = """From: |from:|Authentication-Results: mx.example.com; |dmarc=pass |header.from=example.org|ARC-Seal: i=1; |
ARC-Message-Signature: i=1; |ARC-Authentication-Results: i=1; |DKIM-Signature: v=1; |d=example.org; |s=s; |b=AA==; |
bh=AA==; |h=from; |a=rsa-sha256; |cv=none; |i=|l=9;|alice@example.org|<|>|(|"|;|=|=?utf-8?q?"""
HEADER_BITS = st.sampled_from([bit.strip("\n").encode() for bit in BITS.split("|")])
BREAKS = st.sampled_from([b"\r\n", b"\n", b"\r\n ", b"\x00", b"\xff", b"\r"])


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(HEADER_BITS, BREAKS, st.binary(max_size=5)), max_size=60).map(b"".join))
def test_nothing_raises_and_nothing_random_is_proven(raw: bytes) -> None:
    """Any bytes get a verdict; without a fitting signature and our server's word on top none is proof by itself."""
    mail = parse(raw)
    if isinstance(mail, ParsedMail):
        found = judge_sender(mail, raw, Zone(ZONE), TRUSTING, NOW)
        assert found.verdict is not PROVEN or found.method == "authentication-results"
        assert judge_sender(mail, raw, Zone(ZONE), PLAIN, NOW).verdict is not PROVEN


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SIGNED) - 1), st.binary(min_size=1, max_size=3))
def test_bytes_put_into_a_signed_mail_never_change_who_is_proven(at: int, added: bytes) -> None:
    """Whatever is put in wherever: the mail is still Alice's, or nobody's."""
    raw = SIGNED[:at] + added + SIGNED[at:]
    mail = parse(raw)
    if isinstance(mail, ParsedMail):
        found = judge(raw)
        assert found.verdict is not PROVEN or found.address == "alice@example.org"
