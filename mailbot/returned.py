"""Mail that comes back: bounces of our letters, and complaints about mail of ours or of the platform's mailer.

Only secrets of that very mail count: the token in the envelope address of a letter, the sealed address in an
unsubscribe link. Whoever forges a bounce or a complaint achieves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.advance import MAILBOT, Advance, Happening
from mailbot.config import Controller
from mailbot.core.bounce import Finality, read_bounce
from mailbot.core.case import Person
from mailbot.core.complaint import read_complaint
from mailbot.core.request import Asked, Capacity, Kind
from mailbot.core.workflow import Event, State, possible
from mailbot.letters import letter_of_bounce
from mailbot.mail.contexts import RecipientTold
from mailbot.opening import Opening, open_case
from mailbot.reading import Reading
from mailbot.recipients import note_failed
from mailbot.store import cases, tellings, works
from mailbot.store.database import Transaction
from mailbot.store.messages import Incoming
from mailbot.store.tables import Case, Letter, Request
from mailbot.store.works import WorkKind
from mailbot.unsubscribing import Unsubscribing

SEND_AGAIN_AFTER = timedelta(days=1)
SENT_AT_MOST = 3
"""Times that one letter is sent, when each time another server gives up on trouble that may pass."""


@dataclass(frozen=True, slots=True)
class Returned:
    """Deals with what comes back, within the transaction that stores it."""

    advance: Advance
    unsubscribing: Unsubscribing
    controller: Controller
    bounce_address: str

    def bounce(self, tx: Transaction, incoming: Incoming, reading: Reading, now: datetime) -> None:
        """A final bounce of one of our letters makes its requests unreachable; after one on passing trouble the
        letter is sent again; a delay is noted."""
        addresses = [one.address for one in reading.mail.recipients]
        letter = letter_of_bounce(tx, addresses, self.bounce_address)
        if letter is None:
            return
        delivery = read_bounce(reading.mail, incoming.raw)
        letter.last_answer = f"bounce: {delivery}"
        case = cases.locked(tx, letter.case_id)
        event = _event_of(letter)
        waiting = _waiting(cases.requests_of(tx, case.id), letter, event)
        if not waiting or delivery.finality in (Finality.DELAYED, Finality.UNKNOWN):
            return
        if delivery.finality == Finality.TEMPORARY and _send_again(tx, letter, now):
            return
        reason = f"the letter '{letter.template}' bounced ({delivery})"
        told = tellings.of_letter(tx, letter.id) if event == Event.RECIPIENT_FAILED else None
        if told is not None:
            reason = note_failed(tx, told, reason, now)
        self.advance(tx, case, [Happening(one, event, MAILBOT, reason) for one in waiting], now)

    def complaint(self, tx: Transaction, incoming: Incoming, reading: Reading, now: datetime) -> Case | None:
        """Whoever called our mail spam gets no promotional mail any more. What cannot be laid to an address is for
        staff: their case. None where there is nothing more to do."""
        complaint = read_complaint(reading.mail, incoming.raw)
        if complaint is None:
            return None
        found = (tx.pseudonyms.address_in(token) for token in complaint.tokens)
        address = next((one for one in found if one), None)
        if address is not None:
            return self.unsubscribing.accept(tx, address, how="complaint", language=None, now=now)
        return self._for_staff(tx, incoming, reading, now)

    def _for_staff(self, tx: Transaction, incoming: Incoming, reading: Reading, now: datetime) -> Case:
        """One open case for all complaints of one reporter, who is never answered."""
        reporter = reading.sender.address
        present = cases.open_of_address(tx, reporter) if reporter else []
        joined = next((one for one in present if not one.answerable), None)
        if joined is not None:
            return joined
        person = Person(reporter, "", reading.mail.subject, reading.mail.message_id)
        opening = Opening(person, "mail", incoming.received_at, None, answerable=False)
        case = open_case(tx, self.controller, opening, now)
        asked = Asked(Kind.COMPLAINT, Capacity.UNKNOWN, 1.0)
        request = cases.add_request(tx, case, asked, 0, now)
        reason = "a mailbox provider passes on a complaint about a mail that names nobody"
        self.advance(tx, case, [Happening(request, Event.UNDERSTOOD_SUSPECT, MAILBOT, reason)], now)
        return case


def _event_of(letter: Letter) -> Event:
    """A recipient of the data who cannot be reached is another matter than the person who cannot."""
    return Event.RECIPIENT_FAILED if letter.template == RecipientTold.template else Event.BOUNCED


def _waiting(requests: Sequence[Request], letter: Letter, event: Event) -> list[Request]:
    """The requests that the letter was about and that its bounce means something for."""
    return [
        one for one in requests if letter.request_id in (None, one.id) and possible(State(one.state), event)
    ]


def _send_again(tx: Transaction, letter: Letter, now: datetime) -> bool:
    """The same bytes go out again tomorrow; False when that was tried often enough."""
    if letter.state == "sent" and works.count_of_letter(tx, letter.id) < SENT_AT_MOST:
        letter.state = "queued"
        due = now + SEND_AGAIN_AFTER
        works.add(tx, WorkKind.SEND, case_id=letter.case_id, letter_id=letter.id, now=now, due=due)
        return True
    return letter.state == "queued"
