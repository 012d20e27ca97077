"""What keeps changes from being made: legal holds on people, and the emergency stop of a kind of change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import col, select

from mailbot.core.policy import Policy
from mailbot.core.request import Kind
from mailbot.store.database import Transaction
from mailbot.store.tables import Hold, Stop

ON_HOLD = "legal hold: nothing of this person is deleted until staff lift it"


def hold(tx: Transaction, address: str, case: str, by: str, now: datetime) -> bool:
    """Nothing of this address is deleted any more; False when that was so already."""
    key = tx.pseudonyms.address(address)
    row = tx.session.get(Hold, key)
    if row is not None and row.lifted_at is None:
        return False
    tx.session.merge(Hold(address_hash=key, case_reference=case, since=now, by=by, lifted_at=None))
    return True


def release(tx: Transaction, address: str, now: datetime) -> bool:
    """The address is held no more; False when it was not."""
    row = tx.session.get(Hold, tx.pseudonyms.address(address))
    if row is None or row.lifted_at is not None:
        return False
    row.lifted_at = now
    return True


def is_held(tx: Transaction, addresses: Iterable[str]) -> bool:
    """One of these addresses is under a legal hold."""
    keys = [tx.pseudonyms.address(address) for address in addresses if address]
    query = select(Hold).where(col(Hold.address_hash).in_(keys), col(Hold.lifted_at).is_(None))
    return tx.session.exec(query).first() is not None


def stop(tx: Transaction, kind: Kind, by: str, now: datetime) -> bool:
    """Changes of `kind` are made no more; False when they were stopped already."""
    row = tx.session.get(Stop, kind.value)
    if row is not None and row.lifted_at is None:
        return False
    tx.session.merge(Stop(kind=kind.value, since=now, by=by, lifted_at=None))
    return True


def resume(tx: Transaction, kind: Kind, now: datetime) -> bool:
    """Changes of `kind` are made again; False when staff had not stopped them."""
    row = tx.session.get(Stop, kind.value)
    if row is None or row.lifted_at is not None:
        return False
    row.lifted_at = now
    return True


def stopped(tx: Transaction) -> frozenset[Kind]:
    """The kinds whose changes staff have stopped."""
    query = select(Stop.kind).where(col(Stop.lifted_at).is_(None))
    return frozenset(Kind(kind) for kind in tx.session.exec(query))


def is_stopped(tx: Transaction, policy: Policy, kind: Kind) -> bool:
    """Changes of `kind` are not made now, by rules/policy.toml or because staff pressed the stop."""
    return policy.kinds[kind].stopped or kind in stopped(tx)


def reasons(tx: Transaction, policy: Policy, kind: Kind, addresses: Iterable[str]) -> list[str]:
    """Why a change of `kind` to the person with these addresses must wait for staff."""
    found = [f"changes of kind {kind} are stopped"] if is_stopped(tx, policy, kind) else []
    if kind == Kind.DELETION and is_held(tx, addresses):
        found.append(ON_HOLD)
    return found
