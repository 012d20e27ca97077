"""All that the pages need, built once by app.py and given to `create_site`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from gettext import NullTranslations
from pathlib import Path
from typing import Protocol

from mailbot.config import Config
from mailbot.core.request import FieldChange, Kind
from mailbot.desk import Desk
from mailbot.exports import Exports
from mailbot.hosts import Hosts
from mailbot.keeping import ExampleKeeper
from mailbot.proof import Proof
from mailbot.status import StatusOfCase
from mailbot.store.database import Store
from mailbot.unsubscribing import Unsubscribing

WEB_DOMAIN = "mailbot"
"""The gettext domain of the pages: `Catalogues(*folders, domain=WEB_DOMAIN)`."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the service lives. `parts` names each part ("intake", "outbox", "clock", …) and says "ok" or,
    in words without personal data, what is wrong with it. `intake_at`: when mail was last looked for."""

    ok: bool
    parts: Mapping[str, str] = field(default_factory=dict)
    intake_at: datetime | None = None


class Sentences(Protocol):
    """The catalogues of the pages (mailbot.mail.catalogues.Catalogues is one)."""

    def languages(self) -> tuple[str, ...]:
        """Every language that can be written."""

    def translations(self, language: str) -> NullTranslations:
        """gettext and ngettext of `language`."""


class OpenRequest(Protocol):
    """Opens a request for a logged-in user of the platform and returns the case's reference."""

    def __call__(
        self, kind: Kind, address: str, fields: tuple[FieldChange, ...], language: str | None, now: datetime
    ) -> str:
        """The reference of the case that was opened."""


@dataclass(frozen=True)
class Parts:
    """`templates` are folders that hold `web/…`, an earlier one before a later one. `field_names` are the fields
    a correction may name (data map)."""

    config: Config
    store: Store
    proof: Proof
    unsubscribing: Unsubscribing
    hosts: Hosts
    exports: Exports
    status: StatusOfCase
    desk: Desk
    keeper: ExampleKeeper
    catalogues: Sentences
    templates: tuple[Path, ...]
    clock: Callable[[], datetime]
    health: Callable[[], Health]
    open_request: OpenRequest | None = None
    field_names: tuple[str, ...] = ()
