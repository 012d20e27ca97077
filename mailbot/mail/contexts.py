"""What each letter needs to know: one frozen context for each template pair in templates/mail.

Letters sent before control is proven have no `name`: nothing in them may show whether an address is
known, or repeat what a stranger wrote. Links are absolute URLs of ours. Instants are aware.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import ClassVar

from mailbot.core.deadlines import Deadline
from mailbot.core.request import Capacity, Kind
from mailbot.core.result import Changed, Gone, Kept
from mailbot.core.telling import NewValue


@dataclass(frozen=True, slots=True)
class Authority:
    """A data protection supervisory authority (GDPR Art. 51)."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Controller:
    """Who writes, as shown in every letter. `authority` None: the one of `country`."""

    name: str
    legal_name: str
    address: str
    country: str
    timezone: tzinfo
    privacy_address: str
    policy_url: str
    policy_version: str
    profile_url: str
    payment_processors: tuple[str, ...] = ("Paysera", "PayPal")
    authority: Authority | None = None


class VisitorAction(StrEnum):
    """What a webinar visitor may do with the data they left (policy §3.5)."""

    SEE = "see"
    ADD = "add"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request as the letter names it. `fields` are data map names, never values."""

    kind: Kind
    capacity: Capacity
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """One webinar where a visitor left data, and who organised it."""

    event: str
    held_on: date
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every letter has. `status_link` is the person's own page of the case, or empty."""

    template: ClassVar[str]
    reference: str
    status_link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven(Context):
    """A letter to somebody whose control of the address is proven; `name` is as on file, or empty."""

    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(Context):
    """Asks the address on file to prove control. `answer_by_mail`: a "yes" by mail counts."""

    template: ClassVar[str] = "confirm"
    requests: tuple[RequestLine, ...]
    link: str
    expires: datetime
    due: date
    answer_by_mail: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmReminder(Context):
    """Reminds of a confirmation asked for on `asked_on`; `last` is the final reminder."""

    template: ClassVar[str] = "confirm_reminder"
    requests: tuple[RequestLine, ...]
    link: str
    asked_on: date
    expires: datetime
    last: bool
    answer_by_mail: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAddress(Context):
    """Asks a new e-mail address to prove that it belongs to the person who asked for it."""

    template: ClassVar[str] = "confirm_address"
    link: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Context):
    """Nobody confirmed; the requests are closed and nothing was changed."""

    template: ClassVar[str] = "expired"
    requests: tuple[RequestLine, ...]
    asked_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Context):
    """The person took the requests back."""

    template: ClassVar[str] = "withdrawn"
    requests: tuple[RequestLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Context):
    """Staff will look. `requests` is what was understood, if anything."""

    template: ClassVar[str] = "received"
    deadline: Deadline
    requests: tuple[RequestLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribed(Context):
    """No more promotional mail; can be taken back by `undo_link`."""

    template: ClassVar[str] = "unsubscribed"
    undo_link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resubscribed(Context):
    """The unsubscription was taken back."""

    template: ClassVar[str] = "resubscribed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(Proven):
    """Fields were changed and read back."""

    template: ClassVar[str] = "corrected"
    changes: tuple[Changed, ...]
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted(Proven):
    """The account or data is gone, and read back as gone."""

    template: ClassVar[str] = "deleted"
    deleted_at: datetime
    gone: tuple[Gone, ...] = ()
    kept: tuple[Kept, ...] = ()
    told: tuple[str, ...] = ()
    """Recipients of the data that are told, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restricted(Proven):
    """The data is not used any more (Art. 18), or not for what the person objects to (Art. 21); read back."""

    template: ClassVar[str] = "restricted"
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted(Proven):
    """What was restricted or objected to ends on a day, for the reason in `text` (Art. 18(3))."""

    template: ClassVar[str] = "lifted"
    text: str
    ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingFound(Context):
    """Control is proven, and there is no data under this address."""

    template: ClassVar[str] = "nothing_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReady(Proven):
    """A copy of the data waits behind `link`."""

    template: ClassVar[str] = "export_ready"
    link: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorDone(Proven):
    """A visitor's request was carried out at `places`. For `see`, `link` leads to the data until `expires`."""

    template: ClassVar[str] = "visitor_done"
    action: VisitorAction
    places: tuple[Place, ...]
    fields: tuple[str, ...] = ()
    link: str = ""
    expires: datetime | None = None
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostInformed(Proven):
    """Tells a host what was done with a visitor's data. `visitor` is the address in the host's own list.
    `own_wish`: the host had asked for it."""

    template: ClassVar[str] = "host_informed"
    action: VisitorAction
    visitor: str
    events: tuple[Place, ...]
    done_on: date
    fields: tuple[str, ...] = ()
    own_wish: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAsked(Proven):
    """Asks a host to decide about a visitor's request by `answer_by`."""

    template: ClassVar[str] = "host_asked"
    action: VisitorAction
    visitor: str
    events: tuple[Place, ...]
    link: str
    answer_by: date
    fields: tuple[str, ...] = ()
    reminder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Proven):
    """Staff refused, with the reason in `text`; the letter names the ways to complain (Art. 12(4))."""

    template: ClassVar[str] = "refused"
    text: str
    requests: tuple[RequestLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffReply(Proven):
    """What a member of staff wrote in `text`."""

    template: ClassVar[str] = "staff_reply"
    text: str
    signed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended(Proven):
    """Two further months are needed, for the reason in `text` (Art. 12(3))."""

    template: ClassVar[str] = "extended"
    text: str
    first_due: date
    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChanged(Proven):
    """Told to the old address: another has taken its place. The new one is not named."""

    template: ClassVar[str] = "address_changed"
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientTold(Context):
    """Asks a recipient of the data to delete or correct it, too (Art. 19). `number` stays the same for ever."""

    template: ClassVar[str] = "recipient_told"
    kind: Kind
    identifiers: tuple[str, ...]
    changes: tuple[NewValue, ...] = ()
    number: str


CONTEXTS: tuple[type[Context], ...] = (
    *(Confirm, ConfirmReminder, ConfirmAddress, Expired, Withdrawn, Received, Unsubscribed, Resubscribed),
    *(
        Corrected,
        Deleted,
        Restricted,
        Lifted,
        NothingFound,
        ExportReady,
        VisitorDone,
        HostInformed,
        HostAsked,
    ),
    *(Refused, StaffReply, Extended, AddressChanged, RecipientTold),
)
