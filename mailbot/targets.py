"""Whom on the platform a request is about, and what would be done there. Nothing is changed.

The platform is asked outside any transaction; what is found is settled in one later (`settling`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.core.address import normalise
from mailbot.core.correction import edited, new_address
from mailbot.core.fitting import fitted
from mailbot.core.plan import (
    Change,
    Correction,
    Deletion,
    FieldView,
    Flagging,
    Plan,
    PlatformTrouble,
    Subject,
)
from mailbot.core.request import Asked, Capacity, Kind
from mailbot.core.result import EventRef
from mailbot.core.token import Purpose
from mailbot.core.workflow import State
from mailbot.platform.interface import Platform
from mailbot.store import cases, tokens
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Case, Request, Token

_WHOLE_PERSON = (Kind.ACCESS, Kind.PORTABILITY)
"""Served once for all that is known of the person, not subject by subject."""


@dataclass(frozen=True, slots=True)
class Target:
    """One request for one subject (None: nothing was found), as the platform stands now."""

    request: Request
    asked: Asked
    subject: Subject | None
    fields: tuple[FieldView, ...] = ()
    plan: Plan | None = None
    events: tuple[EventRef, ...] = ()
    trouble: str = ""
    may_pass: bool = False
    """The trouble may be over soon: it is tried again."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a confirmation needs of the platform, fetched before the transaction that settles it.

    `address` is the one whose control the token proves; `token` is empty when it was spent before."""

    token: str
    address: str
    targets: tuple[Target, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class _Ask:
    """A request with what it asks now; `on_file` is its subject's address once it is known."""

    request: Request
    asked: Asked
    on_file: str | None


class Targets:
    """Looks requests up on the platform."""

    def __init__(self, store: Store, platform: Platform) -> None:
        self._store = store
        self._platform = platform

    def of_token(self, token: str, fields: Mapping[str, Mapping[str, str]], now: datetime) -> Prepared | None:
        """What confirming would do, as the platform stands now; None when the token opens nothing.

        `fields`: request id to field to value, as the person edited them on the page.
        """
        with self._store.read() as tx:
            row = tokens.find(tx, token, Purpose.CONFIRM, now)
            if row is None:
                return None
            case, requests = waiting_for(tx, row)
            address = _address_of(tx, case, row, requests)
            asks = [_ask_of(tx, case, one, fields, address) for one in requests]
        if address is None or not asks:
            return None
        return Prepared(token, address, self._of_all(address, asks), now)

    def of_proven(
        self, tx: Transaction, case: Case, request: Request, now: datetime
    ) -> Callable[[], Prepared]:
        """What asks the platform once more about a request that was confirmed while it was down: to be called
        outside the transaction."""
        proven = cases.result_of(tx, case, request).proven or ""
        ask = _ask_of(tx, case, request, {}, proven)
        return lambda: Prepared("", proven, self._of_all(proven, [ask]), now)

    def of_address(self, address: str, request: Request, asked: Asked) -> tuple[Target, ...]:
        """The request, once for each subject that the address leads to."""
        try:
            subjects = self._subjects(address, asked)
            if not subjects:
                return (Target(request, asked, None),)
            if asked.kind in _WHOLE_PERSON:
                return (Target(request, asked, subjects[0]),)
            return tuple(self.of_subject(subject, request, asked) for subject in subjects)
        except PlatformTrouble as trouble:
            return (Target(request, asked, None, trouble=str(trouble), may_pass=trouble.later),)

    def of_subject(self, subject: Subject, request: Request, asked: Asked) -> Target:
        """The request about `subject`, as the platform stands now. Raises PlatformTrouble."""
        fields = self._platform.fields(subject)
        fitting = replace(asked, fields=fitted(asked.fields, fields)) if asked.fields else asked
        change = _change_of(fitting, subject)
        plan = self._platform.plan(change) if change else None
        return Target(request, fitting, subject, fields, plan, self._platform.events(subject))

    def _of_all(self, address: str, asks: Sequence[_Ask]) -> tuple[Target, ...]:
        found = (self.of_address(one.on_file or address, one.request, one.asked) for one in asks)
        return tuple(target for targets in found for target in targets)

    def _subjects(self, address: str, asked: Asked) -> list[Subject]:
        """Whom a request is about; a host's only about the visitor they name, and only at their own events."""
        if asked.capacity == Capacity.HOST:
            return list(self._platform.hosts_subjects(address, asked.named or ""))
        return _fitting(self._platform.find(address), asked.capacity)


def waiting_for(tx: Transaction, row: Token) -> tuple[Case, Sequence[Request]]:
    """The case of a token and those of its requests that wait for the proof it gives."""
    case = tx.session.get_one(Case, row.case_id)
    waiting = [one for one in cases.requests_of(tx, case.id) if one.state == State.AWAITING_PROOF]
    return case, [one for one in waiting if row.request_id in (None, one.id)]


def _address_of(tx: Transaction, case: Case, row: Token, requests: Sequence[Request]) -> str | None:
    """The address whose control the token proves: the writer's, or one that the request named or led to."""
    candidates = [cases.person_of(tx, case).address]
    for request in requests:
        candidates.append(_on_file(tx, case, request))
        candidates.append(new_address(cases.asked_of(tx, case, request)))
    hashes = ((address, tx.pseudonyms.address(address)) for address in candidates if address)
    return next((address for address, digest in hashes if digest == row.address_hash), None)


def _ask_of(
    tx: Transaction,
    case: Case,
    request: Request,
    fields: Mapping[str, Mapping[str, str]],
    proving: str | None,
) -> _Ask:
    """The request with what was edited on the page. Once the address on file is known only it may edit: the
    new address of a correction proves itself, and decides nothing else."""
    on_file = _on_file(tx, case, request)
    may_edit = on_file is None or (proving is not None and normalise(on_file) == normalise(proving))
    values = fields.get(str(request.id)) if may_edit else None
    return _Ask(request, edited(cases.asked_of(tx, case, request), values), on_file)


def _on_file(tx: Transaction, case: Case, request: Request) -> str | None:
    subject = cases.subject_of(tx, case, request)
    return subject.asked_at(Capacity(request.capacity)) if subject else None


def _fitting(subjects: Sequence[Subject], capacity: Capacity) -> list[Subject]:
    """The subjects meant: those of the capacity asked in, or all where there is none of it."""
    return [one for one in subjects if one.capacity == capacity] or list(subjects)


def _change_of(asked: Asked, subject: Subject) -> Change | None:
    """The change of the platform that a request is; None where it changes nothing there."""
    match asked.kind:
        case Kind.DELETION:
            return Deletion(subject)
        case Kind.CORRECTION if asked.fields:
            return Correction(subject, asked.fields)
        case Kind.RESTRICTION | Kind.OBJECTION:
            return Flagging(subject, asked.kind)
        case _:
            return None
