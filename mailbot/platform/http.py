"""A platform that is reached by its API. The data map says what may be shown and what a deletion does with each
place; how the records are found and changed is the platform's part, and mailbot holds its answers against the map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from mailbot.core.address import normalise
from mailbot.core.data_map import Access, DataMap, Flag, OnDeletion, Place
from mailbot.core.plan import (
    Action,
    Applied,
    Change,
    Correction,
    Deletion,
    FieldView,
    Finding,
    Flagging,
    NothingChanged,
    Plan,
    PlanGrew,
    PlannedStep,
    PlatformTrouble,
    ReadBack,
    Refusal,
    Resubscribe,
    Subject,
    Unsubscribe,
    grown,
)
from mailbot.core.request import Capacity, FieldChange, Kind
from mailbot.core.result import EventRef
from mailbot.core.wording import Wording
from mailbot.platform.export import Cell, Opening, Section, write_tables
from mailbot.platform.http_client import AlreadyDone, HttpClient
from mailbot.platform.http_models import (
    Asked,
    Described,
    Done,
    Events,
    Found,
    Leftovers,
    Nothing,
    OfAddress,
    OfSubject,
    Ordered,
    Planned,
    Promotion,
    Records,
    Step,
    Veto,
    Wanted,
    WantedFile,
    WantedRecords,
)
from mailbot.platform.interface import CheckLine, CheckStatus, Output
from mailbot.platform.sql_correct import wanted_values
from mailbot.platform.sql_work import fingerprint

_DOES = {
    OnDeletion.DELETE: {Action.DELETE},
    OnDeletion.ANONYMISE: {Action.ANONYMISE, Action.NULL, Action.UPDATE},
    OnDeletion.KEEP: {Action.KEEP, Action.ANONYMISE, Action.NULL, Action.UPDATE, Action.DELETE},
}
"""What the platform may do in a place, by what the map says. Where rows are kept, overdue ones go."""


class HttpPlatform:
    """The Platform of one API."""

    def __init__(self, client: HttpClient, data_map: DataMap) -> None:
        self._client = client
        self._map = data_map

    def close(self) -> None:
        """Every connection is closed."""
        self._client.close()

    def find(self, address: str) -> tuple[Subject, ...]:
        """See Platform.find."""
        if "@" not in address:
            return ()
        found = self._client.ask("find", OfAddress(address=address), Found).subjects
        for one in found:
            if self._map.subject_rule(one.capacity) is None or "@" in one.key:
                raise PlatformTrouble("the platform: a subject at find is not as described", later=False)
        return found

    def hosts_subjects(self, host_address: str, visitor_address: str) -> tuple[Subject, ...]:
        """See Platform.hosts_subjects."""
        hosts = {one.key for one in self.find(host_address) if one.capacity is Capacity.USER}
        return tuple(one for one in self.find(visitor_address) if one.host and one.host.key in hosts)

    def fields(self, subject: Subject) -> tuple[FieldView, ...]:
        """See Platform.fields."""
        views: dict[str, FieldView] = {}
        for place in self._map.places_of(subject.capacity):
            named = [rule for rule in place.columns if rule.field and rule.access is Access.SHOW]
            fresh = [rule for rule in named if rule.field not in views]
            rows = list(self._records(subject, place.name)) if fresh else []
            for rule in fresh:
                name = rule.field or ""
                values = [str(row[rule.name]) for row in rows if row.get(rule.name) is not None]
                value = "; ".join(dict.fromkeys(values)) or None
                views[name] = FieldView(name, value, rule.validator is not None, f"field.{name}")
        return tuple(views.values())

    def events(self, subject: Subject) -> tuple[EventRef, ...]:
        """See Platform.events."""
        return self._client.ask("events", OfSubject(subject=subject), Events).events

    def plan(self, change: Change) -> Plan:
        """See Platform.plan."""
        if isinstance(change, Flagging) and self._flag(change) is None:
            veto = f"no_flag: the data map names no column for a {change.kind} of a {change.subject.capacity}"
            return Plan(change, (), fingerprint(()), vetoes=(veto,))
        sent, refusals = self._accepted(change)
        planned = Planned() if sent is None else self._client.ask("plan", Wanted(change=sent), Planned)
        places = self._places(change)
        steps = tuple(_step(one, places.get(one.place)) for one in planned.steps)
        vetoes = [f"{veto.id}: {veto.reason}" for veto in planned.vetoes]
        if isinstance(change, Deletion):
            vetoes += _beyond_the_map(steps, places)
        return Plan(
            change=change,
            steps=steps,
            fingerprint=fingerprint(steps),
            vetoes=tuple(vetoes),
            refusals=(*refusals, *planned.refusals),
            identifiers=tuple(dict.fromkeys((*_addresses(change), *planned.identifiers))),
            limits=tuple(veto.id for veto in planned.vetoes if veto.id in self._limits()),
        )

    def apply(self, plan: Plan, idempotency_key: str) -> Applied:
        """See Platform.apply."""
        now = self.plan(plan.change)
        refused = tuple(one for one in now.refusals if one not in plan.refusals)
        if refused:
            return Applied(0, 0, refusals=refused)
        if places := grown(plan, now):
            raise PlanGrew(places)
        done = self._order(plan, idempotency_key)
        if plan.rows and not done.rows and not done.again and not done.refusals:
            raise NothingChanged
        return Applied(done.rows, done.files, done.again, done.refusals)

    def finish_open(self) -> int:
        """See Platform.finish_open. Here that is the platform's own part."""
        return 0

    def read_back(self, change: Change, plan: Plan) -> ReadBack:
        """See Platform.read_back. Beside what the platform says, it is asked as anybody would be."""
        if plan.change != change:
            raise ValueError("the plan is of another change")
        match change:
            case Deletion(subject):
                question = Asked(change=change, identifiers=plan.identifiers)
                left = self._client.ask("leftovers", question, Leftovers)
                findings = (*left.findings, *self._still_found(subject, plan))
                return ReadBack(not findings and not left.unmapped, findings, left.unmapped)
            case Correction():
                findings = tuple(self._not_corrected(change, plan))
            case Flagging():
                findings = tuple(self._not_flagged(change))
            case Unsubscribe() | Resubscribe():
                findings = tuple(self._not_switched(change.address, isinstance(change, Unsubscribe)))
        return ReadBack(not findings, findings)

    def export(self, subjects: tuple[Subject, ...], out: Output, wording: Wording) -> None:
        """See Platform.export."""
        files = (one for subject in subjects for one in self._files(subject))
        write_tables(self._map, subjects, self, files, out, datetime.now(UTC), wording)

    def cells(self, section: Section) -> Iterator[dict[str, Cell]]:
        """The rows of a section, as the map lets them be seen."""
        for row in self._records(section.subject, section.place.name):
            yield {rule.name: _shown(rule.access, row.get(rule.name)) for rule in section.rules}

    def check(self) -> tuple[CheckLine, ...]:
        """See Platform.check."""
        try:
            there = self._client.ask("describe", Nothing(), Described).places
        except PlatformTrouble as trouble:
            return (CheckLine(CheckStatus.FAILED, str(trouble), "Correct [platform] url or [platform.http]"),)
        found = (*_differences(self._map, there), *_without_effect(self._map))
        if any(line.status is CheckStatus.FAILED for line in found):
            return found
        fits = CheckLine(CheckStatus.OK, f"the platform's API fits the data map ({len(there)} places)")
        return (fits, *found)

    def _limits(self) -> frozenset[str]:
        """The platform's vetoes of these ids need two members of staff."""
        return frozenset(limit.id for limit in self._map.limits)

    def _accepted(self, change: Change) -> tuple[Change | None, list[Refusal]]:
        """The change with values as they are written, without what the map does not let be corrected."""
        if not isinstance(change, Correction):
            return change, []
        places = self._map.places_of(change.subject.capacity)
        wanted, refusals = wanted_values(places, change.fields)
        old = {one.field: one.old for one in change.fields}
        fields = tuple(FieldChange(name, old[name], value) for name, value in wanted.items())
        return (replace(change, fields=fields) if fields else None), refusals

    def _order(self, plan: Plan, key: str) -> Done:
        sent, _ = self._accepted(plan.change)
        if sent is None:
            return Done(rows=0)
        refused = {refusal.field for refusal in plan.refusals}
        if isinstance(sent, Correction):
            sent = replace(sent, fields=tuple(one for one in sent.fields if one.field not in refused))
        try:
            return self._client.ask("apply", Ordered(change=sent, shown=_shown_plan(plan)), Done, key)
        except AlreadyDone:
            return Done(rows=0, again=True)

    def _places(self, change: Change) -> dict[str, Place]:
        capacity = change.subject.capacity if isinstance(change, Deletion | Correction | Flagging) else None
        return {place.name: place for place in self._map.places if capacity in (None, place.subject)}

    def _records(self, subject: Subject, place: str) -> Iterator[dict[str, Cell]]:
        cursor: str | None = None
        seen: set[str] = set()
        while True:
            question = WantedRecords(subject=subject, place=place, cursor=cursor)
            page = self._client.ask("records", question, Records)
            yield from page.rows
            cursor = page.next
            if cursor is None:
                return
            if cursor in seen:
                raise PlatformTrouble("the platform: records come round again", later=False)
            seen.add(cursor)

    def _files(self, subject: Subject) -> Iterator[tuple[str, Opening]]:
        """Each file that a column names and people may have."""
        for place in self._map.places_of(subject.capacity):
            rules = [rule for rule in place.columns if rule.file and rule.access is Access.SHOW]
            for row in self._records(subject, place.name) if rules else ():
                for rule in rules:
                    if path := row.get(rule.name):
                        wanted = WantedFile(
                            subject=subject, place=place.name, column=rule.name, path=str(path)
                        )
                        yield str(path), partial(self._client.open, "file", wanted)

    def _still_found(self, subject: Subject, plan: Plan) -> Iterator[Finding]:
        rule = self._map.subject_rule(subject.capacity)
        found = {one.key for address in plan.identifiers for one in self.find(address)}
        if rule and subject.key in found:
            yield Finding(rule.table, rule.address, 1)

    def _not_corrected(self, change: Correction, plan: Plan) -> Iterator[Finding]:
        refused = {refusal.field for refusal in plan.refusals}
        places = self._map.places_of(change.subject.capacity)
        wanted, _ = wanted_values(places, [one for one in change.fields if one.field not in refused])
        subject = replace(change.subject, address=wanted.get("email", change.subject.address))
        present = {view.name: view.value for view in self.fields(subject)}
        for field, value in wanted.items():
            if present.get(field) != value:
                yield Finding(places[0].table, field, 1)
        if "email" in wanted and subject.key not in {one.key for one in self.find(subject.address)}:
            yield Finding(places[0].table, "email", 1)

    def _flag(self, change: Flagging) -> Flag | None:
        rule = self._map.subject_rule(change.subject.capacity)
        if rule is None:
            return None
        return rule.restriction if change.kind is Kind.RESTRICTION else rule.objection

    def _not_flagged(self, change: Flagging) -> Iterator[Finding]:
        """The person's own records say it."""
        rule, flag = self._map.subject_rule(change.subject.capacity), self._flag(change)
        if rule is None or flag is None:
            yield Finding("the platform's API", change.kind, 0)
            return
        wanted = flag.value if change.on else flag.lifted
        rows = self._records(change.subject, rule.table)
        if count := sum(row.get(flag.column) != wanted for row in rows):
            yield Finding(rule.table, flag.column, count)

    def _not_switched(self, address: str, is_off: bool) -> Iterator[Finding]:
        receives = self._client.ask("promotion", OfAddress(address=address), Promotion).receives
        if receives == is_off:
            yield Finding("promotions", "receives", 1)


def _step(step: Step, place: Place | None) -> PlannedStep:
    """The ground is the map's, where it has one: it is what people are told."""
    why = step.why
    if place is not None and step.action is not Action.KEEP:
        why = place.purpose
    elif place is not None and place.keeping is not None:
        why = place.keeping.ground
    return PlannedStep(
        step.place,
        step.action,
        step.rows,
        step.fields,
        why,
        step.until,
        step.digest,
        place is not None and place.may_grow,
        step.bytes,
    )


def _beyond_the_map(steps: tuple[PlannedStep, ...], places: dict[str, Place]) -> Iterator[str]:
    """Reasons for staff to look first."""
    for step in steps:
        if not step.rows or step.place.startswith("files:"):
            continue
        place = places.get(step.place)
        if place is None:
            yield "unmapped_place: the platform would change records that the data map does not name"
        elif step.action is Action.KEEP and step.why:
            continue
        elif step.action not in _DOES.get(place.on_deletion, set()):
            yield f"other_action: {step.action} in {place.name}, where the data map says {place.on_deletion}"


def _shown_plan(plan: Plan) -> Planned:
    steps = tuple(
        Step(
            place=one.place,
            action=one.action,
            rows=one.rows,
            fields=one.fields,
            digest=one.digest,
            until=one.until,
            why=one.why if one.action is Action.KEEP else "",
            bytes=one.bytes,
        )
        for one in plan.steps
    )
    vetoes = tuple(Veto(id=id_, reason=reason) for id_, _, reason in (v.partition(": ") for v in plan.vetoes))
    return Planned(steps=steps, vetoes=vetoes, refusals=plan.refusals, identifiers=plan.identifiers)


def _addresses(change: Change) -> tuple[str, ...]:
    if isinstance(change, Deletion | Correction | Flagging):
        return (change.subject.address,)
    return (normalise(change.address) or change.address,)


def _shown(access: Access, value: Cell) -> Cell:
    return "…" + str(value)[-4:] if access is Access.MASK and value is not None else value


def _without_effect(data_map: DataMap) -> Iterator[CheckLine]:
    """What in the map only a database can be asked."""
    written = {"vetoes": data_map.vetoes, "sweeps": data_map.sweeps}
    for name, entries in written.items():
        if entries:
            what = f"[[{name}]] of the data map has no effect on a platform reached by its API"
            mend = "Remove it; let the platform answer it among the vetoes of plan, or do it itself"
            yield CheckLine(CheckStatus.WARNING, what, mend)


def _differences(data_map: DataMap, there: dict[str, tuple[str, ...]]) -> Iterator[CheckLine]:
    mapped: dict[str, set[str]] = {}
    for place in data_map.places:
        mapped.setdefault(place.name, set()).update(rule.name for rule in place.columns)
    for name, columns in mapped.items():
        if name not in there:
            yield CheckLine(
                CheckStatus.FAILED, f'place "{name}" is not in the API', "Correct its name or remove it"
            )
            continue
        for column in sorted(columns - set(there[name])):
            what = f'column "{column}" of "{name}" is not in the API'
            yield CheckLine(CheckStatus.FAILED, what, "Correct its name or remove it")
        for column in sorted(set(there[name]) - columns):
            if f"{name}.{column}" not in data_map.not_personal:
                what = f'column "{column}" of "{name}" is not in the data map'
                yield CheckLine(
                    CheckStatus.WARNING, what, f'Add it to [places.columns] of "{name}", or to not_personal'
                )
    for name in sorted(there.keys() - mapped.keys() - data_map.not_personal):
        what = f'the API keeps "{name}", which is not in the data map'
        yield CheckLine(CheckStatus.FAILED, what, "Add [[places]] for it, or name it in not_personal")
