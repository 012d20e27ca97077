"""Fetching an export: the page behind the link, and the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mailbot.advance import PERSON, Advance, Happening
from mailbot.core.token import Purpose
from mailbot.core.workflow import Event, State, possible
from mailbot.store import exports, tokens
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Case, Export, Request, Token

MOST_DOWNLOADS = 5


@dataclass(frozen=True, slots=True)
class ExportView:
    """What waits behind the link. `size` is in bytes."""

    reference: str
    language: str
    size: int
    expires_at: datetime
    downloads_left: int


class Exports:
    """Shows and hands out exports."""

    def __init__(self, store: Store, advance: Advance) -> None:
        self._store = store
        self._advance = advance

    def view(self, token: str, now: datetime) -> ExportView | None:
        """What the token opens; None when nothing. Changes nothing."""
        with self._store.read() as tx:
            found = _find(tx, token, now)
            if found is None:
                return None
            row, case, _, export = found
            left = MOST_DOWNLOADS - export.downloads
            return ExportView(case.reference, case.language, export.size, row.expires_at, left)

    def open(self, token: str, now: datetime) -> Iterator[bytes] | None:
        """The ZIP, piece by piece; one download fewer is left. None when the token opens nothing."""
        with self._store.begin() as tx:
            taken = tokens.take(tx, token, Purpose.EXPORT, now)
            found = _find(tx, token, now)
            if taken is None or found is None:
                return None
            _, case, request, export = found
            export.downloads += 1
            if possible(State(request.state), Event.EXPORT_FETCHED):
                self._advance(tx, case, [Happening(request, Event.EXPORT_FETCHED, PERSON)], now)
            key_id, export_id = case.key_id, export.id
        return exports.stretches(self._store, key_id, export_id)


def _find(tx: Transaction, token: str, now: datetime) -> tuple[Token, Case, Request, Export] | None:
    row = tokens.find(tx, token, Purpose.EXPORT, now)
    if row is None or row.request_id is None:
        return None
    export = exports.of_request(tx, row.request_id)
    if export is None or export.downloads >= MOST_DOWNLOADS:
        return None
    return row, tx.session.get_one(Case, row.case_id), tx.session.get_one(Request, row.request_id), export
