"""When each sweep of the data map last ran, and the cases that sweeps opened."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import col, select

from mailbot.core.workflow import OPEN_STATES, State
from mailbot.store.database import Transaction
from mailbot.store.tables import Case, Request, Sweep

CHANNEL = "sweep"
"""Of cases that nobody asked for: they have no person, so no letter is written."""
EVERY = timedelta(hours=20)
_LEFT_ALONE = timedelta(days=30)
"""What staff closed without a deletion is not brought to them again the next day."""


def begin(tx: Transaction, name: str, due: int, total: int, now: datetime) -> bool:
    """This process runs the sweep; False when it ran today already."""
    row = tx.session.get(Sweep, name, with_for_update=tx.is_postgresql)
    if row is not None and now - row.ran_at < EVERY:
        return False
    tx.session.merge(Sweep(name=name, ran_at=now, due=due, total=total, taken=0))
    return True


def is_due(tx: Transaction, name: str, now: datetime) -> bool:
    """The sweep did not run today."""
    row = tx.session.get(Sweep, name)
    return row is None or now - row.ran_at >= EVERY


def taken(tx: Transaction, name: str, count: int) -> None:
    """So many were taken in the last run."""
    tx.session.get_one(Sweep, name).taken = count


def known(tx: Transaction, now: datetime) -> frozenset[str]:
    """Keys of what a sweep has brought up and that is not settled, or was left alone by staff lately."""
    query = (
        select(Request.subject_key, Request.state, Request.since)
        .join(Case, col(Case.id) == Request.case_id)
        .where(Case.channel == CHANNEL, Request.state != State.DONE.value)
    )
    found = tx.session.exec(query)
    return frozenset(
        key or "" for key, state, since in found if State(state) in OPEN_STATES or now - since < _LEFT_ALONE
    )
