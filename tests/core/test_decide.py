"""From an understanding to a decision: mailbot acts only when nothing speaks against it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.decide import Decision, decide_mail, decide_request
from mailbot.core.message import Address
from mailbot.core.policy import Policy
from mailbot.core.request import Asked, Capacity, Kind, Understanding
from mailbot.core.sender import SenderVerdict, Verdict

FILE = Path(__file__).parents[2] / "rules" / "policy.toml"
POLICY = Policy.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))
ALICE = Address("alice@example.org")


def sender(verdict: Verdict = Verdict.PROVEN, address: Address | None = ALICE) -> SenderVerdict:
    """Somebody of whom this much is known."""
    return SenderVerdict(verdict, "dkim", "example.org", ("example.org signs",), address)


def asked(kind: Kind, confidence: float = 0.99, capacity: Capacity = Capacity.USER) -> Asked:
    """One clear request."""
    return Asked(kind, capacity, confidence)


@pytest.mark.parametrize(
    ("kind", "decision"),
    [
        (Kind.UNSUBSCRIBE, Decision.ACT),
        (Kind.DELETION, Decision.CONFIRM),
        (Kind.CORRECTION, Decision.CONFIRM),
        (Kind.ACCESS, Decision.CONFIRM),
        (Kind.AUTHORITY, Decision.REVIEW),
        (Kind.QUESTION, Decision.REVIEW),
    ],
)
def test_a_clear_request_of_somebody_who_is_who_they_say_goes_its_way(kind: Kind, decision: Decision) -> None:
    assert decide_request(asked(kind), (), sender(), POLICY).decision == decision


@given(
    kind=st.sampled_from(Kind),
    confidence=st.floats(0, 1),
    doubts=st.lists(st.just("a guard word"), max_size=1).map(tuple),
    verdict=st.sampled_from(Verdict),
    address=st.sampled_from([ALICE, None]),
    capacity=st.sampled_from(Capacity),
)
def test_whatever_speaks_against_it_leads_to_review_with_a_reason(
    kind: Kind,
    confidence: float,
    doubts: tuple[str, ...],
    verdict: Verdict,
    address: Address | None,
    capacity: Capacity,
) -> None:
    one = Asked(kind, capacity, confidence)
    decided = decide_request(one, doubts, sender(verdict, address), POLICY)
    against = (
        bool(doubts)
        or verdict == Verdict.FORGED
        or address is None
        or capacity == Capacity.HOST
        or confidence < POLICY.kinds[kind].minimum_confidence
    )
    assert decided.reasons
    if against:
        assert decided.decision == Decision.REVIEW


def test_no_reason_names_the_senders_domain() -> None:
    """Reasons are kept with the request in clear and written to the ledger."""
    decided = decide_request(asked(Kind.DELETION), (), sender(Verdict.FORGED), POLICY)
    assert "example.org" not in " ".join(decided.reasons)


@pytest.mark.parametrize(
    ("kinds", "decision"),
    [
        ((Kind.UNSUBSCRIBE, Kind.DELETION), Decision.CONFIRM),
        ((Kind.UNSUBSCRIBE, Kind.QUESTION), Decision.REVIEW),
        ((Kind.UNSUBSCRIBE,), Decision.ACT),
        ((), Decision.REVIEW),
    ],
)
def test_one_word_for_a_mail_is_its_most_careful(kinds: tuple[Kind, ...], decision: Decision) -> None:
    understood = Understanding(tuple(asked(kind) for kind in kinds))
    assert decide_mail(understood, sender(), POLICY).decision == decision


def test_taking_back_is_read_by_staff_in_explain() -> None:
    understood = Understanding((asked(Kind.DELETION),), withdraws=True)
    assert decide_mail(understood, sender(), POLICY).decision == Decision.REVIEW
