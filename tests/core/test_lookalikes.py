"""Nobody is taken for us or for the platform because their name looks like ours."""

from __future__ import annotations

import idna
import pytest

from mailbot.core.lookalikes import look_alike, mixes_scripts
from mailbot.core.sender import SenderSettings, Verdict, judge_sender
from tests.core.signing import Zone, rsa_record, sign
from tests.core.test_sender import NOW, REST, parsed

OURS = ("myownconference.com", "xn--80a1acny.xn--p1ai")


def ascii_of(domain: str) -> str:
    """The A-labels of a domain."""
    return idna.encode(domain).decode()


@pytest.mark.parametrize(
    "domain",
    [
        "rnyownconference.com",
        "myovvnconference.com",
        "myownc0nference.com",
        "my-own-conference.com",
        "mail.myownc0nference.com",
        "myownconference.com.evil.example",
        "my-own-conference.com.evil.example",
        "myownconférence.com",
        "my\u043ewnconference.com",
        "m\u0443\u043ewnconference.com",
        "myownconferen\u1d04e.com",
    ],
)
def test_a_domain_that_looks_like_ours_is_named(domain: str) -> None:
    """Another alphabet's letter, a digit, two letters for one, an accent, a hyphen, our name in front of another."""
    assert look_alike(ascii_of(domain), OURS) in OURS


@pytest.mark.parametrize(
    "domain",
    [
        *("myownconference.com", "mail.myownconference.com", "почта.рф", "a.почта.рф"),
        *("myownconference.net", "conference.com", "example.org", "notmyownconference.com", "москва.рф"),
    ],
)
def test_our_own_and_other_domains_are_not(domain: str) -> None:
    """Ours and what lies below them, and what nobody mistakes for them."""
    assert look_alike(ascii_of(domain), OURS) is None


@pytest.mark.parametrize(
    ("name", "mixed"),
    [
        ("ex\u0430mple.org", True),
        ("xn--exmple-4nf.org", True),
        ("\u0430lice", True),
        ("mail.пример.рф", False),
        ("example.рф", False),
        ("алиса.smith", False),
        ("ソニーsony.jp", False),
        ("straße-münchen.de", False),
    ],
)
def test_alphabets_mix_only_within_a_word(name: str, mixed: bool) -> None:
    """Labels may be of different alphabets; Latin stands beside Japanese and Chinese."""
    assert mixes_scripts(name) is mixed


def test_a_look_alike_is_never_an_address_to_act_on() -> None:
    """However well it is signed: it proves to be itself, and a person would take it for us."""
    raw = sign(b"From: Privacy <privacy@rnyownconference.com>\r\n" + REST, "rnyownconference.com")
    zone = Zone({"s._domainkey.rnyownconference.com": rsa_record()})
    ours = SenderSettings(frozenset(), frozenset(), own_domains=frozenset(OURS))
    found = judge_sender(parsed(raw), raw, zone, ours, NOW)
    assert (found.verdict, found.address) == (Verdict.UNPROVEN, None)
    assert found.reasons[0] == "the From domain looks like myownconference.com and is another"
