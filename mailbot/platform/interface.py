"""What mailbot asks of a platform, whatever stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mailbot.core.plan import Applied, Change, FieldView, Plan, ReadBack, Subject
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
