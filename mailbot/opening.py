"""A case is opened: its legal clock starts with the receipt, its language is the writer's where that is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from mailbot.config import Controller
from mailbot.core.case import Person
from mailbot.core.deadlines import explained, legal_deadline, received_on
from mailbot.core.request import Language
from mailbot.store import cases
from mailbot.store.database import Transaction
from mailbot.store.tables import Case


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known when a case begins. `language` None: unsure, so that letters are bilingual.
    `received_at` (UTC) starts the legal clock (GDPR Art. 12(3))."""

    person: Person
    channel: str
    received_at: datetime
    language: Language | None
    answerable: bool = True


def open_case(tx: Transaction, controller: Controller, opening: Opening, now: datetime) -> Case:
    """A new case with its due date and why it is that date."""
    deadline = legal_deadline(day_of(opening.received_at, controller), controller.country)
    known = opening.language if opening.language in controller.languages else None
    return cases.open_case(
        tx,
        opening.person,
        channel=opening.channel,
        language=known or controller.fallback_language,
        bilingual=known is None,
        answerable=opening.answerable,
        received_at=opening.received_at,
        due_on=deadline.due,
        due_why=explained(deadline),
        now=now,
    )


def day_of(instant: datetime, controller: Controller) -> date:
    """The controller's local day of an instant."""
    return received_on(instant, ZoneInfo(controller.timezone))
