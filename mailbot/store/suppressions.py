"""The suppression list (who gets no promotional mail) and the erasure ledger: keyed hashes, outliving deletion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlmodel import col, select

from mailbot.core.replay import Erased
from mailbot.store.database import Transaction
from mailbot.store.tables import Erasure, Suppression

_AT_ONCE = 500
"""Hashes in one question."""


def suppress(tx: Transaction, address: str, *, how: str, by: str, now: datetime) -> bool:
    """The address is on the list; False when it already was."""
    key = tx.pseudonyms.address(address)
    if key in tx.known.suppressed:
        return False
    tx.known.suppressed.add(key)
    with tx.session.no_autoflush:  # what waits to be written is about other things
        row = tx.session.get(Suppression, key)
    if row and row.lifted_at is None:
        return False
    if row is None:
        tx.session.add(Suppression(address_hash=key, since=now, how=how, by=by, updated_at=now))
    else:
        row.since, row.how, row.by, row.lifted_at, row.updated_at = now, how, by, None, now
    return True


def lift(tx: Transaction, address: str, now: datetime) -> bool:
    """The address is off the list, and that it was on it is still known; False when it was not on it."""
    key = tx.pseudonyms.address(address)
    tx.known.suppressed.discard(key)
    row = tx.session.get(Suppression, key)
    if row is None or row.lifted_at is not None:
        return False
    row.lifted_at = row.updated_at = now
    return True


def status(tx: Transaction, address: str) -> Suppression | None:
    """Since when and how the address is on the list (`lifted_at` set: it was); None when it never was."""
    return tx.session.get(Suppression, tx.pseudonyms.address(address))


def is_suppressed(tx: Transaction, address: str) -> bool:
    """True while the address gets no promotional mail."""
    row = status(tx, address)
    return row is not None and row.lifted_at is None


def changed_since(tx: Transaction, since: datetime, limit: int) -> Sequence[Suppression]:
    """What changed on the list after a time, oldest first."""
    query = (
        select(Suppression).where(col(Suppression.updated_at) > since).order_by(col(Suppression.updated_at))
    )
    return tx.session.exec(query.limit(limit)).all()


def current(tx: Transaction) -> Iterator[Suppression]:
    """Everybody on the list now, the longest first; a few at a time in memory."""
    query = select(Suppression).where(col(Suppression.lifted_at).is_(None)).order_by(col(Suppression.since))
    yield from tx.session.exec(query.execution_options(yield_per=500))


def remember_erasure(tx: Transaction, identifiers: Sequence[str], scope: str, now: datetime) -> None:
    """These identifiers were deleted within `scope`: a restored backup must be cleaned of them again."""
    for identifier in identifiers:
        key = tx.pseudonyms.address(identifier)
        row = tx.session.get(Erasure, (key, scope))
        if row is None:
            tx.session.add(Erasure(identifier_hash=key, scope=scope, at=now))
        elif row.at < now:  # the platform gave the key of a deleted account to another, who was deleted too
            row.at = now


def erasures_of(tx: Transaction, addresses: Sequence[str]) -> dict[str, list[Erased]]:
    """The deletions of each address that has any."""
    by_hash = {tx.pseudonyms.address(address): address for address in addresses}
    found: dict[str, list[Erased]] = {}
    for some in _slices(list(by_hash)):
        query = select(Erasure).where(col(Erasure.identifier_hash).in_(some))
        for row in tx.session.exec(query):
            found.setdefault(by_hash[row.identifier_hash], []).append(Erased(row.scope, row.at))
    return found


def listed(tx: Transaction, addresses: Sequence[str]) -> list[str]:
    """Those of `addresses` that are on the list now."""
    by_hash = {tx.pseudonyms.address(address): address for address in addresses}
    found: list[str] = []
    for some in _slices(list(by_hash)):
        query = select(Suppression.address_hash).where(
            col(Suppression.address_hash).in_(some), col(Suppression.lifted_at).is_(None)
        )
        found += [by_hash[key] for key in tx.session.exec(query)]
    return found


def _slices(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]
