"""What in a data map contradicts itself, although every key can be read."""

from __future__ import annotations

from collections.abc import Iterator

from mailbot.core.data_map import DataMap, Hop, OnDeletion, Place, Swept
from mailbot.core.data_map_table import MapFault
from mailbot.core.request import Capacity


def contradictions(data_map: DataMap, *, linked: bool) -> Iterator[MapFault]:
    """Each contradiction with its mend. `linked`: the map must say what leads from a row to the person."""
    seen: set[tuple[str, Capacity]] = set()
    for index, place in enumerate(data_map.places, start=1):
        where, path = f"places ({place.name}, {place.subject})", ("places", index)
        if (place.name, place.subject) in seen:
            yield MapFault(where, "is described twice", "Join the two, or give one another name", path)
        seen.add((place.name, place.subject))
        for problem, mend in _of_place(data_map, place, linked):
            yield MapFault(where, problem, mend, path)
    if linked and data_map.visitor and not data_map.visitor.host:
        mend, visitor = "Say how a visitor's row leads to the host's account", ("subjects", "visitor", "host")
        yield MapFault("subjects.visitor.host", "is missing", mend, visitor)
    yield from _missing_roots(data_map)
    yield from _of_former(data_map)
    if linked:
        yield from _of_guards(data_map)


def _of_guards(data_map: DataMap) -> Iterator[MapFault]:
    """Vetoes and sweeps that do not speak of accounts where they must."""
    user = data_map.user.table
    for index, veto in enumerate(data_map.vetoes, start=1):
        ends = veto.path[-1].table if veto.path else veto.table
        if ends != user:
            yield MapFault(
                f"vetoes ({veto.id})", f'leads to "{ends}"', f'End its path at "{user}"', ("vetoes", index)
            )
    for index, sweep in enumerate(data_map.sweeps, start=1):
        if sweep.deletes is Swept.ACCOUNTS and sweep.table != user:
            mend = f'Write table = "{user}", or deletes = "rows"'
            yield MapFault(
                f"sweeps ({sweep.id})", f'"{sweep.table}" holds no accounts', mend, ("sweeps", index)
            )


def _missing_roots(data_map: DataMap) -> Iterator[MapFault]:
    tables = {(place.table, place.subject) for place in data_map.places}
    for rule in (data_map.user, data_map.visitor):
        if rule and (rule.table, rule.capacity) not in tables:
            mend = f'Add [[places]] with table = "{rule.table}", subject = "{rule.capacity}"'
            where = f"subjects.{rule.capacity}"
            yield MapFault(
                where, f'its own table "{rule.table}" is no place', mend, ("subjects", rule.capacity)
            )


def _of_former(data_map: DataMap) -> Iterator[MapFault]:
    user = data_map.user
    for index, former in enumerate(user.former, start=1):
        if former.link.table and (
            former.link.table != user.table or set(former.link.targets) != set(user.key)
        ):
            where = "subjects.user.former_addresses"
            mend = f'Link it to the key: "{user.table}.{user.key[0]}"'
            path = ("subjects", "user", "former_addresses", index)
            yield MapFault(where, "does not lead to an account by its key", mend, path)


def _of_place(data_map: DataMap, place: Place, linked: bool) -> Iterator[tuple[str, str]]:
    rule = data_map.subject_rule(place.subject)
    if place.subject not in (Capacity.USER, Capacity.VISITOR) or rule is None:
        yield f'subject "{place.subject}" is not described', "Write user or visitor, and describe it"
        return
    root = place.table == rule.table
    if linked and not root and not place.path and not place.match:
        yield "nothing leads to the person", "Add path, match, or both"
    ends = place.path[-1].table if place.path else rule.table
    if ends != rule.table:
        yield f'path ends at "{ends}"', f'End it at "{rule.table}", the table of subjects.{place.subject}'
    yield from _of_keeping(place, linked)
    if place.subject is Capacity.VISITOR and place.match and not root and not place.scope:
        yield "match without scope", "Say by scope which link leads to the host: visitors belong to one host"
    if any("*" in name for name in place.match):
        yield "match looks into every entry of a list", "Match by one value inside the JSON column"


def _of_keeping(place: Place, linked: bool) -> Iterator[tuple[str, str]]:
    if place.on_deletion is OnDeletion.KEEP and place.keeping is None:
        yield "keeps rows without a legal ground", "Add keep = { ground = …, since = …, years = … }"
    if place.on_deletion in (OnDeletion.NULL, OnDeletion.NOW):
        mend = f"Write anonymise, and {place.on_deletion} at each column"
        yield f'on_deletion "{place.on_deletion}" is for columns', mend
    if linked and place.shared and not _is_plain(place.path):
        yield "shared needs a path of one plain link", 'Write path = ["id = accounts.company_id"]'
    if place.keeping and place.on_deletion is not OnDeletion.KEEP:
        yield "has a ground for keeping but does not keep", 'Write on_deletion = "keep"'


def _is_plain(path: tuple[Hop, ...]) -> bool:
    return len(path) == 1 and len(path[0].columns) == 1 and not path[0].only
