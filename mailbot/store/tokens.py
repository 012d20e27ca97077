"""Tokens as rows: minted with an end, looked up by digest, used once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select

from mailbot.core.request import Kind
from mailbot.core.token import TOKEN_BYTES, Purpose, digest, spell
from mailbot.core.workflow import State
from mailbot.store import cases
from mailbot.store.database import Transaction
from mailbot.store.tables import Case, DataKey, Request, Token


def mint(
    tx: Transaction,
    purpose: Purpose,
    *,
    case_id: UUID,
    address: str | None,
    days: int,
    now: datetime,
    request_id: UUID | None = None,
) -> str:
    """A new secret; only its digest is kept. `address` is the one whose control it will prove."""
    token = spell(os.urandom(TOKEN_BYTES))
    tx.put(
        Token,
        {
            "digest": digest(token) or b"",
            "purpose": purpose,
            "case_id": case_id,
            "request_id": request_id,
            "address_hash": tx.pseudonyms.address(address) if address else None,
            "expires_at": now + timedelta(days=days),
            "used_at": None,
        },
    )
    return token


def find(tx: Transaction, token: str, purpose: Purpose, now: datetime) -> Token | None:
    """The live token: of this purpose, unused, not ended; None for everything else alike."""
    row = _row(tx, token)
    return row if row and row.purpose == purpose and row.used_at is None and row.expires_at > now else None


def take(tx: Transaction, token: str, purpose: Purpose, now: datetime) -> tuple[Token, Case] | None:
    """The live token and its case, which nobody else changes until the transaction ends: of two who press at
    once only the first finds it live."""
    row = find(tx, token, purpose, now)
    if row is None:
        return None
    case = cases.locked(tx, row.case_id)
    row = find(tx, token, purpose, now)
    return (row, case) if row else None


def corrections_proven_by(tx: Transaction, address: str, since: datetime) -> Sequence[tuple[Case, Request]]:
    """The corrections done for which this very address proved control since then, and that can still be opened."""
    query = (
        select(Case, Request)
        .join(Request, col(Request.case_id) == Case.id)
        .join(Token, col(Token.request_id) == Request.id)
        .join(DataKey, col(DataKey.id) == Case.key_id)
        .where(Token.address_hash == tx.pseudonyms.address(address), col(Token.used_at) > since)
        .where(Request.kind == Kind.CORRECTION.value, Request.state == State.DONE.value)
        .where(col(DataKey.wrapped).is_not(None))
    )
    return tx.session.exec(query).all()


def use(token: Token, now: datetime) -> None:
    """The token opens nothing any more."""
    token.used_at = now


def _row(tx: Transaction, token: str) -> Token | None:
    key = digest(token)
    return tx.session.get(Token, key) if key else None
