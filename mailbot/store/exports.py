"""Exports: copies of a person's data, sealed, fetched a few times at most, gone after their time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import col, delete, select

from mailbot.store.database import Transaction, new_id
from mailbot.store.messages import STRETCH_BYTES
from mailbot.store.tables import Case, Export, ExportPart

_CONTEXT = "export"


def replace(tx: Transaction, case: Case, request_id: UUID, content: bytes, now: datetime) -> Export:
    """The request has exactly this export."""
    remove(tx, request_id)
    export = Export(id=new_id(), case_id=case.id, request_id=request_id, size=len(content), made_at=now)
    tx.session.add(export)
    seal = tx.seal(case.key_id)
    for position, start in enumerate(range(0, len(content), STRETCH_BYTES)):
        sealed = seal.seal(content[start : start + STRETCH_BYTES], _CONTEXT)
        tx.session.add(ExportPart(export_id=export.id, position=position, sealed=sealed))
    return export


def of_request(tx: Transaction, request_id: UUID) -> Export | None:
    """The export of a request."""
    return tx.session.exec(select(Export).where(Export.request_id == request_id)).first()


def content(tx: Transaction, case: Case, export: Export) -> bytes:
    """The ZIP's bytes."""
    seal = tx.seal(case.key_id)
    query = select(ExportPart).where(ExportPart.export_id == export.id).order_by(col(ExportPart.position))
    return b"".join(seal.open(part.sealed, _CONTEXT) for part in tx.session.exec(query))


def remove_made_before(tx: Transaction, time: datetime) -> None:
    """Exports made before `time` are gone, fetched or not."""
    for request_id in tx.session.exec(select(Export.request_id).where(Export.made_at <= time)).all():
        remove(tx, request_id)


def remove(tx: Transaction, request_id: UUID) -> None:
    """The request has no export any more."""
    export = of_request(tx, request_id)
    if export is not None:
        tx.session.exec(delete(ExportPart).where(col(ExportPart.export_id) == export.id))
        tx.session.delete(export)
        tx.session.flush()
