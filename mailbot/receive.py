"""One raw mail becomes one message with one disposition, and events for requests; then, and only then, it is moved.

Identity is three-fold: place on the server (mailbox, UIDVALIDITY, UID), Message-ID, hash of the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from mailbot.advance import Advance
from mailbot.config import Controller
from mailbot.core.answer import Answer, AnswerRules, read_answer
from mailbot.core.automatic import Automatic
from mailbot.core.case import Person
from mailbot.core.message import ParsedMail, Unreadable
from mailbot.core.policy import Policy
from mailbot.core.sender import Verdict
from mailbot.core.token import Purpose, token_in
from mailbot.core.workflow import State
from mailbot.floods import Floods
from mailbot.mail.inbox import Arrived, Inbox, TooLarge, Unfetchable
from mailbot.opening import Opening, open_case
from mailbot.reading import SURE_OF_LANGUAGE, Reader, Reading, unreadable_json
from mailbot.reading_ahead import ReadingAhead
from mailbot.resources import ResourceTrouble
from mailbot.returned import Returned
from mailbot.senders import judge_later
from mailbot.settling import Settling
from mailbot.store import cases, letters, messages, tokens, works
from mailbot.store.database import Store, Transaction
from mailbot.store.messages import Incoming, Place, Stored
from mailbot.store.tables import Case, Message, Work
from mailbot.store.works import WorkKind
from mailbot.targets import Targets
from mailbot.understood import Understood, sealed_reading
from mailbot.unsubscribing import Unsubscribing

_log = structlog.get_logger()

_LET_IN_BATCH = 20
CASE, IGNORED, QUARANTINED = "case", "ignored", "quarantined"


@dataclass(slots=True)
class Intake:
    """What was taken in, counted for `mailbot run --json` and the metrics."""

    received: int = 0
    duplicates: int = 0
    quarantined: int = 0
    cases_opened: int = 0


@dataclass(frozen=True, slots=True)
class _Read:
    incoming: Incoming
    reading: Reading | Unreadable


@dataclass(slots=True)
class Receive:
    """Takes mails in. `clock` gives aware UTC times."""

    store: Store
    reader: Reader
    advance: Advance
    targets: Targets
    settling: Settling
    unsubscribing: Unsubscribing
    policy: Policy
    returned: Returned
    understood: Understood
    floods: Floods
    controller: Controller
    answers: AnswerRules
    clock: Callable[[], datetime]
    count: Intake = field(default_factory=Intake)
    ahead: ReadingAhead | None = None

    def expect(self, mails: Sequence[Arrived | TooLarge | Unfetchable]) -> None:
        """These mails are the next batch."""
        if self.ahead is not None:
            self.ahead.expect([_incoming(mail) for mail in mails if isinstance(mail, Arrived)], self.clock())

    def batch(self, inbox: Inbox, arrived: Sequence[Arrived | TooLarge | Unfetchable]) -> None:
        """Every mail of the batch is stored and then moved; one that cannot be stored stays where it is."""
        dispositions = self.take([_incoming(mail) for mail in arrived if not isinstance(mail, Unfetchable)])
        by_uid = {place.uid: disposition for place, disposition in dispositions.items()}
        for folder, wanted in (
            (inbox.settings.processed_folder, False),
            (inbox.settings.quarantine_folder, True),
        ):
            uids = [uid for uid, one in by_uid.items() if (one == QUARANTINED) is wanted]
            if uids:
                inbox.move(uids, folder)

    def take(self, incomings: Sequence[Incoming]) -> dict[Place, str]:
        """The disposition of each mail that is now stored, by its place on the server."""
        fresh, known, twins = self._sift(incomings)
        now = self.clock()
        read = [_Read(incoming, self._read(incoming, now)) for incoming in fresh]
        stored = {place: how for place, how in self._store_all(read, now).items() if place}
        copies = self._sift(twins)[1] if twins else {}
        return {**known, **stored, **copies}

    def take_pushed(self, incoming: Incoming) -> None:
        """A mail pushed in by LMTP is stored; raises when it could not be, so that the sender keeps it."""
        fresh, _, _ = self._sift([incoming])
        now = self.clock()
        for one in fresh:
            self._store_apart(_Read(one, self._read(one, now)), now)

    def _sift(self, incomings: Sequence[Incoming]) -> tuple[list[Incoming], dict[Place, str], list[Incoming]]:
        """The mails not stored yet; the dispositions of those that are (a crash before the move, or the same
        bytes delivered again); and those with the same bytes as one of the first."""
        places = [incoming.place for incoming in incomings if incoming.place]
        hashes = [incoming.content_hash for incoming in incomings]
        with self.store.read() as tx:
            seen = messages.known_places(tx, places)
            stored = messages.by_content(tx, hashes)
        fresh: dict[bytes, Incoming] = {}
        twins: list[Incoming] = []
        new_places: list[tuple[Place, Stored | None]] = []
        for incoming in incomings:
            place, digest = incoming.place, incoming.content_hash
            if place and (place not in seen or seen[place].content_hash != digest):
                # A place that held other bytes: the server gave a UID twice, and this mail is a new one.
                new_places += [(place, stored.get(digest))] if place in seen or digest in stored else []
            if digest not in stored and digest in fresh:
                twins.append(incoming)
            elif digest not in stored:
                fresh[digest] = incoming
        self._note_places(new_places)
        known = {
            one.place: stored[one.content_hash].disposition
            for one in incomings
            if one.place and one.content_hash in stored
        }
        self.count.duplicates += len(incomings) - len(fresh) - len(twins)
        return list(fresh.values()), known, twins

    def _note_places(self, places: Sequence[tuple[Place, Stored | None]]) -> None:
        """What stands at these places now is known; of a fresh mail it will be when it is stored."""
        if not places:
            return
        with self.store.begin() as tx:
            for place, stored in places:
                messages.forget_place(tx, place)
                if stored:
                    messages.sight(tx, place, stored.message_id, self.clock())

    def _read(self, incoming: Incoming, now: datetime) -> Reading | Unreadable:
        if incoming.source == "too_large":
            return Unreadable("larger than max_message_bytes; only its head was taken in")
        read = self.ahead.reading(incoming) if self.ahead else None
        if read is not None:
            return read
        try:
            return self.reader.read(incoming.raw, now)
        except ResourceTrouble:  # a broken rulebook is not the mail's fault: it stays on the server
            raise
        except Exception as error:  # noqa: BLE001  # one such mail must not stand in the way of the next
            _log.error("a mail could not be read", error=type(error).__name__)
            return Unreadable(f"reading it failed ({type(error).__name__})")

    def _store_all(self, read: Sequence[_Read], now: datetime) -> dict[Place | None, str]:
        """All in one transaction where possible; answers to tokens ask the platform first, so go alone."""
        together = [one for one in read if not self._token_of(one.reading)]
        apart = [one for one in read if self._token_of(one.reading)]
        stored: dict[Place | None, str] = {}
        before = replace(self.count)
        try:
            with self.store.begin() as tx:
                _look_ahead(tx, together, now)
                stored.update({one.incoming.place: self._store(tx, one, now) for one in together})
        except Exception as error:  # noqa: BLE001  # one bad mail must not hold up the other 49
            _log.warning(
                "a batch could not be stored at once; storing one by one", error=type(error).__name__
            )
            self.count = before
            stored, apart = {}, list(read)
        for one in apart:
            stored[one.incoming.place] = self._store_apart(one, now)
        return stored

    def _store_apart(self, one: _Read, now: datetime) -> str:
        before = replace(self.count)
        try:
            return self._answer_token(one, now) or self._store_alone(one, now)
        except (OperationalError, InterfaceError):  # the database fails, not the mail: it stays on the server
            self.count = before
            raise
        except Exception as error:  # noqa: BLE001  # quarantined; if even that fails, the caller hears
            self.count = before
            fresh, known, _ = self._sift([one.incoming])
            if not fresh:  # another process watches the same mailbox and was quicker
                return known.get(one.incoming.place, CASE) if one.incoming.place else CASE
            _log.error("a mail could not be handled", error=type(error).__name__)
            reason = Unreadable(f"handling it failed ({type(error).__name__})")
            return self._store_alone(_Read(one.incoming, reason), now)

    def _store_alone(self, one: _Read, now: datetime) -> str:
        with self.store.begin() as tx:
            return self._store(tx, one, now)

    def _store(self, tx: Transaction, one: _Read, now: datetime) -> str:
        self.count.received += 1
        match one.reading:
            case Unreadable(reason=reason):
                return self._quarantine(tx, one.incoming, reason, now)
            case Reading() as reading if address := self.unsubscribing.address_in(tx, reading.mail):
                return self._store_link(tx, one.incoming, reading, address, now)
            case Reading(automatic=None) as reading:
                return self._store_letter(tx, one.incoming, reading, now)
            case reading:
                return self._store_automatic(tx, one.incoming, reading, now)

    def _quarantine(self, tx: Transaction, incoming: Incoming, reason: str, now: datetime) -> str:
        self.count.quarantined += 1
        key_id, seal = tx.new_key()
        message = messages.save(
            tx, incoming, key_id=key_id, case=None, disposition=QUARANTINED, reason=reason, now=now
        )
        message.sealed_reading = seal.seal(_dump(unreadable_json("", reason)), "message.reading")
        messages.destroy_after(tx, key_id, self.policy.retention.closed_case_days, now)
        return QUARANTINED

    def _store_link(
        self, tx: Transaction, incoming: Incoming, reading: Reading, address: str, now: datetime
    ) -> str:
        """A mail to the mailto address of an unsubscribe link, mostly by a mail program for its user."""
        language = reading.language.language
        case = self.unsubscribing.accept(tx, address, how="mailto", language=language, now=now)
        if case is not None:
            self.count.cases_opened += 1
            self._save(tx, incoming, reading, case.key_id, case, CASE, "", now)
            return CASE
        key_id, _ = tx.new_key()
        self._save(tx, incoming, reading, key_id, None, IGNORED, "unsubscribed already", now)
        messages.destroy_after(tx, key_id, self.policy.retention.ignored_mail_days, now)
        return IGNORED

    def _store_automatic(self, tx: Transaction, incoming: Incoming, reading: Reading, now: datetime) -> str:
        """Recorded, never answered. Bounces and complaints mean something for what we sent."""
        kind = reading.automatic.kind if reading.automatic else None
        if kind == Automatic.FEEDBACK_REPORT:
            case = self.returned.complaint(tx, incoming, reading, now)
            if case is not None:
                self._save(tx, incoming, reading, case.key_id, case, CASE, "", now)
                return CASE
        if kind == Automatic.BOUNCE:
            self.returned.bounce(tx, incoming, reading, now)
        reason = f"{kind}: {reading.automatic.reason}" if reading.automatic else ""
        key_id, _ = tx.new_key()
        self._save(tx, incoming, reading, key_id, None, IGNORED, reason, now)
        messages.destroy_after(tx, key_id, self.policy.retention.ignored_mail_days, now)
        return IGNORED

    def _store_letter(self, tx: Transaction, incoming: Incoming, reading: Reading, now: datetime) -> str:
        joined = self._case_to_join(tx, reading)
        group = None if joined else self.floods.group_of(tx, reading)
        flood = self.floods.joined(tx, group, reading, now) if group else None
        case = joined or flood or self._open(tx, incoming, reading, now)
        message = self._save(tx, incoming, reading, case.key_id, case, CASE, "", now)
        message.group_hash = group
        if flood is None:
            self.advance(tx, case, self.understood.happenings(tx, case, reading, now), now)
            judge_later(tx, case, message, reading, now)
        return CASE

    def let_in_due(self) -> int:
        """A few mails that were held in a flood are taken in; returns 0 when none was due."""
        with self.store.begin() as tx:
            claimed = works.claim(tx, [WorkKind.LET_IN], self.clock(), _LET_IN_BATCH)
            raws = {work.id: messages.raw_of(tx, _message_of(tx, work)) for work in claimed}
        for work in claimed:
            read = self.reader.read(raws[work.id], self.clock())
            with self.store.begin() as tx:
                self._let_in(tx, tx.session.get_one(Work, work.id), read)
        return len(claimed)

    def _let_in(self, tx: Transaction, work: Work, reading: Reading | Unreadable) -> None:
        """As `_store_letter`, for a mail that is stored already."""
        if work.done_at is not None or isinstance(reading, Unreadable):
            return
        now, message = self.clock(), _message_of(tx, work)
        incoming = Incoming(b"", message.received_at, message.source)
        case = self._case_to_join(tx, reading) or self._open(tx, incoming, reading, now)
        messages.move(tx, message, case)
        message.sealed_reading = sealed_reading(tx, case.key_id, reading)
        self.advance(tx, case, self.understood.happenings(tx, case, reading, now), now)
        judge_later(tx, case, message, reading, now)
        works.finish(work, now)

    def _case_to_join(self, tx: Transaction, reading: Reading) -> Case | None:
        """The case this letter belongs to: an answer in the thread of one of our letters to this very sender,
        or the same thing asked again while proof of it is awaited. The reference in a subject proves nothing."""
        address, mail = reading.sender.address, reading.mail
        if address is None or reading.sender.verdict == Verdict.FORGED or reading.relayed:
            return None
        thread = cases.of_thread(tx, [one for one in (mail.in_reply_to, *mail.references) if one], address)
        if thread:
            return cases.locked(tx, thread.id)
        kinds = {asked.kind for asked in reading.understanding.asked}
        for case in cases.open_of_address(tx, address):
            waiting = [
                one.kind for one in cases.requests_of(tx, case.id) if one.state == State.AWAITING_PROOF
            ]
            if case.answerable and kinds and kinds <= set(waiting):
                return cases.locked(tx, case.id)
        return None

    def _open(self, tx: Transaction, incoming: Incoming, reading: Reading, now: datetime) -> Case:
        mail, sender, guess = reading.mail, reading.sender, reading.language
        name = mail.from_[0].name if len(mail.from_) == 1 else ""
        address = sender.address
        if reading.relayed:
            name, address = reading.relayed.name, reading.relayed.address
        person = Person(address, name, mail.subject, mail.message_id, mail.references[-10:])
        self.count.cases_opened += 1
        is_plain = sender.address is not None and sender.verdict != Verdict.FORGED
        is_answerable = is_plain and reading.relayed is None
        is_sure = guess.confidence >= SURE_OF_LANGUAGE
        spoken = guess.language if is_sure else None
        opening = Opening(person, "mail", incoming.received_at, spoken, is_answerable)
        return open_case(tx, self.controller, opening, now)

    def _save(
        self,
        tx: Transaction,
        incoming: Incoming,
        reading: Reading,
        key_id: UUID,
        case: Case | None,
        disposition: str,
        reason: str,
        now: datetime,
    ) -> Message:
        known = Incoming(
            incoming.raw,
            incoming.received_at,
            incoming.source,
            incoming.place,
            reading.mail.message_id,
            reading.sender.address,
        )
        message = messages.save(
            tx, known, key_id=key_id, case=case, disposition=disposition, reason=reason, now=now
        )
        message.sealed_reading = sealed_reading(tx, key_id, reading)
        return message

    def _token_of(self, reading: Reading | Unreadable) -> str | None:
        """The token in the address a person answered to; machines' answers never count."""
        if isinstance(reading, Unreadable) or reading.automatic:
            return None
        privacy = self.controller.privacy_address
        found = (token_in(address, privacy) for address in _addresses(reading.mail))
        return next((token for token in found if token), None)

    def _answer_token(self, one: _Read, now: datetime) -> str | None:
        """An answer to a confirmation is stored and acted on; None when the token is none of ours."""
        token = self._token_of(one.reading)
        if token is None or isinstance(one.reading, Unreadable):
            return None
        reading = one.reading
        with self.store.read() as tx:
            row = tokens.find(tx, token, Purpose.CONFIRM, now)
            is_theirs = row is not None and _is_from(tx, reading, row.address_hash)
        if row is None:
            return None
        answer = (
            read_answer(reading.new_text, self.answers, _name_of(reading)) if is_theirs else Answer.UNCLEAR
        )
        prepared = self.targets.of_token(token, {}, now) if answer == Answer.YES else None
        with self.store.begin() as tx:
            case = cases.locked(tx, row.case_id)
            self.count.received += 1
            self._save(tx, one.incoming, reading, case.key_id, case, CASE, "", now)
            if prepared:
                self.settling.confirmed(tx, prepared, now)
            else:
                self.settling.otherwise(tx, token, answer, now, is_theirs=is_theirs)
        return CASE


def _look_ahead(tx: Transaction, read: Sequence[_Read], now: datetime) -> None:
    """What storing will ask about the senders of these mails is asked for all of them at once."""
    senders = {one.reading.sender.address for one in read if isinstance(one.reading, Reading)}
    addresses = [address for address in senders if address]
    cases.look_ahead(tx, addresses)
    letters.look_ahead(tx, addresses, now)


def _is_from(tx: Transaction, reading: Reading, address_hash: bytes | None) -> bool:
    sender = reading.sender
    if sender.address is None or sender.verdict == Verdict.FORGED or address_hash is None:
        return False
    return tx.pseudonyms.address(sender.address) == address_hash


def _name_of(reading: Reading) -> str:
    """Display name and address of whoever wrote: what may stand below a short answer."""
    return " ".join(f"{one.name} {one.address}" for one in reading.mail.from_)


def _incoming(mail: Arrived | TooLarge) -> Incoming:
    where = mail.location
    place = Place(where.mailbox, where.uidvalidity, where.uid)
    match mail:
        case Arrived():
            return Incoming(mail.raw, mail.internal_date, "imap", place)
        case TooLarge():
            return Incoming(mail.head, mail.internal_date, "too_large", place)


def _addresses(mail: ParsedMail) -> list[str]:
    return [recipient.address for recipient in mail.recipients]


def _dump(line: dict[str, object]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace")


def _message_of(tx: Transaction, work: Work) -> Message:
    return tx.session.get_one(Message, work.message_id)
