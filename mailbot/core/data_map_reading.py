"""A data map out of what TOML says: the map, or everything that is wrong with it, each with its mend."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from mailbot.core.data_map import (
    Access,
    ColumnRule,
    DataMap,
    EventRule,
    Former,
    Hop,
    Keeping,
    Limit,
    OnDeletion,
    Place,
    Promotion,
    SubjectRule,
    Switch,
    Validator,
)
from mailbot.core.plan import HostMode
from mailbot.core.request import Capacity

HOP = re.compile(r"^\s*(\w+)\s*=\s*(\w+)\.(\w+)\s*$")
Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class MapFault:
    """One thing wrong in the map: where (table and key as in TOML), what, and how to mend it."""

    where: str
    problem: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. {self.mend}"


@dataclass(frozen=True, slots=True)
class MapFaults:
    """A map that cannot be used."""

    faults: tuple[MapFault, ...]


def read_data_map(document: Mapping[str, object]) -> DataMap | MapFaults:
    """The data map that `document` (parsed TOML) describes, or all its faults at once. Never raises."""
    faults: list[MapFault] = []
    data_map = _data_map(_Table(document, "", faults))
    faults += _contradictions(data_map)
    return MapFaults(tuple(faults)) if faults else data_map


class _Table:
    """One TOML table being read: each `take` consumes a key, what is left over at the end is unknown."""

    def __init__(self, content: Mapping[str, object], where: str, faults: list[MapFault]) -> None:
        self.left = dict(content)
        self.where = where
        self.faults = faults

    def fault(self, key: str, problem: str, mend: str) -> None:
        self.faults.append(MapFault(self.at(key), problem, mend))

    def at(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where and key else self.where or key

    def text(self, key: str, default: str | None = None) -> str:
        return self._take(key, str, "a text", default, "")

    def maybe_text(self, key: str) -> str | None:
        return self.text(key) if key in self.left else None

    def flag(self, key: str) -> bool:
        return self._take(key, bool, "true or false", False, False)

    def number(self, key: str, default: int | None = None) -> int:
        return self._take(key, int, "a whole number", default, 0)

    def texts(self, key: str) -> tuple[str, ...]:
        items = self._take(key, list, "a list of texts", [], [])
        if all(isinstance(item, str) for item in items):
            return tuple(items)
        self.fault(key, "has entries that are no texts", "Write a list of texts")
        return ()

    def choice(self, key: str, kind: type[Choice], default: Choice | None) -> Choice:
        word = self.text(key, default.value if default else None)
        found = next((item for item in kind if item.value == word), None)
        if found is None:
            if word:
                allowed = ", ".join(item.value for item in kind)
                self.fault(key, f'"{word}" is not known', f"Write one of: {allowed}")
            return next(iter(kind))
        return found

    def hops(self, key: str) -> tuple[Hop, ...]:
        return tuple(hop for text in self.texts(key) for hop in self._hop(key, text))

    def table(self, key: str) -> _Table:
        content = self._take(key, dict, "a table", {}, {})
        return _Table(content, self.at(key), self.faults)

    def tables(self, key: str) -> Iterator[_Table]:
        for index, item in enumerate(self._take(key, list, "an array of tables", [], []), start=1):
            if isinstance(item, dict):
                yield _Table(item, f"{self.at(key)}[{index}]{_name_of(item)}", self.faults)
            else:
                self.fault(key, f"entry {index} is no table", f"Write [[{key}]]")

    def end(self) -> None:
        for key in self.left:
            self.fault(key, "is not a key of the data map", "Correct its spelling or remove it")

    def _hop(self, key: str, text: str) -> Iterator[Hop]:
        match = HOP.match(text)
        if match:
            yield Hop(match[1], match[2], match[3])
        else:
            self.fault(key, f'"{text}" is no link', 'Write "column = other_table.column"')

    def _take(self, key: str, kind: type[Value], says: str, default: Value | None, blank: Value) -> Value:
        value = self.left.pop(key, default)
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        if value is None:
            self.fault(key, "is missing", f"Add it: {says}")
        else:
            self.fault(key, "has the wrong type", f"Write {says}")
        return blank


def _name_of(item: Mapping[str, object]) -> str:
    name = item.get("table", item.get("id"))
    return f" ({name})" if isinstance(name, str) else ""


def _data_map(top: _Table) -> DataMap:
    if top.number("version", 1) != 1:
        top.fault("version", "is not known", "Write version = 1")
    subjects = top.table("subjects")
    visitor = _subject(subjects.table("visitor"), Capacity.VISITOR) if "visitor" in subjects.left else None
    data_map = DataMap(
        journal_table=top.text("journal_table", "mailbot_changes"),
        user=_subject(subjects.table("user"), Capacity.USER),
        visitor=visitor,
        places=_each(top, "places", _place),
        promotions=_each(top, "promotions", _promotion),
        limits=_each(top, "limits", _limit),
    )
    subjects.end()
    top.end()
    return data_map


def _each(top: _Table, key: str, read: Callable[[_Table], Value]) -> tuple[Value, ...]:
    return tuple(read(table) for table in top.tables(key))


def _subject(table: _Table, capacity: Capacity) -> SubjectRule:
    rule = SubjectRule(
        capacity=capacity,
        table=table.text("table"),
        key=table.text("key"),
        address=table.text("address"),
        name=table.text("name"),
        language=table.maybe_text("language"),
        changed_at=table.maybe_text("address_changed_at"),
        former=_each(table, "former_addresses", _former),
        host=table.hops("host"),
        event=_event(table.table("event")) if "event" in table.left else None,
        mode=table.choice("mode", HostMode, HostMode.INFORM),
        mode_column=table.maybe_text("mode_column"),
    )
    if rule.key and rule.key == rule.address:
        table.fault(
            "key", "is the address", "Name a column that says nothing about the person: keys are stored"
        )
    if capacity is Capacity.VISITOR and not rule.host:
        table.fault("host", "is missing", "Say how a visitor's row leads to the host's account")
    table.end()
    return rule


def _event(table: _Table) -> EventRule:
    event = EventRule(table.hops("path"), table.text("title"), table.text("held_at"))
    if not event.path:
        table.fault("path", "is missing", 'Write path = ["webinar_id = webinars.id"]')
    table.end()
    return event


def _former(table: _Table) -> Former:
    links = table.hops("link")
    if len(links) != 1:
        table.fault("link", "needs exactly one link", 'Write ["account_id = accounts.id"]')
    link = links[0] if links else Hop("", "", "")
    former = Former(table.text("table"), table.text("address"), link, table.maybe_text("changed_at"))
    table.end()
    return former


def _promotion(table: _Table) -> Promotion:
    switch = table.choice("switch", Switch, None)
    promotion = Promotion(table.text("table"), table.text("address"), switch, table.maybe_text("column"))
    if switch is not Switch.ROW and promotion.column is None:
        table.fault("column", "is missing", "Name the column that is switched")
    table.end()
    return promotion


def _limit(table: _Table) -> Limit:
    limit = Limit(
        id=table.text("id"),
        table=table.text("table"),
        path=table.hops("path"),
        after_now=table.maybe_text("after_now"),
        more_than=table.number("more_than", 0),
        reason=table.text("reason"),
    )
    table.end()
    return limit


def _place(table: _Table) -> Place:
    access = table.choice("access", Access, Access.SHOW)
    category, purpose = table.text("category"), table.text("purpose")
    columns = table.table("columns")
    rules = [_column(columns.table(name), name, access, category, purpose) for name in list(columns.left)]
    place = Place(
        table=table.text("table"),
        subject=table.choice("subject", Capacity, None),
        path=table.hops("path"),
        match=table.texts("match"),
        scope=table.hops("scope"),
        access=access,
        on_deletion=table.choice("on_deletion", OnDeletion, None),
        keeping=_keeping(table),
        shared=table.flag("shared"),
        may_grow=table.flag("may_grow"),
        category=category,
        purpose=purpose,
        recipients=table.texts("recipients"),
        retention=table.text("retention"),
        columns=tuple(rules),
    )
    table.end()
    return place


def _keeping(table: _Table) -> Keeping | None:
    if "keep" not in table.left:
        return None
    inner = table.table("keep")
    keeping = Keeping(inner.text("ground"), inner.text("since"), inner.number("years"))
    inner.end()
    return keeping


def _column(table: _Table, name: str, access: Access, category: str, purpose: str) -> ColumnRule:
    rule = ColumnRule(
        name=name,
        field=table.maybe_text("field"),
        validator=table.choice("correct", Validator, None) if "correct" in table.left else None,
        unique=table.flag("unique"),
        access=table.choice("access", Access, access),
        on_deletion=table.choice("on_deletion", OnDeletion, OnDeletion.KEEP),
        replacement=table.maybe_text("replacement"),
        address=table.flag("address"),
        file=table.flag("file"),
        category=table.text("category", category),
        purpose=table.text("purpose", purpose),
    )
    if rule.validator and not rule.field:
        table.fault("field", "is missing", "A column that can be corrected needs the field's name")
    if rule.on_deletion is OnDeletion.DELETE:
        table.fault("on_deletion", '"delete" is for whole rows', "Write null, anonymise or keep")
    table.end()
    return rule


def _contradictions(data_map: DataMap) -> Iterator[MapFault]:
    seen: set[tuple[str, Capacity]] = set()
    for place in data_map.places:
        where = f"places ({place.table}, {place.subject})"
        if (place.table, place.subject) in seen:
            yield MapFault(where, "is described twice", "Join the two into one [[places]] table")
        seen.add((place.table, place.subject))
        for problem, mend in _place_contradictions(data_map, place):
            yield MapFault(where, problem, mend)
    yield from _missing_roots(data_map, seen)


def _missing_roots(data_map: DataMap, seen: set[tuple[str, Capacity]]) -> Iterator[MapFault]:
    for rule in (data_map.user, data_map.visitor):
        if rule and (rule.table, rule.capacity) not in seen:
            mend = f'Add [[places]] with table = "{rule.table}", subject = "{rule.capacity}"'
            yield MapFault(f"subjects.{rule.capacity}", f'its own table "{rule.table}" is no place', mend)


def _place_contradictions(data_map: DataMap, place: Place) -> Iterator[tuple[str, str]]:
    rule = data_map.subject_rule(place.subject)
    if place.subject not in (Capacity.USER, Capacity.VISITOR) or rule is None:
        yield f'subject "{place.subject}" is not described', "Write user or visitor, and describe it"
        return
    root = place.table == rule.table
    if not root and not place.path and not place.match:
        yield "nothing leads to the person", "Add path, match, or both"
    ends = place.path[-1].table if place.path else rule.table
    if ends != rule.table:
        yield f'path ends at "{ends}"', f'End it at "{rule.table}", the table of subjects.{place.subject}'
    yield from _keep_contradictions(place)
    if place.subject is Capacity.VISITOR and place.match and not root and not place.scope:
        yield "match without scope", "Say by scope which link leads to the host: visitors belong to one host"


def _keep_contradictions(place: Place) -> Iterator[tuple[str, str]]:
    if place.on_deletion is OnDeletion.KEEP and place.keeping is None:
        yield "keeps rows without a legal ground", "Add keep = { ground = …, since = …, years = … }"
    if place.on_deletion is OnDeletion.NULL:
        yield 'on_deletion "null" is for columns', "Write anonymise, and null at each column"
    if place.shared and len(place.path) != 1:
        yield "shared needs a path of one link", 'Write path = ["id = accounts.company_id"]'
    if place.keeping and place.on_deletion is not OnDeletion.KEEP:
        yield "has a ground for keeping but does not keep", 'Write on_deletion = "keep"'
