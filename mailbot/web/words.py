"""What kinds, states, fields and places are called when speaking to people. Templates translate them."""

from __future__ import annotations

from collections.abc import Mapping

from mailbot.core.plan import RefusalReason
from mailbot.core.request import Kind
from mailbot.core.workflow import State


def N_(sentence: str) -> str:  # noqa: N802 (gettext's own name for "translate later")
    """The sentence itself; marks it for the catalogues."""
    return sentence


KINDS: Mapping[str, str] = {
    Kind.ACCESS: N_("A copy of your data"),
    Kind.PORTABILITY: N_("Your data in a form you can take elsewhere"),
    Kind.CORRECTION: N_("Correct your data"),
    Kind.DELETION: N_("Delete your data"),
    Kind.RESTRICTION: N_("Limit what your data is used for"),
    Kind.UNSUBSCRIBE: N_("No more promotional mail"),
    Kind.OBJECTION: N_("Your objection to the use of your data"),
    Kind.QUESTION: N_("Your question"),
    Kind.COMPLAINT: N_("Your complaint"),
    Kind.AUTHORITY: N_("Letter of an authority"),
    Kind.OTHER: N_("Your message"),
}

VISITOR_KINDS: Mapping[str, str] = {
    Kind.ACCESS: N_("A copy of the data they left at your events"),
    Kind.PORTABILITY: N_("A copy of the data they left at your events"),
    Kind.CORRECTION: N_("Correct the data they left at your events"),
    Kind.DELETION: N_("Delete the data they left at your events"),
}
"""The same for the host who is asked about a visitor."""

STATES: Mapping[str, str] = {
    State.RECEIVED: N_("We have received it."),
    State.AWAITING_PROOF: N_("It waits for your confirmation: the link is in our mail."),
    State.AWAITING_HOST: N_("We have asked the host of the event and wait for the answer."),
    State.AWAITING_STAFF: N_("A person of our team is looking at it and will write to you."),
    State.AWAITING_INFO: N_("We asked you something by mail and wait for your answer."),
    State.APPLYING: N_("We are doing it now. You will get a mail when it is done."),
    State.AWAITING_FETCH: N_("Your export is ready: the link is in our mail."),
    State.DONE: N_("Done."),
    State.REFUSED: N_("We could not do this. Our mail says why and what you can do."),
    State.WITHDRAWN: N_("Cancelled at your wish. Nothing was changed."),
    State.EXPIRED: N_("Closed, because it was not confirmed in time. You may ask again."),
    State.UNREACHABLE: N_("Our mail to you came back. Please write to us from an address that works."),
    State.DISMISSED: N_("Closed."),
}

SHORT_STATES: Mapping[str, str] = {
    State.RECEIVED: N_("received"),
    State.AWAITING_PROOF: N_("waits for you"),
    State.AWAITING_HOST: N_("waits for the host"),
    State.AWAITING_STAFF: N_("being looked at"),
    State.AWAITING_INFO: N_("waits for you"),
    State.APPLYING: N_("in progress"),
    State.AWAITING_FETCH: N_("ready"),
    State.DONE: N_("done"),
    State.REFUSED: N_("refused"),
    State.WITHDRAWN: N_("cancelled"),
    State.EXPIRED: N_("ended"),
    State.UNREACHABLE: N_("mail came back"),
    State.DISMISSED: N_("closed"),
}

REFUSALS: Mapping[str, str] = {
    RefusalReason.TAKEN: N_("This value cannot be used. Please choose another."),
    RefusalReason.INVALID: N_("This does not look right. Please check it."),
    RefusalReason.NOT_CHANGEABLE: N_("This cannot be changed."),
    RefusalReason.UNKNOWN_FIELD: N_("We keep no such data."),
    RefusalReason.NOTHING_ON_FILE: N_("There is nothing of this kind on file."),
}

_FIELDS: Mapping[str, str] = {
    "email": N_("E-mail address"),
    "name": N_("Name"),
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "phone": N_("Phone"),
    "job_title": N_("Job title"),
    "company": N_("Company"),
    "address": N_("Postal address"),
    "vat_number": N_("VAT number"),
    "skype": N_("Skype name"),
    "city": N_("City"),
    "country": N_("Country"),
    "language": N_("Language"),
}

_PLACES: Mapping[str, str] = {
    "accounts": N_("Account"),
    "former_emails": N_("Earlier e-mail addresses"),
    "companies": N_("Company details"),
    "webinars": N_("Webinars"),
    "registrations": N_("Registrations for events"),
    "chat_messages": N_("Chat messages"),
    "uploads": N_("Uploads"),
    "sessions": N_("Logins"),
    "visits": N_("Visits"),
    "newsletter_subscribers": N_("Newsletter"),
    "payments": N_("Payments"),
}

_FILES = N_("Files")
_GOES_ON = N_("We have your yes, and it goes ahead now. You will get a mail when it is done.")


def field_name(name: str) -> str:
    """What a field of the data map is called; its own name, made readable, where we have no word for it."""
    return _FIELDS.get(name, _readable(name))


def place_name(place: str) -> str:
    """What a table of the platform is called for people; "files:table.column" is files."""
    if place.startswith("files:"):
        return _FILES
    return _PLACES.get(place, _readable(place))


def after_yes(state: str, needs_staff: bool) -> str:
    """What happens now that the person said yes to a request that stood in `state`."""
    if state != State.AWAITING_PROOF:
        return STATES[state]
    return STATES[State.AWAITING_STAFF] if needs_staff else _GOES_ON


def hinted(address: str) -> str:
    """Enough of `address` for its owner to know it by: "al…@example.org"."""
    local, _, domain = address.rpartition("@")
    return f"{local[:2]}…@{domain}"


def _readable(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()
