"""The operations behind the pages, kept in memory: they remember what they were asked to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from mailbot.confirmation import Confirmation, FieldAsked, RequestView
from mailbot.core.plan import Action, PlannedStep
from mailbot.core.request import Capacity, Kind
from mailbot.core.workflow import State
from mailbot.desk import DeskTrouble
from mailbot.exports import ExportView
from mailbot.hosts import HostQuestion
from mailbot.status import CaseView, RequestStatus
from mailbot.store import suppressions
from mailbot.store.database import Store
from mailbot.store.tables import Suppression
from mailbot.unsubscribing import Links

GOOD = "a" * 32
"""The one token that opens something."""
BAD = "b" * 32

CORRECTION, DELETION, VISIT = UUID(int=1), UUID(int=2), UUID(int=3)


@dataclass
class Deeds:
    """What was asked of the operations, in order: whatever stands here was a change."""

    done: list[tuple[Any, ...]] = field(default_factory=list)

    def __call__(self, *deed: Any) -> None:
        self.done.append(deed)


@dataclass
class FakeUnsubscribing:
    """Real suppression list, no case and no letter."""

    store: Store
    deeds: Deeds
    trouble: Exception | None = None

    def address_of(self, token: str) -> str | None:
        return self.store.pseudonyms.address_in(token)

    def status(self, address: str) -> Suppression | None:
        with self.store.read() as tx:
            return suppressions.status(tx, address)

    def unsubscribe(self, address: str, *, how: str, language: str | None, now: datetime) -> bool:
        if self.trouble:
            raise self.trouble
        self.deeds("unsubscribe", address, how, language)
        with self.store.begin() as tx:
            return suppressions.suppress(tx, address, how=how, by="person", now=now)

    def undo(self, address: str, *, how: str, now: datetime) -> bool:
        self.deeds("undo", address, how)
        with self.store.begin() as tx:
            return suppressions.lift(tx, address, now)

    def link(self, address: str) -> Links:
        url = f"https://privacy.example/u/{self.store.pseudonyms.link_token(address)}"
        return Links(url, "mailto:privacy@example.com", f"<{url}>")


def confirmation(language: str = "en") -> Confirmation:
    """Alice corrects her name and phone, then leaves; she also visited one of Hugo's events."""
    return Confirmation(
        reference="K7Q2-9MXF",
        language=language,
        address="alice@example.org",
        requests=(
            RequestView(
                CORRECTION,
                Kind.CORRECTION,
                Capacity.USER,
                State.AWAITING_PROOF,
                fields=(
                    FieldAsked("name", "Alice Smiht", "Alice Smith"),
                    FieldAsked("phone", None, "+33 6 12 34 56 78"),
                    FieldAsked("email", "alice@example.org", "alice@example.net"),
                ),
            ),
            RequestView(
                DELETION,
                Kind.DELETION,
                Capacity.USER,
                State.AWAITING_PROOF,
                goes=(
                    PlannedStep("accounts", Action.DELETE, 1),
                    PlannedStep("webinars", Action.DELETE, 12),
                    PlannedStep("files:uploads.path", Action.DELETE, 34),
                ),
                stays=(
                    PlannedStep(
                        "payments",
                        Action.KEEP,
                        3,
                        why="accounting records must be kept by law (Art. 17(3)(b) GDPR)",
                        until=date(2036, 3, 1),
                    ),
                ),
            ),
            RequestView(
                VISIT,
                Kind.DELETION,
                Capacity.VISITOR,
                State.AWAITING_PROOF,
                goes=(PlannedStep("registrations", Action.DELETE, 2),),
                host="Hugo Hostettler",
            ),
        ),
        open=True,
    )


@dataclass
class FakeProof:
    """One confirmation; spent once it is answered."""

    deeds: Deeds
    waiting: Confirmation | None = field(default_factory=confirmation)

    def view(self, token: str, now: datetime) -> Confirmation | None:
        return self.waiting if token == GOOD else None

    def confirm(
        self, token: str, fields: Mapping[str, Mapping[str, str]], now: datetime, mark: str = ""
    ) -> Confirmation | None:
        shown = self.view(token, now)
        if shown:
            self.deeds("confirm", {request: dict(values) for request, values in fields.items()})
            self.waiting = None
        return replace(shown, open=False) if shown else None

    def cancel(self, token: str, now: datetime) -> bool:
        return self._stop("cancel", token, now)

    def deny(self, token: str, now: datetime) -> bool:
        return self._stop("deny", token, now)

    def _stop(self, what: str, token: str, now: datetime) -> bool:
        if not self.view(token, now):
            return False
        self.deeds(what)
        self.waiting = None
        return True


@dataclass
class FakeHosts:
    """Hugo is asked about Vera."""

    deeds: Deeds

    def view(self, token: str, now: datetime) -> HostQuestion | None:
        if token != GOOD:
            return None
        return HostQuestion(
            "K7Q2-9MXF",
            "fr",
            "Vera Visiteuse",
            "vera@example.org",
            Kind.DELETION,
            ("Vendre mieux", "Vendre plus"),
            date(2026, 12, 6),
            True,
        )

    def agree(self, token: str, now: datetime) -> bool:
        self.deeds("agree")
        return True

    def refuse(self, token: str, reason: str, now: datetime) -> bool:
        self.deeds("refuse", reason)
        return True


@dataclass
class FakeExports:
    """One export."""

    deeds: Deeds

    def view(self, token: str, now: datetime) -> ExportView | None:
        return ExportView("K7Q2-9MXF", "en", 4, now + timedelta(days=9), 4) if token == GOOD else None

    def open(self, token: str, now: datetime) -> Iterator[bytes] | None:
        self.deeds("download")
        return iter((b"PK\x03\x04",))


class FakeStatus:
    """One case, half done."""

    def view(self, token: str, now: datetime) -> CaseView | None:
        if token != GOOD:
            return None
        at = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
        requests = (
            RequestStatus(Kind.ACCESS, State.AWAITING_FETCH, at),
            RequestStatus(Kind.DELETION, State.APPLYING, at),
        )
        return CaseView("K7Q2-9MXF", "de", at, date(2026, 12, 21), requests, True)


@dataclass
class FakeDesk:
    """Takes every decision, or has a reason not to."""

    deeds: Deeds
    trouble: str = ""

    def __getattr__(self, name: str) -> Any:
        if name not in (
            "approve",
            "ask_proof",
            "refuse",
            "reclassify",
            "reply",
            "dismiss",
            "extend",
            "opened",
        ):
            raise AttributeError(name)

        def act(*arguments: Any, **named: Any) -> None:
            if self.trouble and name != "opened":
                raise DeskTrouble(self.trouble)
            self.deeds(name, *arguments, *named.items())

        return act


def some_id() -> UUID:
    """An id of nothing."""
    return uuid4()
