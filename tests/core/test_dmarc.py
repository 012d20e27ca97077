"""The DMARC record that governs a domain is found as the RFCs say, and alignment never crosses organisations."""

from __future__ import annotations

import pytest

from mailbot.core.dmarc import NotPublished, Policy, Published, aligned, discover, read_record
from mailbot.core.dns_answer import DnsFailure, NoTxt, TxtAnswer, TxtRecords
from mailbot.core.domains import ascii_domain, organisation
from tests.core.signing import Zone


@pytest.mark.parametrize(
    ("signer", "from_domain", "relaxed", "strict"),
    [
        ("example.org", "example.org", True, True),
        ("mail.example.org", "example.org", True, False),
        ("example.org", "news.example.org", True, False),
        ("example.net", "example.org", False, False),
        ("notexample.org", "example.org", False, False),
        ("example.org.example.net", "example.org", False, False),
        ("example.co.uk", "other.co.uk", False, False),
        ("co.uk", "example.co.uk", False, False),
        ("mallory.pages.dev", "alice.pages.dev", False, False),
        ("pages.dev", "alice.pages.dev", False, False),
        ("mallory.github.io", "github.io", False, False),
        ("a.alice.pages.dev", "alice.pages.dev", True, False),
        ("mallory.vercel.app", "alice.vercel.app", False, False),
    ],
)
def test_alignment(signer: str, from_domain: str, relaxed: bool, strict: bool) -> None:
    """Relaxed: one organisation, tenants of a shared suffix being strangers; strict: the very same domain."""
    assert aligned(signer, from_domain, strict=False) is relaxed
    assert aligned(signer, from_domain, strict=True) is strict


@pytest.mark.parametrize(
    ("text", "policy", "subdomains", "missing", "strict"),
    [
        ("v=DMARC1; p=none", "none", "none", "none", False),
        ("v=DMARC1;p=reject;", "reject", "reject", "reject", False),
        (
            "v = DMARC1 ; p = Quarantine; sp=none; np=reject; adkim=s; pct=0",
            "quarantine",
            "none",
            "reject",
            True,
        ),
        ("v=DMARC1; p=reject; sp=nonsense", "reject", "reject", "reject", False),
        ("v=DMARC1; rua=mailto:d@example.org", "none", "none", "none", False),
        ("v=DMARC1; p=nonsense; rua=mailto:d@example.org", "none", "none", "none", False),
    ],
)
def test_records_are_read(text: str, policy: str, subdomains: str, missing: str, strict: bool) -> None:
    """Fall-backs: np to sp to p; pct= is not heeded; a broken p= with rua= means none (RFC 7489 §6.6.3)."""
    record = read_record(text.encode())
    assert record is not None
    assert (record.policy, record.subdomains, record.missing) == (policy, subdomains, missing)
    assert record.strict is strict


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=spf1 -all",
        "v=DMARC1",
        "v=DMARC10; p=reject",
        "p=reject; v=DMARC1",
        "v=DMARC1; p=reject; p=none",
    ],
)
def test_what_is_no_record_is_none(text: str) -> None:
    """v= must come first, tags but once."""
    assert read_record(text.encode()) is None


REJECT = "v=DMARC1; p=reject"


@pytest.mark.parametrize(
    ("domain", "zone", "policy"),
    [
        ("example.org", {"_dmarc.example.org": REJECT}, Policy.REJECT),
        ("a.b.example.org", {"_dmarc.example.org": REJECT, "a.b.example.org": "x"}, Policy.REJECT),
        ("a.b.example.org", {"_dmarc.b.example.org": REJECT}, None),
        (
            "a.example.org",
            {"_dmarc.a.example.org": "v=DMARC1; p=none", "_dmarc.example.org": REJECT},
            Policy.NONE,
        ),
        ("a.example.org", {"_dmarc.example.org": f"{REJECT}; sp=none", "a.example.org": "x"}, Policy.NONE),
        ("a.example.org", {"_dmarc.example.org": "v=DMARC1; p=none; np=reject"}, Policy.REJECT),
        (
            "a.example.org",
            {"_dmarc.example.org": "v=DMARC1; p=none; np=reject", "a.example.org": "x"},
            Policy.NONE,
        ),
        ("example.org", {"_dmarc.example.org": f"{REJECT}; t=y"}, Policy.QUARANTINE),
        ("example.org", {"_dmarc.example.org": "v=DMARC1; p=quarantine; t=y"}, Policy.NONE),
        (
            "example.org",
            {"_dmarc.example.org": TxtRecords((b"v=DMARC1; p=reject", b"v=DMARC1; p=none"))},
            None,
        ),
        (
            "example.org",
            {"_dmarc.example.org": TxtRecords((b"v=spf1 -all", b"v=DMARC1; p=reject"))},
            Policy.REJECT,
        ),
        ("alice.pages.dev", {"_dmarc.pages.dev": REJECT}, None),
        ("agency.gov", {"_dmarc.gov": f"{REJECT}; psd=y"}, Policy.REJECT),
        ("agency.gov", {"_dmarc.gov": REJECT}, None),
        ("example.org", {}, None),
    ],
)
def test_discovery(domain: str, zone: dict[str, TxtAnswer | bytes | str], policy: Policy | None) -> None:
    """The domain itself, then its organisation, then a suffix that says psd=y; two records are none."""
    found = discover(domain, Zone(zone))
    assert (found.policy if isinstance(found, Published) else None) == policy
    assert isinstance(found, Published) or found == NotPublished()


@pytest.mark.parametrize(
    ("domain", "zone", "strict"),
    [
        ("a.example.org", {"_dmarc.example.org": f"{REJECT}; psd=y"}, True),
        ("a.example.org", {"_dmarc.a.example.org": f"{REJECT}; psd=n"}, True),
        ("a.example.org", {"_dmarc.example.org": f"{REJECT}; psd=n"}, False),
        ("example.org", {"_dmarc.example.org": f"{REJECT}; psd=n"}, False),
        ("example.org", {"_dmarc.example.org": f"{REJECT}; adkim=s"}, True),
    ],
)
def test_a_domain_may_narrow_its_organisation(
    domain: str, zone: dict[str, TxtAnswer | bytes | str], strict: bool
) -> None:
    """psd=y and psd=n below the listed organisation: neighbours no longer speak for one another (DMARCbis)."""
    found = discover(domain, Zone(zone))
    assert isinstance(found, Published)
    assert found.strict is strict


@pytest.mark.parametrize("failing", ["_dmarc.a.example.org", "_dmarc.example.org", "a.example.org"])
def test_a_failure_of_dns_is_no_answer(failing: str) -> None:
    """Wherever DNS fails on the way, the policy is not known."""
    zone = {"_dmarc.example.org": "v=DMARC1; p=none; np=reject", failing: DnsFailure("silent")}
    assert discover("a.example.org", Zone(zone)) == DnsFailure("silent")


def test_few_questions_are_asked() -> None:
    """At most four names for a domain, however deep."""
    zone = Zone({})
    discover("a." * 60 + "example.org", zone)
    assert len(zone.asked) <= 4


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Example.ORG", "example.org"),
        ("straße.de", "xn--strae-oqa.de"),
        ("почта.рф", "xn--80a1acny.xn--p1ai"),
        ("localhost", None),
        ("[192.0.2.1]", None),
        ("192.0.2.1", None),
        ("example..org", None),
        ("exa mple.org", None),
        ("example.org.", None),
        ("", None),
        ("x" * 64 + ".org", None),
        ("\u2024.org", None),
        ("xn--\u0430.org", None),
    ],
)
def test_domains_have_one_comparable_form(written: str, plain: str | None) -> None:
    """A-labels in lower case, or nothing; ß stays apart from ss."""
    assert ascii_domain(written) == plain


def test_organisations_follow_the_public_suffix_list() -> None:
    """With its private section; a suffix itself has none."""
    assert organisation("a.b.example.co.uk") == "example.co.uk"
    assert organisation("co.uk") is None
    assert organisation(NoTxt.__name__.lower()) is None
