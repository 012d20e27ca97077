"""The ledger as a table: append, read in order, verify."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import col, select

from mailbot.core.ledger import GENESIS, Broken, Entry, chain, verify
from mailbot.store.database import Transaction
from mailbot.store.tables import LedgerEntry


def append(tx: Transaction, entry: Entry) -> None:
    """`entry` is the newest of the chain once the transaction is committed."""
    if tx.ledger_tail is None:
        tx.lock_ledger()
        tx.ledger_tail = _tail(tx)
    sequence, previous = tx.ledger_tail
    digest = chain(previous, entry)
    tx.put(
        LedgerEntry,
        {
            "sequence": sequence + 1,
            "at": entry.at,
            "action": entry.action,
            "actor": entry.actor,
            "case_reference": entry.case,
            "request_id": entry.request,
            "grounds": entry.grounds,
            "details": dict(entry.details),
            "hash": digest,
        },
    )
    tx.ledger_tail = (sequence + 1, digest)


def entries(tx: Transaction, case: str | None = None, since: datetime | None = None) -> Iterator[LedgerEntry]:
    """The entries in order, of one case or since a time where given; a few at a time in memory."""
    query = select(LedgerEntry).order_by(col(LedgerEntry.sequence))
    if case is not None:
        query = query.where(LedgerEntry.case_reference == case)
    if since is not None:
        query = query.where(LedgerEntry.at >= since)
    yield from tx.session.exec(query.execution_options(yield_per=500))


def check(tx: Transaction) -> int | Broken:
    """How many entries the chain has, or where it is broken."""
    return verify((as_entry(row), row.hash) for row in entries(tx))


def head(tx: Transaction) -> bytes:
    """The hash of the newest entry; kept elsewhere, it proves later that nothing before it was changed."""
    return _tail(tx)[1]


def as_entry(row: LedgerEntry) -> Entry:
    """The row as the core sees it."""
    return Entry(
        row.at, row.action, row.actor, row.case_reference, row.request_id, row.grounds, dict(row.details)
    )


def _tail(tx: Transaction) -> tuple[int, bytes]:
    query = select(LedgerEntry).order_by(col(LedgerEntry.sequence).desc()).limit(1)
    last = tx.session.exec(query).first()
    return (last.sequence, last.hash) if last else (0, GENESIS)
