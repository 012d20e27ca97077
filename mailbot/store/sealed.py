"""Typed values kept sealed: a dataclass in, JSON under the case's key, the same dataclass out."""

from __future__ import annotations

from typing import Any, TypeVar, cast
from uuid import UUID

from pydantic import TypeAdapter

from mailbot.store.database import Transaction

T = TypeVar("T")
_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def seal_value(tx: Transaction, key_id: UUID, value: object, context: str) -> bytes:
    """`value` (a dataclass, or JSON-like data) sealed with a data key."""
    return tx.seal(key_id).seal(_adapter(type(value)).dump_json(value), context)


def open_value(tx: Transaction, key_id: UUID, sealed: bytes, kind: type[T], context: str) -> T:
    """The value of `kind` that was sealed. Raises Destroyed or KeyTrouble."""
    return cast(T, _adapter(kind).validate_json(tx.seal(key_id).open(sealed, context)))
