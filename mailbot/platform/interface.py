"""What mailbot asks of a platform, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from mailbot.core.data_map import SweepRule
from mailbot.core.plan import Applied, Change, FieldView, Plan, ReadBack, Subject
from mailbot.core.replay import Created
from mailbot.core.result import EventRef
from mailbot.core.wording import Wording


class CheckStatus(StrEnum):
    """How one checked thing stands."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One thing that was checked, and the mend where it is not well."""

    status: CheckStatus
    what: str
    mend: str = ""


class Output(Protocol):
    """Where an export goes: bytes from start to end."""

    def write(self, data: bytes, /) -> int:
        """`data` is taken."""
        ...

    def flush(self) -> None:
        """Nothing waits for more."""
        ...

    def close(self) -> None:
        """Asked of every file by zipfile's types; nobody here calls it."""
        ...


@dataclass(frozen=True, slots=True)
class SweepFound:
    """How many rows a sweep looks at, and how many of them are due."""

    total: int
    due: int

    @property
    def percent(self) -> float:
        """The share of all that is due."""
        return 100 * self.due / self.total if self.total else 0.0


@runtime_checkable
class Sweepable(Protocol):
    """A platform on which mailbot finds by itself what has ended. Every method raises PlatformTrouble."""

    def sweep_found(self, rule: SweepRule) -> SweepFound:
        """How much is due now. Changes nothing."""
        ...

    def sweep_accounts(self, rule: SweepRule, at_most: int) -> tuple[Subject, ...]:
        """At most so many of the accounts that are due now, by key."""
        ...

    def sweep_rows(self, rule: SweepRule) -> int:
        """At most `rule.at_most` of the rows that are due are gone; says how many."""
        ...

    def is_due(self, rule: SweepRule, subject: Subject) -> bool:
        """Whether this account is still due: nobody used it since it was found."""
        ...

    def plan(self, change: Change) -> Plan:
        """See Platform.plan."""
        ...


class Platform(Protocol):
    """A place where people's data is kept. Every method raises PlatformTrouble when the platform fails."""

    def find(self, address: str) -> tuple[Subject, ...]:
        """Everybody whom this address, present or former, leads to: users first, then visitors by host."""
        ...

    def hosts_subjects(self, host_address: str, visitor_address: str) -> tuple[Subject, ...]:
        """The visitor subjects of `visitor_address` at events of the user with `host_address` only."""
        ...

    def fields(self, subject: Subject) -> tuple[FieldView, ...]:
        """Every named field of this person with its present value."""
        ...

    def events(self, subject: Subject) -> tuple[EventRef, ...]:
        """The events at which a visitor left data, by date; none for users."""
        ...

    def plan(self, change: Change) -> Plan:
        """What the change would do now. Changes nothing."""
        ...

    def apply(self, plan: Plan, idempotency_key: str) -> Applied:
        """The change is made, once for this key, in one transaction; then its files are removed. A deletion too
        large for that closes the account first and goes batch by batch. Doing it again with the same key
        finishes what a crash left open.

        Raises:
            PlanGrew: it would touch more than `plan` says.
            NothingChanged: `plan` has rows, and none is there any more.
        """
        ...

    def finish_open(self) -> int:
        """Files of changes that were committed but not finished are removed; returns how many."""
        ...

    def read_back(self, change: Change, plan: Plan) -> ReadBack:
        """Whether the platform is as `change` wants it. `plan` is the one made before the change. After a
        deletion it is looked for the person in places that no map names, too."""
        ...

    def export(self, subjects: tuple[Subject, ...], out: Output, wording: Wording) -> None:
        """A ZIP with JSON, CSV, HTML and uploaded files of these people is written to `out`, from start to end."""
        ...

    def check(self) -> tuple[CheckLine, ...]:
        """The data map held against the live platform."""
        ...

    def close(self) -> None:
        """Every connection is given back."""
        ...


@runtime_checkable
class WalkedPlatform(Platform, Protocol):
    """A platform all of whose addresses can be looked at, to clean it after a restored backup."""

    def people(self) -> Iterator[tuple[str, ...]]:
        """Every address, present or former, by which somebody is found, a batch at a time."""
        ...

    def promoted(self) -> Iterator[tuple[str, ...]]:
        """Every address in the places that say who gets promotional mail, a batch at a time."""
        ...

    def count_people(self) -> int:
        """How many accounts there are."""
        ...

    def created(self, subject: Subject) -> Created | None:
        """Since when this person is there; None where that is not known."""
        ...
