"""Every table and column that a data map names, and where it names it."""

from __future__ import annotations

from collections.abc import Iterator

from mailbot.core.data_map import DataMap, Hop, Place, SubjectRule, Veto
from mailbot.core.file_paths import columns_in

Named = tuple[str, str, str]
"""table, column, where in the map"""


def named_columns(data_map: DataMap) -> frozenset[tuple[str, str]]:
    """table, column of everything that the map names."""
    return frozenset((table, column) for table, column, _ in names_of(data_map))


def names_of(data_map: DataMap) -> Iterator[Named]:
    """Everything that the map names; what is named twice comes twice."""
    for rule in (data_map.user, data_map.visitor):
        if rule:
            yield from _of_subject(rule)
    if data_map.visitor and data_map.visitor.mode_column:
        yield data_map.user.table, data_map.visitor.mode_column, "subjects.visitor"
    for place in data_map.places:
        yield from _of_place(place)
    for promotion in data_map.promotions:
        yield promotion.table, promotion.address, "promotions"
        if promotion.column:
            yield promotion.table, promotion.column, "promotions"
    for limit in data_map.limits:
        where = f"limits ({limit.id})"
        yield from _of_path(limit.table, limit.path, where)
        if limit.after_now:
            yield limit.table, limit.after_now, where
    for veto in data_map.vetoes:
        yield from _of_veto(veto)
    for sweep in data_map.sweeps:
        names = (*sweep.only_with, *sweep.last_used)
        yield from ((sweep.table, name, f"sweeps ({sweep.id})") for name in names)


def _of_veto(veto: Veto) -> Iterator[Named]:
    where = f"vetoes ({veto.id})"
    names = (*(name for name, _ in veto.where), *veto.empty, veto.near, veto.sole_in)
    yield from ((veto.table, name, where) for name in names if name)
    yield from _of_path(veto.table, veto.path, where)


def _of_subject(rule: SubjectRule) -> Iterator[Named]:
    where = f"subjects.{rule.capacity}"
    names = (*rule.key, rule.address, rule.name, rule.language, rule.changed_at, rule.created_at)
    yield from ((rule.table, name, where) for name in names if name)
    yield from ((rule.table, name, where) for name, _ in rule.deactivate)
    yield from ((rule.table, flag.column, where) for flag in (rule.restriction, rule.objection) if flag)
    yield from _of_path(rule.table, rule.host, where)
    for former in rule.former:
        yield former.table, former.address, where
        yield from _of_path(former.table, (former.link,), where)
        if former.changed_at:
            yield former.table, former.changed_at, where
    if rule.event:
        yield from _of_path(rule.table, rule.event.path, where)
        yield rule.event.path[-1].table, rule.event.title, where
        yield rule.event.path[-1].table, rule.event.held_at, where


def _of_place(place: Place) -> Iterator[Named]:
    where = f"places ({place.name}, {place.subject})"
    yield from ((place.table, rule.column, where) for rule in place.columns)
    yield from ((place.table, name, where) for rule in place.files for name in columns_in(rule.path))
    yield from ((place.table, name.partition(".")[0], where) for name in place.match)
    if place.keeping:
        yield place.table, place.keeping.since, where
    yield from _of_path(place.table, place.path, where)
    yield from _of_path(place.table, place.scope, where)


def _of_path(table: str, path: tuple[Hop, ...], where: str) -> Iterator[Named]:
    for hop in path:
        yield from ((table, name, where) for name in hop.named)
        yield from ((hop.table, name, where) for name in hop.targets)
        table = hop.table
