"""Exports: copies of a person's data, sealed, fetched a few times at most, gone after their time.

A copy may be larger than memory: it is sealed and saved stretch by stretch, and counts only when it is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID

from sqlmodel import col, delete, select

from mailbot.store import works
from mailbot.store.database import Store, Transaction, new_id
from mailbot.store.messages import STRETCH_BYTES
from mailbot.store.tables import Case, Export, ExportPart, Work

_CONTEXT = "export"
_STRETCHES_AT_ONCE = 4
"""Saved in one transaction: memory stays flat, and other writers never wait long."""


class LeaseLost(Exception):
    """Another worker took the work over: what this one wrote does not count."""


class ExportWriter:
    """Takes the bytes of one request's export from start to end; `finish` makes it the one that is fetched.

    Each save prolongs the lease of `work`, so that a copy that takes long is not begun by a second worker.
    """

    def __init__(self, store: Store, case: Case, work: Work, now: Callable[[], datetime]) -> None:
        self._store, self._case, self._work, self._now = store, case, work, now
        self._waiting = bytearray()
        self._parts = self._size = 0
        with store.begin() as tx:
            self._prolong(tx)
            assert work.request_id is not None  # noqa: S101 - exports are made for requests; narrows for mypy
            remove(tx, work.request_id)
            export = Export(
                id=new_id(),
                case_id=case.id,
                request_id=work.request_id,
                size=0,
                made_at=now(),
                is_whole=False,
            )
            tx.session.add(export)
        self._export_id = export.id

    def write(self, data: bytes, /) -> int:
        """`data` is kept, sealed. Raises LeaseLost."""
        self._waiting += data
        if len(self._waiting) >= _STRETCHES_AT_ONCE * STRETCH_BYTES:
            whole = len(self._waiting) // STRETCH_BYTES * STRETCH_BYTES
            self._save(bytes(self._waiting[:whole]), is_last=False)
            del self._waiting[:whole]
        return len(data)

    def flush(self) -> None:
        """Nothing: what is written is saved when it is worth a transaction."""

    def close(self) -> None:
        """Nothing: an export that is not finished does not count."""

    def finish(self) -> None:
        """The export is whole. Raises LeaseLost."""
        self._save(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _save(self, content: bytes, *, is_last: bool) -> None:
        with self._store.begin() as tx:
            self._prolong(tx)
            seal = tx.seal(self._case.key_id)
            for start in range(0, len(content), STRETCH_BYTES):
                sealed = seal.seal(content[start : start + STRETCH_BYTES], _CONTEXT)
                tx.session.add(ExportPart(export_id=self._export_id, position=self._parts, sealed=sealed))
                self._parts += 1
            self._size += len(content)
            if is_last:
                export = tx.session.get_one(Export, self._export_id)
                export.size, export.is_whole, export.made_at = self._size, True, self._now()

    def _prolong(self, tx: Transaction) -> None:
        if not works.prolong(tx, self._work, self._now()):
            raise LeaseLost


def of_request(tx: Transaction, request_id: UUID) -> Export | None:
    """The whole export of a request."""
    query = select(Export).where(Export.request_id == request_id, col(Export.is_whole).is_(True))
    return tx.session.exec(query).first()


def stretches(store: Store, key_id: UUID, export_id: UUID) -> Iterator[bytes]:
    """The ZIP's bytes, few at a time; each is read for itself, so that a slow reader holds nothing up."""
    position = 0
    while True:
        with store.read() as tx:
            part = tx.session.get(ExportPart, (export_id, position))
            if part is None:
                return
            content = tx.seal(key_id).open(part.sealed, _CONTEXT)
        yield content
        position += 1


def remove_made_before(tx: Transaction, time: datetime) -> None:
    """Exports made before `time` are gone, fetched or not."""
    for request_id in tx.session.exec(select(Export.request_id).where(Export.made_at <= time)).all():
        remove(tx, request_id)


def remove(tx: Transaction, request_id: UUID) -> None:
    """The request has no export any more, whole or not."""
    ids = select(Export.id).where(Export.request_id == request_id)
    tx.session.exec(delete(ExportPart).where(col(ExportPart.export_id).in_(ids)))
    tx.session.exec(delete(Export).where(col(Export.request_id) == request_id))
