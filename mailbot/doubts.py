"""Why staff must look at a request although control of the address is proven."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from mailbot.core.address import domain_of
from mailbot.core.correction import new_address
from mailbot.core.plan import Plan, Subject
from mailbot.core.policy import Handling, Policy
from mailbot.core.policy import Proof as ProofLevel
from mailbot.core.request import Capacity, Kind, Language
from mailbot.store import brakes, cases, tokens
from mailbot.store.database import Transaction
from mailbot.store.tables import Case
from mailbot.targets import Target


def doubts_about(tx: Transaction, policy: Policy, case: Case, target: Target, now: datetime) -> list[str]:
    """Each reason as staff read it; empty when the request may be carried out."""
    kind = Kind(target.request.kind)
    return [
        *_of_plan(target.plan),
        *brakes.reasons(tx, policy, kind, _known_as(target)),
        *_of_request(policy, kind, Language(case.language), target),
        *_raised(tx, policy, case, target, now),
    ]


def _of_plan(plan: Plan | None) -> list[str]:
    return [*plan.vetoes, *(f"{one.field}: {one.reason}" for one in plan.refusals)] if plan else []


def _known_as(target: Target) -> tuple[str, ...]:
    """The person's addresses, as far as they are known."""
    if target.plan:
        return target.plan.identifiers
    return (target.subject.address,) if target.subject else ()


def _of_request(policy: Policy, kind: Kind, language: Language, target: Target) -> Iterator[str]:
    if policy.kinds[kind].in_language(language).handling == Handling.STAFF:
        yield f"{kind} is carried out by staff"
    if kind == Kind.CORRECTION and not target.asked.fields:
        yield "no field to correct was named"
    if target.asked.capacity == Capacity.HOST and new_address(target.asked):
        yield "a host asks for another address of a visitor"


def _raised(tx: Transaction, policy: Policy, case: Case, target: Target, now: datetime) -> Iterator[str]:
    """What asks for staff's proof beside control (rules/policy.toml, raised_proof)."""
    raised, writer = policy.raised_proof, cases.person_of(tx, case).address or ""
    if policy.needed(Kind(target.request.kind), domain_of(writer) or None) == ProofLevel.STAFF:
        yield "such a sender's requests need a person's look"
    since = now - timedelta(days=raised.address_changed_days)
    if raised.address_changed == ProofLevel.STAFF and target.subject and _moved(tx, target.subject, since):
        yield f"the address on file was changed in the last {raised.address_changed_days} days"


def _moved(tx: Transaction, subject: Subject, since: datetime) -> bool:
    """True when the platform says that the address on file is new, or mailbot itself put it there."""
    if subject.address_changed_at is not None and subject.address_changed_at > since:
        return True
    return any(
        cases.result_of(tx, case, request).old_address is not None
        for case, request in tokens.corrections_proven_by(tx, subject.address, since)
    )
