"""What is to be done about one understood mail: act, confirm, review or ignore, each with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailbot.core.named_address import imitates
from mailbot.core.policy import Handling, KindPolicy, Policy, Proof
from mailbot.core.request import Asked, Capacity, Understanding
from mailbot.core.sender import SenderVerdict, Verdict


class Decision(StrEnum):
    """What mailbot does about a mail, or about one request in it."""

    ACT = "act"
    CONFIRM = "confirm"
    REVIEW = "review"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision and why, in English, for staff and `mailbot explain`."""

    decision: Decision
    reasons: tuple[str, ...]
    waits: bool = False
    """It depends on the sender, who is not known yet: DNS failed and is asked again."""


def decide_request(asked: Asked, doubts: tuple[str, ...], sender: SenderVerdict, policy: Policy) -> Decided:
    """What is to be done about one request of a mail that a person wrote (rules/policy.toml)."""
    kind_policy = policy.kinds[asked.kind]
    against = [*_against(asked, doubts, sender), *_unsure(asked, kind_policy)]
    if asked.attachment and kind_policy.handling == Handling.ACT:
        against.append(f"{asked.kind} is asked only in an attached file")
    if kind_policy.handling == Handling.STAFF:
        against.append(f"{asked.kind} is always read by staff")
    if against:
        return Decided(Decision.REVIEW, tuple(against))
    if kind_policy.handling == Handling.ACT:
        return _act(asked, sender, policy)
    where = ", asked only in an attached file," if asked.attachment else ""
    return Decided(
        Decision.CONFIRM, (f"{asked.kind}{where} is clear and needs proof of control of the address",)
    )


def _act(asked: Asked, sender: SenderVerdict, policy: Policy) -> Decided:
    """What is done at once is done where the proof it needs is there; else that proof is asked for."""
    needed = policy.needed(asked.kind, sender.domain)
    match needed:
        case Proof.NONE:
            return Decided(Decision.ACT, (f"{asked.kind} is clear and needs no proof",))
        case Proof.SENDER if sender.verdict == Verdict.PROVEN:
            return Decided(Decision.ACT, (f"{asked.kind} is clear and its sender proven",))
        case Proof.STAFF:
            return Decided(Decision.REVIEW, (f"{asked.kind} from such a sender is read by staff",))
        case _:
            reason = f"{asked.kind} is clear and its sender not proven"
            return Decided(Decision.CONFIRM, (reason,), waits=sender.retry and needed == Proof.SENDER)


def decide_mail(understanding: Understanding, sender: SenderVerdict, policy: Policy) -> Decided:
    """One word for the whole mail: the most careful decision of its requests."""
    if understanding.withdraws:
        return Decided(Decision.REVIEW, ("takes an earlier request back",))
    each = [decide_request(asked, understanding.doubts, sender, policy) for asked in understanding.asked]
    for decision in (Decision.REVIEW, Decision.CONFIRM, Decision.ACT):
        reasons = [reason for one in each if one.decision == decision for reason in one.reasons]
        if reasons:
            return Decided(decision, tuple(dict.fromkeys(reasons)))
    return Decided(Decision.REVIEW, ("nothing was understood",))


def _against(asked: Asked, doubts: tuple[str, ...], sender: SenderVerdict) -> list[str]:
    against = list(doubts)
    if sender.verdict == Verdict.FORGED:
        against.append("the sender is forged")  # the reasons name the domain: they stay in the sealed reading
    if sender.address is None:
        against.append("the sender's address cannot be read one way only")
    if asked.named and imitates(sender.address or "", asked.named):
        against.append("the sender's address looks like the one named in the letter, and is another")
    if asked.capacity == Capacity.HOST and not asked.named:
        against.append("a host asks about a visitor, and no one address says whom")
    return against


def _unsure(asked: Asked, policy: KindPolicy) -> list[str]:
    minimum = policy.minimum_confidence if asked.agreed else policy.minimum_confidence_alone
    if asked.confidence >= minimum:
        return []
    seen = "" if asked.agreed else ", which only one opinion sees,"
    return [f"confidence {asked.confidence:.2f} of {asked.kind}{seen} is under {minimum:.2f}"]
