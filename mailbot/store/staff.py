"""Staff accounts and their logins."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache

from pwdlib import PasswordHash
from sqlmodel import col, select

from mailbot.store.database import Store, Transaction, new_id
from mailbot.store.tables import Staff, StaffSession

SESSION_HOURS = 12
_LOCK_AFTER = 5
_LOCK_MINUTES = 15
_HASHER = PasswordHash.recommended()


class StaffTrouble(Exception):
    """The account cannot be made or changed as asked; the text says why."""


def add(
    tx: Transaction, name: str, password: str, *, role: str, agreement: date | None, now: datetime
) -> Staff:
    """A new account. Raises StaffTrouble when the name is taken or the password too short."""
    if len(password) < 10:
        raise StaffTrouble("the password must have at least 10 characters")
    if by_name(tx, name):
        raise StaffTrouble(f"there is a staff account named {name!r} already")
    staff = Staff(
        id=new_id(),
        name=name,
        password_hash=_HASHER.hash(password),
        role=role,
        agreement_signed_on=agreement,
        created_at=now,
    )
    tx.session.add(staff)
    return staff


def disable(tx: Transaction, name: str, now: datetime) -> None:
    """The account cannot log in and its sessions are ended. Raises StaffTrouble when there is none."""
    staff = by_name(tx, name)
    if staff is None:
        raise StaffTrouble(f"there is no staff account named {name!r}")
    staff.disabled_at = now
    for session in tx.session.exec(select(StaffSession).where(StaffSession.staff_id == staff.id)):
        tx.session.delete(session)


def enable(tx: Transaction, name: str, agreement: date | None) -> Staff:
    """The account can log in again; `agreement` is the day the agreement was signed, where that is new.
    Raises StaffTrouble when there is none."""
    staff = by_name(tx, name)
    if staff is None:
        raise StaffTrouble(f"there is no staff account named {name!r}")
    staff.disabled_at, staff.failed_logins, staff.locked_until = None, 0, None
    staff.agreement_signed_on = agreement or staff.agreement_signed_on
    return staff


def by_name(tx: Transaction, name: str) -> Staff | None:
    """The account of that name."""
    return tx.session.exec(select(Staff).where(Staff.name == name)).first()


def everyone(tx: Transaction) -> Sequence[Staff]:
    """All accounts by name."""
    return tx.session.exec(select(Staff).order_by(col(Staff.name))).all()


def log_in(store: Store, name: str, password: str, now: datetime) -> tuple[str, StaffSession] | None:
    """A new session and its cookie; None for every reason alike (unknown, wrong, locked, disabled, unsigned).

    The password is hashed between two transactions: it takes long, and others must be able to write meanwhile.
    """
    with store.read() as tx:
        known = by_name(tx, name)
    right = _HASHER.verify(password, known.password_hash if known else _nobody())
    with store.begin() as tx:
        return _admit(tx, name, known.password_hash if known else "", now, right=right)


def _admit(
    tx: Transaction, name: str, password_hash: str, now: datetime, *, right: bool
) -> tuple[str, StaffSession] | None:
    staff = by_name(tx, name)
    is_other = staff is None or staff.password_hash != password_hash
    if staff is None or is_other or (staff.locked_until and staff.locked_until > now):
        return None
    if not right:
        _count_failure(staff, now)
        return None
    if staff.disabled_at or staff.agreement_signed_on is None or staff.agreement_signed_on > now.date():
        return None
    staff.failed_logins, staff.locked_until = 0, None
    return _new_session(tx, staff, now)


@cache
def _nobody() -> str:
    """Compared with when the name is unknown, so that an unknown name takes as long as a wrong password."""
    return _HASHER.hash(secrets.token_hex(16))


def session_of(tx: Transaction, cookie: str, now: datetime) -> tuple[Staff, StaffSession] | None:
    """Who is logged in with this cookie."""
    session = tx.session.get(StaffSession, _digest(cookie))
    if session is None or session.expires_at <= now:
        return None
    staff = tx.session.get_one(Staff, session.staff_id)
    return None if staff.disabled_at else (staff, session)


def log_out(tx: Transaction, cookie: str) -> None:
    """The cookie opens nothing any more."""
    session = tx.session.get(StaffSession, _digest(cookie))
    if session:
        tx.session.delete(session)


def _count_failure(staff: Staff, now: datetime) -> None:
    staff.failed_logins += 1
    if staff.failed_logins >= _LOCK_AFTER:
        staff.failed_logins, staff.locked_until = 0, now + timedelta(minutes=_LOCK_MINUTES)


def _new_session(tx: Transaction, staff: Staff, now: datetime) -> tuple[str, StaffSession]:
    cookie = secrets.token_urlsafe(32)
    session = StaffSession(
        digest=_digest(cookie),
        staff_id=staff.id,
        csrf=secrets.token_urlsafe(24),
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(hours=SESSION_HOURS),
    )
    tx.session.add(session)
    return cookie, session


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
