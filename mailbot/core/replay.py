"""After a restored backup: whether somebody found on the platform is a person who was deleted before.

Only keyed hashes of addresses are known of the deleted, with the scope of each deletion: the key that the platform
gave the account, or for visitors the host.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailbot.core.plan import Subject
from mailbot.core.request import Capacity


class Verdict(StrEnum):
    """What is to be done about somebody whose address is one of the deleted."""

    DELETE = "delete"
    REGISTERED_AGAIN = "registered_again"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Erased:
    """One deletion of one identifier: its scope and when it was."""

    scope: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Created:
    """When the first and the last of a subject's own rows came to be (UTC)."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be done, why where it is for staff, and when the person was deleted."""

    verdict: Verdict
    at: datetime
    why: str = ""


def judge(subject: Subject, created: Created | None, erased: Sequence[Erased]) -> Judged | None:
    """What is to be done about `subject`, under one of whose addresses these deletions were; None when they were of
    others: of the same person as a visitor elsewhere, or in another capacity."""
    own = [one for one in erased if _place_of(one.scope) == _place_of(subject.key)]
    other = [one for one in erased if _is_account(one.scope) and subject.capacity is Capacity.USER]
    if not own and not other:
        return None
    at = max(one.at for one in own or other)
    if created is None:
        return Judged(Verdict.STAFF, at, "it is not known since when they are there: created_at is missing")
    if created.first > at:
        return Judged(Verdict.REGISTERED_AGAIN, at)
    if not own:
        return Judged(Verdict.STAFF, at, "an account with another key was deleted under the same address")
    if created.last > at:
        return Judged(Verdict.STAFF, at, "some of their rows came after the deletion")
    return Judged(Verdict.DELETE, at)


def _place_of(scope: str) -> str:
    """The account, or the host's visitors; which of a visitor's rows was the first says nothing."""
    return scope.partition(":first=")[0]


def _is_account(scope: str) -> bool:
    return ":host=" not in scope
