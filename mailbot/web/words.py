"""What kinds, states, fields and places are called when speaking to people. Templates translate them."""

from __future__ import annotations

from collections.abc import Mapping

from mailbot.core.plan import RefusalReason
from mailbot.core.request import Capacity, Kind
from mailbot.core.workflow import State
from mailbot.mail.words import FIELDS, GROUNDS, THINGS, named, request_sentence


def N_(sentence: str) -> str:  # noqa: N802 (gettext's own name for "translate later")
    """The sentence itself; marks it for the catalogues."""
    return sentence


VISITOR_KINDS: Mapping[str, str] = {
    Kind.ACCESS: N_("A copy of the data they left at your events"),
    Kind.PORTABILITY: N_("A copy of the data they left at your events"),
    Kind.CORRECTION: N_("Correct the data they left at your events"),
    Kind.DELETION: N_("Delete the data they left at your events"),
}
"""The same for the host who is asked about a visitor."""

STATES: Mapping[str, str] = {
    State.RECEIVED: N_("We have received it."),
    State.AWAITING_SENDER: N_("We have received it."),
    State.AWAITING_PROOF: N_("It waits for your confirmation: the link is in our mail."),
    State.AWAITING_PLATFORM: N_("We are doing it now. You will get a mail when it is done."),
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
    State.UNTOLD: N_("Done."),
    State.LIFTED: N_("Closed."),
    State.NOT_UNDONE: N_("A person of our team is looking at it and will write to you."),
}

SHORT_STATES: Mapping[str, str] = {
    State.RECEIVED: N_("received"),
    State.AWAITING_SENDER: N_("received"),
    State.AWAITING_PROOF: N_("waits for you"),
    State.AWAITING_PLATFORM: N_("in progress"),
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
    State.UNTOLD: N_("done"),
    State.LIFTED: N_("ended"),
    State.NOT_UNDONE: N_("being looked at"),
}

REFUSALS: Mapping[str, str] = {
    RefusalReason.TAKEN: N_("This value cannot be used. Please choose another."),
    RefusalReason.INVALID: N_("This does not look right. Please check it."),
    RefusalReason.NOT_CHANGEABLE: N_("This cannot be changed."),
    RefusalReason.UNKNOWN_FIELD: N_("We keep no such data."),
    RefusalReason.NOTHING_ON_FILE: N_("There is nothing of this kind on file."),
}

_GOES_ON = N_("We have your yes, and it goes ahead now. You will get a mail when it is done.")


def field_name(name: str) -> str:
    """What a field of the data map is called (a msgid)."""
    return _sentence(named(FIELDS, name))


def place_name(place: str) -> str:
    """What a table or the files of the platform are called for people (a msgid)."""
    return _sentence(named(THINGS, place))


def ground(why: str) -> str:
    """On what ground something is kept (a msgid)."""
    return named(GROUNDS, why)


def request_name(kind: str, capacity: str = Capacity.UNKNOWN) -> str:
    """What is asked, as the letters say it too (a msgid)."""
    return request_sentence(Kind(kind), Capacity(capacity))


def after_yes(state: str, needs_staff: bool) -> str:
    """What happens now that the person said yes to a request that stood in `state`."""
    if state != State.AWAITING_PROOF:
        return STATES[state]
    return STATES[State.AWAITING_STAFF] if needs_staff else _GOES_ON


def hinted(address: str) -> str:
    """Enough of `address` for its owner to know it by: "al…@example.org"."""
    local, _, domain = address.rpartition("@")
    return f"{local[:2]}…@{domain}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
