"""Very many mails for staff from one domain: kept as one case, shown as one line, unanswered, until staff decide.

The first of them go the usual way. The case of the flood belongs to nobody; staff let its mails in, each as if it had
just come, or close it as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.advance import MAILBOT, Advance, Happening
from mailbot.config import Controller
from mailbot.core.case import Person
from mailbot.core.decide import Decision
from mailbot.core.domains import organisation
from mailbot.core.policy import Policy
from mailbot.core.request import Asked, Capacity, Kind
from mailbot.core.sender import Verdict
from mailbot.core.workflow import Event
from mailbot.opening import Opening, open_case
from mailbot.reading import Reading
from mailbot.store import cases, messages, works
from mailbot.store.database import Group, Transaction
from mailbot.store.tables import Case
from mailbot.store.works import WorkKind

CHANNEL = "flood"
_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Floods:
    """Counts and gathers. The count is of the last hour, by organisational domain, forged mails apart."""

    advance: Advance
    policy: Policy
    controller: Controller

    def group_of(self, tx: Transaction, reading: Reading) -> bytes | None:
        """The group that a mail for staff counts in; None for all others, and for authorities' and lawyers' letters."""
        sender, is_forged = reading.sender, reading.sender.verdict == Verdict.FORGED
        if reading.decided.decision != Decision.REVIEW or (reading.understanding.formal and not is_forged):
            return None
        domain = organisation(sender.domain or "") or sender.domain or ""
        return tx.pseudonyms.text("flood-forged" if is_forged else "flood", domain)

    def joined(self, tx: Transaction, group: bytes, reading: Reading, now: datetime) -> Case | None:
        """The case of the flood that this mail, which is about to be stored, belongs to; None while there is none."""
        known = _known(tx, group, now)
        known.mails += 1
        caps = self.policy.caps
        is_forged = reading.sender.verdict == Verdict.FORGED
        cap = caps.forged_mails_of_one_domain_an_hour if is_forged else caps.staff_mails_of_one_domain_an_hour
        if known.flood is not None:
            self._count(tx, cases.locked(tx, known.flood.id))
        elif known.mails > cap:
            known.flood = self._open(tx, group, reading, now)
        return known.flood

    def _open(self, tx: Transaction, group: bytes, reading: Reading, now: datetime) -> Case:
        person = Person(None, reading.sender.domain or "", "", "")
        case = open_case(tx, self.controller, Opening(person, CHANNEL, now, None, answerable=False), now)
        case.address_hash = group
        request = cases.add_request(tx, case, Asked(Kind.OTHER, Capacity.UNKNOWN, 1.0), 0, now)
        self.advance(tx, case, [Happening(request, Event.UNDERSTOOD_SUSPECT, MAILBOT, _reason(1))], now)
        return case

    def _count(self, tx: Transaction, case: Case) -> None:
        """The line in the queue says how many mails there are, with the one that is about to join."""
        for request in cases.requests_of(tx, case.id):
            request.reason = _reason(messages.count_of_case(tx, case.id) + 1)


def _known(tx: Transaction, group: bytes, now: datetime) -> Group:
    """The group as it stood when this transaction first met it, and with what came since."""
    if group not in tx.known.groups:
        mails = messages.count_of_group(tx, group, now - _WINDOW)
        tx.known.groups[group] = Group(mails, cases.open_of_group(tx, group))
    return tx.known.groups[group]


def let_in(tx: Transaction, case: Case, now: datetime) -> None:
    """Each mail of the flood will be taken in as if it had just come."""
    for message in messages.of_case(tx, case.id):
        works.add(tx, WorkKind.LET_IN, case_id=case.id, message_id=message.id, now=now)


def _reason(mails: int) -> str:
    return f"a flood: {mails} mail{'s' if mails > 1 else ''} from one domain, held; let them in or close them"
