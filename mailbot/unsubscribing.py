"""Unsubscribing by link, one click, API or account settings, and taking it back. Effective at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from mailbot.advance import PERSON, Advance, Happening
from mailbot.config import Config
from mailbot.core.case import Person
from mailbot.core.message import ParsedMail
from mailbot.core.request import Asked, Capacity, Kind
from mailbot.core.token import address_with, detail_of
from mailbot.core.workflow import Event, State, possible
from mailbot.opening import Opening, open_case
from mailbot.store import cases, suppressions
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Case, Request, Suppression

SHORTEST_LINK = 40
"""No token in a link is shorter."""
ONE_CLICK = "List-Unsubscribe=One-Click"


@dataclass(frozen=True, slots=True)
class Links:
    """What the platform's mailer puts into its mails (RFC 2369, RFC 8058)."""

    url: str
    mailto: str
    list_unsubscribe: str
    list_unsubscribe_post: str = ONE_CLICK


_RECIPIENTS = ("to", "delivered-to", "x-original-to", "envelope-to")


class Unsubscribing:
    """Puts addresses on the suppression list and takes them off, with a case that proves when and how."""

    def __init__(self, store: Store, advance: Advance, config: Config) -> None:
        self._store = store
        self._advance = advance
        self._config = config

    def link(self, address: str) -> Links:
        """The address's own link, the same for ever; nobody else can read or forge it."""
        token = self._store.pseudonyms.link_token(address)
        url = f"{self._config.web.public_url.rstrip('/')}/u/{token}"
        local, _, domain = self._mail_address(address).rpartition("@")
        mailto = f"mailto:{quote(local, safe='+')}@{domain}?subject=unsubscribe%20{token}"
        return Links(url, mailto, f"<{url}>, <{mailto}>")

    def _mail_address(self, address: str) -> str:
        """Where a mail unsubscribes `address`. The token in the subject says whom; the one in the recipient, which
        some programs alone keep, says it of whoever wrote, and lets our server refuse what is not ours."""
        door = self._config.lmtp.unsubscribe_address
        if not door:
            return self._config.controller.privacy_address
        return address_with(door, self._store.pseudonyms.mailto_token(address))

    def address_of(self, token: str) -> str | None:
        """The address a link is for; None when it is none of ours."""
        return self._store.pseudonyms.address_in(token)

    def address_in(self, tx: Transaction, mail: ParsedMail) -> str | None:
        """The address that a mail with one of our unsubscribe links unsubscribes, whoever sent the mail and whether
        or not a machine did (RFC 2369 §3.2); None when it has no link of ours."""
        details = _details(mail, self._config.unsubscribe_address())
        words = [*(word for word in mail.subject.split() if len(word) > SHORTEST_LINK), *details]
        sealed = (tx.pseudonyms.address_in(word) for word in words)
        writers = [one.address for one in mail.from_] if details else []
        meant = (one for one in writers if tx.pseudonyms.mailto_token(one) in map(str.lower, details))
        return next((one for one in (*sealed, *meant) if one), None)

    def status(self, address: str) -> Suppression | None:
        """Since when and how; None when it never was on the list."""
        with self._store.read() as tx:
            return suppressions.status(tx, address)

    def unsubscribe(self, address: str, *, how: str, language: str | None, now: datetime) -> bool:
        """The address gets no promotional mail from now on, durably; False when that was so already."""
        with self._store.begin() as tx:
            return self.accept(tx, address, how=how, language=language, now=now) is not None

    def accept(
        self, tx: Transaction, address: str, *, how: str, language: str | None, now: datetime
    ) -> Case | None:
        """The same within the caller's transaction: the case that records it, or None when it was so already."""
        tx.lock_ledger()  # of two clicks at once one is first
        if suppressions.is_suppressed(tx, address):
            return None
        case, request = self._open(tx, address, language, now)
        suppressions.suppress(tx, address, how=how, by=PERSON, now=now)
        reason = f"unsubscribed by {how}"
        self._advance(tx, case, [Happening(request, Event.UNDERSTOOD_TO_ACT, PERSON, reason)], now)
        return case

    def undo(self, address: str, *, how: str, now: datetime, by: str = PERSON) -> bool:
        """The address gets promotional mail again, because the person asks for it (`by` says who took that down);
        False when it was not on the list."""
        with self._store.begin() as tx:
            tx.lock_ledger()
            row = suppressions.status(tx, address)
            if row is None or row.lifted_at is not None:
                return False
            case, request = cases.last_unsubscribe(tx, address) or self._reopen(tx, address, row.by, now)
            if possible(State(request.state), Event.UNDONE):
                reason = f"taken back by {how}"
                self._advance(tx, case, [Happening(request, Event.UNDONE, by, reason)], now)
            suppressions.lift(tx, address, now)
            return True

    def _reopen(self, tx: Transaction, address: str, by: str, now: datetime) -> tuple[Case, Request]:
        """A case to take back in, where there is none any more: imported, or its retention has ended. It is said to be
        of whoever put the address on the list, where it stands until it is taken back."""
        case, request = self._open(tx, address, None, now)
        reason = "unsubscribed before mailbot or long ago"
        self._advance(tx, case, [Happening(request, Event.UNDERSTOOD_TO_ACT, by, reason)], now)
        return case, request

    def _open(
        self, tx: Transaction, address: str, language: str | None, now: datetime
    ) -> tuple[Case, Request]:
        controller = self._config.controller
        spoken = controller.spoken(language)
        case = open_case(tx, controller, Opening(Person(address), "link", now, spoken), now)
        asked = Asked(Kind.UNSUBSCRIBE, Capacity.UNKNOWN, 1.0)
        return case, cases.add_request(tx, case, asked, 0, now)


def _details(mail: ParsedMail, door: str) -> list[str]:
    """What stands behind the plus sign of `door`. From the raw fields: the token of a link is longer than a local
    part may be (RFC 5321 §4.5.3.1.1), though most servers let it through."""
    words = (re.split(r"[\s<>,;]+", value) for name, value in mail.headers if name in _RECIPIENTS)
    return [found for one in words for word in one if (found := detail_of(word, door))]
