"""What each letter of a case says: which context a step calls for, to whom it goes, which token it carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from mailbot.config import Config
from mailbot.core.address import normalise
from mailbot.core.deadlines import Deadline, legal_deadline, received_on
from mailbot.core.plan import Subject
from mailbot.core.policy import Policy
from mailbot.core.request import Capacity, Kind
from mailbot.core.result import Result
from mailbot.core.token import Purpose
from mailbot.core.workflow import LIFT_NOTICE, Effect
from mailbot.mail.contexts import (
    AddressChanged,
    Confirm,
    ConfirmAddress,
    ConfirmReminder,
    Context,
    Corrected,
    Deleted,
    Expired,
    ExportReady,
    Extended,
    HostAsked,
    HostInformed,
    Lifted,
    NothingFound,
    Received,
    Refused,
    RequestLine,
    Restricted,
    Resubscribed,
    StaffReply,
    Unsubscribed,
    VisitorAction,
    VisitorDone,
    Withdrawn,
)
from mailbot.mail.contexts import Place as PlaceLine
from mailbot.store import cases, tellings, tokens
from mailbot.store.database import Transaction
from mailbot.store.tables import Case, Request

_STATUS_DAYS = 120
_TO_WRITER = (Effect.TELL_EXPIRED, Effect.TELL_REFUSED, Effect.SEND_ANSWER, Effect.TELL_RESUBSCRIBED)
_VISITOR_ACTIONS = {
    Kind.ACCESS: VisitorAction.SEE,
    Kind.PORTABILITY: VisitorAction.SEE,
    Kind.CORRECTION: VisitorAction.CHANGE,
    Kind.DELETION: VisitorAction.DELETE,
}


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a letter is written: one request, what staff said, and another address where it goes elsewhere."""

    request: Request
    note: str = ""
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter before it is rendered: to whom, in which languages, answered by which token."""

    context: Context
    to: str
    languages: tuple[str, ...]
    reply_token: str = ""
    request_id: UUID | None = None
    by_hand: bool = False
    """Written by staff, or to a recipient of the data: neither capped nor withheld."""


class Drafting:
    """Everything one letter of one case is made from."""

    def __init__(self, config: Config, policy: Policy, tx: Transaction, case: Case, now: datetime) -> None:
        self._config = config
        self._tx = tx
        self._case = case
        self._person = cases.person_of(tx, case)
        self._now = now
        self._web = config.web.public_url.rstrip("/")
        self._patience = policy.patience
        fallback = config.controller.fallback_language
        self.languages = (case.language, fallback) if case.bilingual else (case.language,)

    def drafts(self, effect: Effect, occasions: Sequence[Occasion]) -> list[Draft]:
        """The letters of one effect, in the order they are sent."""
        match effect:
            case Effect.ASK_HOST | Effect.REMIND_HOST | Effect.INFORM_HOST:
                return [draft for one in occasions for draft in self._to_host(effect, one)]
            case Effect.ASK_PROOF_ELSEWHERE:
                return [draft for one in occasions for draft in self._ask_elsewhere(one)]
            case Effect.TELL_DONE:
                return [draft for one in occasions for draft in self._tell_done(one)]
            case _:
                addressed = [(self._addressee(effect, one), one) for one in occasions]
                return [
                    draft
                    for to in dict.fromkeys(to for to, _ in addressed if to)
                    for draft in self._to_person(effect, [one for other, one in addressed if other == to], to)
                ]

    def _addressee(self, effect: Effect, occasion: Occasion) -> str | None:
        """Who hears of a request. Where the address on file is another than the writer's, the writer, who may be a
        stranger, hears only what anybody would: that the letter came, that its time ran out, and what staff write."""
        subject, writer = self._subject(occasion.request), self._person.address
        if writer is None or self._case.channel == "link" or effect in _TO_WRITER:
            return writer
        if subject is not None:
            return self._on_file(occasion.request)
        is_asked_elsewhere = cases.asked_of(self._tx, self._case, occasion.request).elsewhere is not None
        return None if effect == Effect.REMIND and is_asked_elsewhere else writer

    def extension(self, text: str, first_due: date) -> list[Draft]:
        """The letter that tells of two further months and why (GDPR Art. 12(3))."""
        if self._person.address is None:
            return []
        controller = self._config.controller
        deadline = legal_deadline(self._local(self._case.received_at), controller.country, months=3)
        context = Extended(reference=self._case.reference, text=text, first_due=first_due, deadline=deadline)
        return [Draft(context, self._person.address, self.languages, by_hand=True)]

    def _to_person(self, effect: Effect, occasions: Sequence[Occasion], to: str) -> list[Draft]:
        if self._person.address is None or self._case.channel == "link":
            return []
        reference = self._case.reference
        lines = tuple(self._line(one.request) for one in occasions)
        note = "\n\n".join(dict.fromkeys(one.note for one in occasions if one.note))
        name = self._name_on_file(occasions[0].request, to)
        context: Context
        match effect:
            case Effect.ASK_PROOF | Effect.REMIND:
                return [self._challenge(effect, occasions, to, lines)]
            case Effect.TELL_RECEIVED:
                context = Received(
                    reference=reference,
                    status_link=self._status_link(),
                    deadline=self._deadline(),
                    requests=_understood(lines),
                )
            case Effect.TELL_WITHDRAWN:
                context = Withdrawn(reference=reference, requests=lines)
            case Effect.TELL_EXPIRED:
                context = Expired(
                    reference=reference, requests=lines, asked_on=self._local(self._case.received_at)
                )
            case Effect.TELL_NOTHING_FOUND:
                context = NothingFound(reference=reference)
            case Effect.TELL_RESUBSCRIBED:
                context = Resubscribed(reference=reference)
            case Effect.TELL_EXPORT_READY:
                return [self._export_ready(one) for one in occasions]
            case Effect.TELL_REFUSED:
                context = Refused(reference=reference, name=name, text=note, requests=_understood(lines))
            case Effect.TELL_LIFTED:
                ends_on = self._local(self._now + LIFT_NOTICE)
                context = Lifted(reference=reference, name=name, text=note, ends_on=ends_on)
            case Effect.SEND_ANSWER:
                context = StaffReply(reference=reference, name=name, text=note)
            case _:
                raise ValueError(f"no letter is known for {effect}")
        is_by_hand = effect in (Effect.TELL_REFUSED, Effect.SEND_ANSWER, Effect.TELL_LIFTED)
        return [Draft(context, to, self.languages, by_hand=is_by_hand)]

    def _challenge(
        self, effect: Effect, occasions: Sequence[Occasion], to: str, lines: tuple[RequestLine, ...]
    ) -> Draft:
        days = self._patience.proof_gives_up_days
        token = self._mint(Purpose.CONFIRM, to, days)
        link, expires = f"{self._web}/c/{token}", self._now + timedelta(days=days)
        context: Context
        if effect == Effect.ASK_PROOF:
            context = Confirm(
                reference=self._case.reference,
                requests=lines,
                link=link,
                expires=expires,
                due=self._case.due_on,
            )
        else:
            context = ConfirmReminder(
                reference=self._case.reference,
                requests=lines,
                link=link,
                asked_on=self._local(occasions[0].request.since),
                expires=expires,
                last=occasions[0].request.reminders_sent >= len(self._patience.proof_reminders_days),
            )
        return Draft(context, to, self.languages, reply_token=token)

    def _ask_elsewhere(self, occasion: Occasion) -> list[Draft]:
        """The address on file, or a new address, is asked; the writer learns nothing of it."""
        if occasion.address is None:
            return []
        days = self._patience.proof_gives_up_days
        token = self._mint(Purpose.CONFIRM, occasion.address, days, occasion.request.id)
        link, expires = f"{self._web}/c/{token}", self._now + timedelta(days=days)
        context: Context
        if self._is_new_address(occasion):
            context = ConfirmAddress(reference=self._case.reference, link=link, expires=expires)
        else:
            line = self._line(occasion.request)
            context = Confirm(
                reference=self._case.reference,
                requests=(line,),
                link=link,
                expires=expires,
                due=self._case.due_on,
            )
        return [Draft(context, occasion.address, self.languages, token, occasion.request.id)]

    def _is_new_address(self, occasion: Occasion) -> bool:
        """The address that a correction asks for, which must prove itself too."""
        asked = cases.asked_of(self._tx, self._case, occasion.request)
        wanted = {normalise(change.new) for change in asked.fields if change.field == "email"}
        return normalise(occasion.address or "") in wanted

    def _export_ready(self, occasion: Occasion) -> Draft:
        to = self._on_file(occasion.request)
        name = self._name_on_file(occasion.request, to)
        days = self._patience.export_kept_days
        token = self._mint(Purpose.EXPORT, to, days, occasion.request.id)
        expires = self._now + timedelta(days=days)
        context = ExportReady(
            reference=self._case.reference, name=name, link=f"{self._web}/x/{token}", expires=expires
        )
        return Draft(context, to, self.languages, request_id=occasion.request.id)

    def _tell_done(self, occasion: Occasion) -> list[Draft]:
        """What was done, and read back, is told to the person; a replaced address is told too."""
        if self._person.address is None or self._case.channel == "link":
            return []
        request = occasion.request
        to, result = self._on_file(request), self._result(request)
        drafts = [Draft(self._done(request, result), to, self.languages, request_id=request.id)]
        if result.old_address and result.old_address != to:
            told = AddressChanged(
                reference=self._case.reference, name=self._name_on_file(request, to), changed_at=self._now
            )
            drafts.append(Draft(told, result.old_address, self.languages, request_id=request.id))
        return drafts

    def _done(self, request: Request, result: Result) -> Context:
        name, reference = self._name_on_file(request, self._on_file(request)), self._case.reference
        if request.kind == Kind.UNSUBSCRIBE:
            link = self._tx.pseudonyms.link_token(self._person.address or "")
            return Unsubscribed(reference=reference, undo_link=f"{self._web}/u/{link}")
        if request.kind in (Kind.RESTRICTION, Kind.OBJECTION):
            return Restricted(reference=reference, name=name, kind=Kind(request.kind))
        subject = self._subject(request)
        if subject is not None and subject.capacity == Capacity.VISITOR:
            host = subject.host.name if subject.host else ""
            places = tuple(PlaceLine(one.title, one.held_on, host) for one in result.events)
            fields = tuple(change.field for change in result.changes)
            action, told = _VISITOR_ACTIONS[Kind(request.kind)], self._told(request)
            if request.capacity == Capacity.HOST:
                return HostInformed(
                    reference=reference,
                    name=name,
                    action=action,
                    visitor=subject.address,
                    events=places,
                    done_on=self._local(self._now),
                    fields=fields,
                    own_wish=True,
                )
            return VisitorDone(
                reference=reference, name=name, action=action, places=places, fields=fields, told=told
            )
        if request.kind == Kind.CORRECTION:
            return Corrected(reference=reference, name=name, changes=result.changes, told=self._told(request))
        return Deleted(
            reference=reference,
            name=name,
            deleted_at=self._now,
            gone=result.gone,
            kept=result.kept,
            told=self._told(request),
        )

    def _to_host(self, effect: Effect, occasion: Occasion) -> list[Draft]:
        request = occasion.request
        subject = self._subject(request)
        is_theirs = request.capacity == Capacity.HOST  # who asked hears it as the person who asked
        if is_theirs or subject is None or subject.host is None or request.kind not in _VISITOR_ACTIONS:
            return []
        result, host = self._result(request), subject.host
        action = _VISITOR_ACTIONS[Kind(request.kind)]
        events = tuple(PlaceLine(one.title, one.held_on, host.name) for one in result.events)
        fields = tuple(change.field for change in result.changes)
        language = host.language or self._config.controller.fallback_language
        reference, visitor = self._case.reference, subject.address
        if effect == Effect.INFORM_HOST:
            informed = HostInformed(
                reference=reference,
                name=host.name,
                action=action,
                visitor=visitor,
                events=events,
                done_on=self._local(self._now),
                fields=fields,
            )
            return [Draft(informed, host.address, (language,), request_id=request.id)]
        days = self._patience.host_gives_up_days
        token = self._mint(Purpose.HOST, host.address, days, request.id)
        asked = HostAsked(
            reference=reference,
            name=host.name,
            action=action,
            visitor=visitor,
            events=events,
            link=f"{self._web}/h/{token}",
            answer_by=self._local(request.since + timedelta(days=days)),
            fields=fields,
            reminder=effect == Effect.REMIND_HOST,
        )
        return [Draft(asked, host.address, (language,), request_id=request.id)]

    def _status_link(self) -> str:
        """The person's own page of the case, for as long as answering it may take."""
        return f"{self._web}/case/{self._mint(Purpose.STATUS, self._person.address or '', _STATUS_DAYS)}"

    def _mint(self, purpose: Purpose, address: str, days: int, request_id: UUID | None = None) -> str:
        return tokens.mint(
            self._tx,
            purpose,
            case_id=self._case.id,
            address=address,
            days=days,
            now=self._now,
            request_id=request_id,
        )

    def _line(self, request: Request) -> RequestLine:
        asked = cases.asked_of(self._tx, self._case, request)
        fields = tuple(dict.fromkeys(change.field for change in asked.fields))
        return RequestLine(Kind(request.kind), Capacity(request.capacity), fields)

    def _subject(self, request: Request) -> Subject | None:
        return cases.subject_of(self._tx, self._case, request)

    def _result(self, request: Request) -> Result:
        return cases.result_of(self._tx, self._case, request)

    def _told(self, request: Request) -> tuple[str, ...]:
        """The recipients that are told, too (GDPR Art. 19, second sentence)."""
        return tuple(one.recipient for one in tellings.of_request(self._tx, request.id))

    def _on_file(self, request: Request) -> str:
        """The address that hears what was done: the one on file, which the writer's may be an older one of."""
        subject, written = self._subject(request), self._person.address or ""
        on_file = subject.asked_at(Capacity(request.capacity)) if subject else written
        return written if normalise(on_file) == normalise(written) else on_file

    def _name_on_file(self, request: Request, to: str) -> str:
        """The name that the platform knows, told to nobody but the address on file."""
        subject = self._subject(request)
        if subject is None or request.proof not in ("control", "staff"):
            return ""
        capacity = Capacity(request.capacity)
        is_theirs = normalise(subject.asked_at(capacity)) == normalise(to)
        name = subject.host.name if capacity == Capacity.HOST and subject.host else subject.name
        return name if is_theirs else ""

    def _deadline(self) -> Deadline:
        received = self._local(self._case.received_at)
        return legal_deadline(received, self._config.controller.country)

    def _local(self, instant: datetime) -> date:
        return received_on(instant, ZoneInfo(self._config.controller.timezone))


def _understood(lines: tuple[RequestLine, ...]) -> tuple[RequestLine, ...]:
    return tuple(line for line in lines if line.kind != Kind.OTHER)
