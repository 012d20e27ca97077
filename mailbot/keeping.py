"""A mail that staff have read becomes an example: without the person in it, and as staff leave it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from mailbot.config import Config
from mailbot.core.anonymous import without_person
from mailbot.core.case import Person
from mailbot.core.ledger import Entry
from mailbot.core.message import Unreadable
from mailbot.core.parse import parse
from mailbot.core.request import Capacity, Kind
from mailbot.core.training import Example
from mailbot.examples import Labelled, keep_example
from mailbot.store import cases, ledger, messages
from mailbot.store.database import Store, Transaction
from mailbot.store.encryption import Destroyed
from mailbot.store.tables import Case


class KeepingTrouble(Exception):
    """A mail cannot be kept as an example; the text tells staff why."""


class ExampleKeeper:
    """Makes examples of mails, and keeps them in the configured folder."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store, self._config = store, config

    @property
    def folder(self) -> Path:
        """Where examples are kept. Raises KeepingTrouble when none are."""
        if not self._config.rules.examples:
            raise KeepingTrouble(
                "no examples are kept here: name a folder in the configuration, [rules] examples"
            )
        return self._config.path(self._config.rules.examples)

    def draft(self, reference: str) -> Labelled:
        """The case's first mail as an example, labelled as staff classified it, without the person. Nothing is kept.

        Raises KeepingTrouble when there is no such case, or nothing of it can be read any more."""
        self.folder  # noqa: B018  # says so before anybody works on a draft
        with self._store.read() as tx:
            case = _case(tx, reference)
            try:
                return self._drafted(tx, case)
            except Destroyed:
                raise KeepingTrouble("the data of this case was destroyed when its retention ended") from None

    def keep(self, reference: str, example: Labelled, by: str, now: datetime) -> str:
        """The example is in its file and the ledger says who kept one of which case; its id is said.

        Raises KeepingTrouble when it cannot be kept."""
        if not example.example.text.strip() and not example.example.subject.strip():
            raise KeepingTrouble("an example needs a text")
        if not example.example.kinds:
            raise KeepingTrouble("an example says what is asked: choose one kind at least")
        with self._store.begin() as tx:
            case = _case(tx, reference)
            try:
                kept = keep_example(self.folder, example)
            except OSError as error:
                raise KeepingTrouble(f"the example cannot be written: {error.strerror}") from None
            kinds = "+".join(kind.value for kind in Kind if kind in example.example.kinds)
            details: dict[str, str | int] = {"example": kept, "kinds": kinds}
            ledger.append(tx, Entry(now, "example_kept", f"staff:{by}", case.reference, "", "", details))
        return kept

    def _drafted(self, tx: Transaction, case: Case) -> Labelled:
        mails = messages.of_case(tx, case.id)
        if not mails or mails[0].sealed_reading is None:
            raise KeepingTrouble("nothing was read from a mail in this case")
        reading = json.loads(tx.seal(mails[0].key_id).open(mails[0].sealed_reading, "message.reading"))
        mail = parse(messages.raw_of(tx, mails[0]))
        asked = [cases.asked_of(tx, case, one) for one in cases.requests_of(tx, case.id)]
        senders = (
            [] if isinstance(mail, Unreadable) else [x for one in mail.from_ for x in (one.name, one.address)]
        )
        known = [*_told(cases.person_of(tx, case)), *senders]
        fields = [field for one in asked for field in one.fields]
        controller = self._config.controller
        bare = without_person(
            str(reading["subject"]),
            str(reading["new_text"]),
            fields,
            known,
            (controller.name, controller.legal_name),
        )
        kinds = frozenset(one.kind for one in asked)
        capacity = next((one.capacity for one in asked), Capacity.UNKNOWN)
        is_new = Example("new", case.language, bare.subject, bare.text, kinds, capacity, False, False)
        return Labelled(is_new, bare.fields)


def _told(person: Person) -> list[str]:
    return [word for word in (person.name, person.address) if word]


def _case(tx: Transaction, reference: str) -> Case:
    case = cases.by_reference(tx, reference)
    if case is None:
        raise KeepingTrouble(f"there is no case {reference}")
    return case
