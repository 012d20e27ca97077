"""The ledger's chain: each entry's hash covers the one before, so that nothing can be changed or left out unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """What was done, when (UTC), to which case and request, by whom, on what grounds. No personal data:
    `details` holds counts, places, rule ids and states only."""

    at: datetime
    action: str
    actor: str
    case: str
    request: str
    grounds: str
    details: Mapping[str, str | int]


def chain(previous: bytes, entry: Entry) -> bytes:
    """SHA-256 over the previous hash and the entry in canonical JSON (sorted keys, no spaces, UTC)."""
    body = json.dumps(
        {
            "at": entry.at.isoformat(timespec="microseconds"),
            "action": entry.action,
            "actor": entry.actor,
            "case": entry.case,
            "request": entry.request,
            "grounds": entry.grounds,
            "details": dict(entry.details),
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    )
    return hashlib.sha256(previous + body.encode("ascii")).digest()


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry (1-based sequence number) whose hash does not follow from the ones before."""

    sequence: int


def verify(entries: Iterable[tuple[Entry, bytes]]) -> int | Broken:
    """How many entries the chain has, or where it breaks."""
    previous, count = GENESIS, 0
    for entry, stored in entries:
        count += 1
        previous = chain(previous, entry)
        if previous != stored:
            return Broken(count)
    return count
