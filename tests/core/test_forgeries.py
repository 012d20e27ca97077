"""No forged mail is ever proven, and what is honest is: over every table of tests/core/forgeries.py."""

from __future__ import annotations

from collections import Counter

import dkim
import pytest

from mailbot.core.dns_answer import TxtRecords
from mailbot.core.message import ParsedMail
from mailbot.core.parse import parse
from mailbot.core.sender import SenderVerdict, judge_sender
from tests.core.forgeries import BELIEVED, FORGERIES, HONEST, ZONE, Sample
from tests.core.forgeries.odd_senders import ODD_SENDERS
from tests.core.forgeries.world import FORGED, PROVEN, REST
from tests.core.signing import Zone, sign_freely
from tests.core.test_sender import NOW


def verdict_on(raw: bytes) -> SenderVerdict:
    """The verdict on one mail of the tables."""
    mail = parse(raw)
    assert isinstance(mail, ParsedMail)
    return judge_sender(mail, raw, Zone(ZONE), BELIEVED, NOW)


@pytest.mark.parametrize("sample", (*FORGERIES, *HONEST), ids=lambda one: one.name)
def test_each_mail_gets_its_verdict(sample: Sample) -> None:
    """Forged where the domain asks for it, unproven where nobody can say, proven only what is honest."""
    found = verdict_on(sample.raw)
    assert found.verdict is sample.verdict, found.reasons
    assert found.reasons or sample.verdict is PROVEN


def test_names_are_unique_within_their_tables() -> None:
    """A line of the page of attacks stands for one mail."""
    assert max(Counter((one.name, one.tried) for one in FORGERIES).values()) == 1


@pytest.mark.parametrize("sample", (*FORGERIES, *HONEST), ids=lambda one: one.name)
def test_what_is_proven_by_a_signature_is_valid_before_dkimpy(sample: Sample) -> None:
    """An independent program finds a valid signature wherever we say proven by one."""
    if verdict_on(sample.raw).method == "dkim":
        assert any(_dkimpy_says(sample.raw, number) for number in range(3))


def _dkimpy_says(raw: bytes, number: int) -> bool:
    try:
        return bool(dkim.DKIM(raw).verify(number, dnsfunc=_dns))
    except Exception:  # noqa: BLE001 - it raises whatever the mail made it stumble over
        return False


def _dns(name: bytes, timeout: int = 5) -> bytes | None:
    found = Zone(ZONE)(name.decode().removesuffix("."))
    return found.records[0] if isinstance(found, TxtRecords) else None


@pytest.mark.parametrize("name", ODD_SENDERS)
def test_odd_senders(name: str) -> None:
    """Signed by example.org, every one: only a From that reads one way is proven, and only it gives an address."""
    value, worst, address = ODD_SENDERS[name]
    found = verdict_on(sign_freely(f"From: {value}\r\n".encode() + REST, {}))
    if worst is PROVEN:
        assert (found.verdict, found.address) == (PROVEN, address)
    else:
        assert found.verdict in (worst, FORGED)
        assert found.address in (address, None)
