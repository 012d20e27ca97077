"""A data map out of what TOML says: the map, or everything that is wrong with it, each with its mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from mailbot.core.data_map import (
    Access,
    AddressRules,
    CaseRule,
    ColumnRule,
    DataMap,
    EventRule,
    FileRule,
    Flag,
    Former,
    Hop,
    Keeping,
    Limit,
    OnDeletion,
    Place,
    PlusRule,
    Promotion,
    SubjectRule,
    SweepRule,
    Swept,
    Switch,
    TextSearch,
    Validator,
    Veto,
)
from mailbot.core.data_map_faults import contradictions
from mailbot.core.data_map_table import MapFault, MapTable
from mailbot.core.file_paths import DEFAULT_STORE, template_fault
from mailbot.core.plan import HostMode
from mailbot.core.request import Capacity

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class MapFaults:
    """A map that cannot be used."""

    faults: tuple[MapFault, ...]

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


def read_data_map(document: Mapping[str, object], *, linked: bool = True) -> DataMap | MapFaults:
    """The data map that `document` (parsed TOML) describes, or all its faults at once. Never raises. Without
    `linked` the platform itself knows whose records are whose, and the map need not say it."""
    faults: list[MapFault] = []
    data_map = _data_map(MapTable(document, "", (), faults))
    faults += contradictions(data_map, linked=linked)
    return MapFaults(tuple(faults)) if faults else data_map


def _data_map(top: MapTable) -> DataMap:
    if top.number("version", 1) != 1:
        top.fault("version", "is not known", "Write version = 1")
    subjects = top.table("subjects")
    visitor = _subject(subjects.table("visitor"), Capacity.VISITOR) if "visitor" in subjects.left else None
    data_map = DataMap(
        journal_table=top.text("journal_table", "mailbot_changes"),
        addresses=_addresses(top.table("addresses")),
        text_search=_text_search(top.table("text_search")),
        not_personal=frozenset(top.texts("not_personal")),
        user=_subject(subjects.table("user"), Capacity.USER),
        visitor=visitor,
        places=_each(top, "places", _place),
        promotions=_each(top, "promotions", _promotion),
        limits=_each(top, "limits", _limit),
        transfers=top.text("transfers", ""),
        automated_decisions=top.text("automated_decisions", ""),
        vetoes=_each(top, "vetoes", _veto),
        sweeps=_each(top, "sweeps", _sweep),
    )
    subjects.end()
    top.end()
    return data_map


def _each(top: MapTable, key: str, read: Callable[[MapTable], Value]) -> tuple[Value, ...]:
    return tuple(read(table) for table in top.tables(key))


def _addresses(table: MapTable) -> AddressRules:
    rules = AddressRules(
        table.choice("case", CaseRule, CaseRule.ANY), table.choice("plus", PlusRule, PlusRule.DISTINCT)
    )
    table.end()
    return rules


def _text_search(table: MapTable) -> TextSearch:
    search = TextSearch(
        table.flag("on", default=True), frozenset(table.texts("leave_out")), table.number("seconds", 120)
    )
    if search.seconds < 1:
        table.fault("seconds", "is less than 1", "Write a number of seconds, or on = false")
    table.end()
    return search


def _subject(table: MapTable, capacity: Capacity) -> SubjectRule:
    rule = SubjectRule(
        capacity=capacity,
        table=table.text("table"),
        key=table.text_or_texts("key"),
        address=table.text("address"),
        name=table.text("name"),
        language=table.maybe_text("language"),
        changed_at=table.maybe_text("address_changed_at"),
        former=_each(table, "former_addresses", _former),
        host=table.hops("host"),
        event=_event(table.table("event")) if "event" in table.left else None,
        mode=table.choice("mode", HostMode, HostMode.INFORM),
        mode_column=table.maybe_text("mode_column"),
        deactivate=table.scalars("deactivate"),
        created_at=table.maybe_text("created_at"),
        restriction=_flag(table, "restriction"),
        objection=_flag(table, "objection"),
    )
    if rule.address and rule.address in rule.key:
        mend = "Name a column that says nothing about the person: keys are stored"
        table.fault("key", "is the address", mend)
    table.end()
    return rule


def _flag(table: MapTable, key: str) -> Flag | None:
    if key not in table.left:
        return None
    inner = table.table(key)
    column, value, lifted = inner.text("column"), inner.scalar("value"), inner.scalar("lifted")
    if value is None or value == lifted:
        inner.fault("value", "says nothing", 'Write { column = "restricted", value = true, lifted = false }')
        value = ""
    inner.end()
    return Flag(column, value, lifted)


def _event(table: MapTable) -> EventRule:
    event = EventRule(table.hops("path"), table.text("title"), table.text("held_at"))
    if not event.path:
        table.fault("path", "is missing", 'Write path = ["webinar_id = webinars.id"]')
    table.end()
    return event


def _former(table: MapTable) -> Former:
    links = table.hops("link")
    if len(links) != 1:
        table.fault("link", "needs exactly one link", 'Write ["account_id = accounts.id"]')
    link = links[0] if links else Hop("", (), ())
    former = Former(table.text("table"), table.text("address"), link, table.maybe_text("changed_at"))
    table.end()
    return former


def _promotion(table: MapTable) -> Promotion:
    switch = table.choice("switch", Switch, None)
    promotion = Promotion(table.text("table"), table.text("address"), switch, table.maybe_text("column"))
    if switch is not Switch.ROW and promotion.column is None:
        table.fault("column", "is missing", "Name the column that is switched")
    table.end()
    return promotion


def _limit(table: MapTable) -> Limit:
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


def _veto(table: MapTable) -> Veto:
    veto = Veto(
        id=table.text("id"),
        table=table.text("table"),
        path=table.hops("path"),
        where=table.scalars("where"),
        empty=table.texts("empty"),
        near=table.maybe_text("near"),
        hours=table.number("hours", 24),
        sole_in=table.maybe_text("sole_in"),
        reason=table.text("reason"),
    )
    if veto.hours < 1:
        table.fault("hours", "is less than 1", "Write within how many hours of `near` nothing is deleted")
    if veto.sole_in and (veto.path or not veto.where):
        mend = 'Describe the account itself: no path, and where = { role = "owner" }'
        table.fault("sole_in", "is of an account among others", mend)
    table.end()
    return veto


def _sweep(table: MapTable) -> SweepRule:
    sweep = SweepRule(
        id=table.text("id"),
        deletes=table.choice("deletes", Swept, None),
        table=table.text("table"),
        only_with=table.texts("only_with"),
        last_used=table.texts("last_used"),
        after_days=table.number("after_days"),
        at_most=table.number("at_most", 100),
        alarm_above_percent=table.number("alarm_above_percent", 10),
    )
    if not sweep.last_used:
        table.fault("last_used", "is missing", 'Name the columns that say so, such as ["last_visit"]')
    if sweep.after_days < 1 or sweep.at_most < 1:
        table.fault("after_days", "and at_most must be 1 or more", "Write whole numbers")
    if not 1 <= sweep.alarm_above_percent <= 100:
        table.fault("alarm_above_percent", "is no share of all", "Write a whole number from 1 to 100")
    table.end()
    return sweep


def _place(table: MapTable) -> Place:
    name = table.text("table")
    place = Place(
        name=table.text("name", name),
        table=name,
        subject=table.choice("subject", Capacity, None),
        path=table.hops("path"),
        match=table.texts("match"),
        scope=table.hops("scope"),
        access=table.choice("access", Access, Access.SHOW),
        on_deletion=table.choice("on_deletion", OnDeletion, None),
        keeping=_keeping(table),
        shared=table.flag("shared"),
        may_grow=table.flag("may_grow"),
        logs_out=table.flag("logs_out"),
        category=table.text("category"),
        purpose=table.text("purpose"),
        recipients=table.texts("recipients"),
        retention=table.text("retention"),
        source=table.text("source", ""),
        columns=(),
        files=_each(table, "files", _files),
    )
    columns = table.table("columns")
    rules = tuple(_column(columns.table(name), name, place) for name in list(columns.left))
    table.end()
    return replace(place, columns=rules)


def _files(table: MapTable) -> FileRule:
    rule = FileRule(
        table.text("path"), table.text("store", DEFAULT_STORE), table.choice("access", Access, Access.SHOW)
    )
    if rule.path and (fault := template_fault(rule.path)):
        table.fault("path", fault, 'Write a path such as "accounts/{id}/": columns of the row in braces')
    if rule.access is Access.MASK:
        table.fault("access", '"mask" is for columns', "Write show or leave_out")
    table.end()
    return rule


def _keeping(table: MapTable) -> Keeping | None:
    if "keep" not in table.left:
        return None
    inner = table.table("keep")
    keeping = Keeping(inner.text("ground"), inner.text("since"), inner.number("years"))
    inner.end()
    return keeping


def _column(table: MapTable, name: str, place: Place) -> ColumnRule:
    rule = ColumnRule(
        name=name,
        field=table.maybe_text("field"),
        validator=table.choice("correct", Validator, None) if "correct" in table.left else None,
        unique=table.flag("unique"),
        access=table.choice("access", Access, place.access),
        on_deletion=table.choice("on_deletion", OnDeletion, OnDeletion.KEEP),
        replacement=table.scalar("replacement"),
        address=table.flag("address"),
        file=table.flag("file"),
        category=table.text("category", place.category),
        purpose=table.text("purpose", place.purpose),
        recipients=table.texts("recipients", place.recipients),
        retention=table.text("retention", place.retention),
        store=table.text("store", DEFAULT_STORE),
    )
    if rule.validator and not rule.field:
        table.fault("field", "is missing", "A column that can be corrected needs the field's name")
    if rule.on_deletion is OnDeletion.DELETE:
        table.fault("on_deletion", '"delete" is for whole rows', "Write null, anonymise, now or keep")
    _inside_faults(table, rule)
    table.end()
    return rule


def _inside_faults(table: MapTable, rule: ColumnRule) -> None:
    """What cannot be done with a value inside a JSON column."""
    if rule.inside and rule.file:
        table.fault("file", "cannot be inside a JSON column", "Keep paths of files in a column of their own")
    if rule.inside and (rule.on_deletion is OnDeletion.NOW or "{key}" in str(rule.replacement)):
        table.fault(
            "on_deletion", "cannot depend on time or row inside a JSON column", "Write null or a text"
        )
    if "*" in rule.inside and rule.validator:
        table.fault("correct", "cannot be for every entry of a list", "Name one value, or leave it out")
