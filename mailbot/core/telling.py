"""Recipients told (GDPR Art. 19): who is told of what was done, and the exact words of the requests they get.

A recipient gets what it needs to find the person, and nothing the person wrote.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from mailbot.core.data_map import DataMap, Place
from mailbot.core.plan import Plan
from mailbot.core.request import Capacity, Kind

SIGNATURE_VERSION = "v1"
_TYPES = {Kind.DELETION: "person.deleted", Kind.CORRECTION: "person.corrected"}


class Channel(StrEnum):
    """How a recipient is told."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    """JSON, signed as Standard Webhooks does."""
    OPENDSR = "opendsr"
    """A request as OpenDSR 1.0 §7 has it; it knows no corrections."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to whom personal data was passed on. `categories` are sections of the data map; none: all.

    `secret` signs webhooks (bytes), `authorization` is the whole value of that header.
    """

    name: str
    channel: Channel
    kinds: frozenset[Kind]
    categories: frozenset[str] = frozenset()
    address: str = ""
    language: str = ""
    url: str = ""
    secret: bytes = field(default=b"", repr=False)
    authorization: str = field(default="", repr=False)
    ca_file: Path | None = None

    def had(self, categories: Collection[str]) -> bool:
        """Whether data of these categories was passed on to it."""
        return not self.categories or not self.categories.isdisjoint(categories)


@dataclass(frozen=True, slots=True)
class NewValue:
    """One corrected field, as it is now; the value is None where it was removed."""

    name: str
    value: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Telling:
    """What one recipient is told of one request. `identifiers` are addresses; times are UTC."""

    kind: Kind
    identifiers: tuple[str, ...] = field(repr=False)
    changes: tuple[NewValue, ...] = field(repr=False)
    asked_at: datetime
    done_at: datetime


def categories_of(data_map: DataMap, capacity: Capacity, shown: Plan) -> frozenset[str]:
    """The categories of what `shown` touches."""
    tables = {step.place.removeprefix("files:").partition(".")[0] for step in shown.steps if step.rows}
    touched = [place for place in data_map.places_of(capacity) if {place.name, place.table} & tables]
    return frozenset(category for place in touched for category in _categories(place))


def categories_of_field(data_map: DataMap, capacity: Capacity, name: str) -> frozenset[str]:
    """The categories of one field for people of this capacity."""
    places = data_map.places_of(capacity)
    return frozenset(rule.category for place in places for rule in place.columns if rule.field == name)


def webhook_body(telling_id: UUID, telling: Telling) -> bytes:
    """The JSON that a webhook gets: `type` is person.deleted or person.corrected."""
    data: dict[str, object] = {
        "id": str(telling_id),
        "identifiers": [{"type": "email", "value": one} for one in telling.identifiers],
        "asked_at": _rfc3339(telling.asked_at),
    }
    if telling.kind is Kind.CORRECTION:
        data["fields"] = {one.name: one.value for one in telling.changes}
    return _json({"type": _TYPES[telling.kind], "timestamp": _rfc3339(telling.done_at), "data": data})


def opendsr_body(telling_id: UUID, telling: Telling) -> bytes:
    """The request of OpenDSR 1.0 §7.1; its id is a UUID of version 4, the same whenever it is sent again."""
    identities = [
        {"identity_type": "email", "identity_value": one, "identity_format": "raw"}
        for one in telling.identifiers
    ]
    return _json(
        {
            "regulation": "gdpr",
            "subject_request_id": str(telling_id),
            "subject_request_type": "erasure",
            "submitted_time": _rfc3339(telling.asked_at),
            "subject_identities": identities,
            "api_version": "1.0",
        }
    )


def webhook_signature(secret: bytes, telling_id: UUID, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: HMAC-SHA256 over "id.timestamp.body" (Standard Webhooks 1.0)."""
    signed = f"{telling_id}.{timestamp}.".encode() + body
    digest = hmac.digest(secret, signed, "sha256")
    return f"{SIGNATURE_VERSION},{base64.b64encode(digest).decode()}"


def _categories(place: Place) -> frozenset[str]:
    return frozenset({place.category, *(rule.category for rule in place.columns)})


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
