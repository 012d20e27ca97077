"""The fields that a person named, as the fields that the platform has: a whole name, or its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mailbot.core.plan import FieldView
from mailbot.core.request import FieldChange

WHOLE, FIRST, LAST = "name", "first_name", "last_name"
Present = Mapping[str, str | None]
"""field → what stands on the platform"""


def fitted(changes: Sequence[FieldChange], fields: Sequence[FieldView]) -> tuple[FieldChange, ...]:
    """The changes in the platform's own fields: parts of a name become the whole name where it has only that, a
    whole name its parts where it has only those, and what already stands as asked is no change."""
    present = {field.name: field.value for field in fields}
    found: dict[str, FieldChange] = {}
    for change in changes:
        for one in _in_own_fields(change, present, found):
            found[one.field] = one
    return tuple(change for change in found.values() if present.get(change.field) != change.new)


def _in_own_fields(
    change: FieldChange, present: Present, found: Mapping[str, FieldChange]
) -> Iterator[FieldChange]:
    if change.field in (FIRST, LAST) and change.field not in present and WHOLE in present:
        whole = found[WHOLE].new if WHOLE in found else present[WHOLE] or ""
        yield FieldChange(WHOLE, present[WHOLE], _with_part(whole, change))
    elif change.field == WHOLE and WHOLE not in present and {FIRST, LAST} <= present.keys():
        yield from _in_parts(change, present)
    else:
        yield change


def _with_part(whole: str, change: FieldChange) -> str:
    """The whole name with its first or last part replaced; by the old part where that stands in it."""
    words = whole.split()
    if change.old and change.old.casefold() in (word.casefold() for word in words):
        return " ".join(change.new if word.casefold() == change.old.casefold() else word for word in words)
    if change.field == FIRST:
        return " ".join([change.new, *words[1:]])
    return " ".join([*words[:1], change.new])


def _in_parts(change: FieldChange, present: Present) -> Iterator[FieldChange]:
    """First and last name out of a whole one. A single word is the part that it replaces; where none is known it
    stays the whole name, which the platform refuses and staff read."""
    on_file = {part: _words((present[part] or "").split()) for part in (FIRST, LAST)}
    words = change.new.split()
    if len(words) > 1:
        first, last = _split(words, on_file[FIRST], on_file[LAST])
        yield FieldChange(FIRST, present[FIRST], first)
        yield FieldChange(LAST, present[LAST], last)
        return
    replaced = [part for part in on_file if change.old and _words(change.old.split()) == on_file[part]]
    yield FieldChange(replaced[0], present[replaced[0]], change.new) if len(replaced) == 1 else change


def _split(words: list[str], first: list[str], last: list[str]) -> tuple[str, str]:
    """The part that stays as it is on file tells where the other begins, on whichever side it is written. Both
    the other way round is what somebody writes whose names were swapped."""
    halves = [(words[:at], words[at:]) for at in range(1, len(words))]
    halves.sort(key=lambda half: _words(half[1]) != last)  # a middle name goes with the first
    for given, family in halves:
        if _words(given) == first or _words(family) == last:
            return " ".join(given), " ".join(family)
    for family, given in halves:
        if (_words(given) == first) != (_words(family) == last):
            return " ".join(given), " ".join(family)
    at = min(max(len(first), 1), len(words) - 1)
    return " ".join(words[:at]), " ".join(words[at:])


def _words(words: Sequence[str]) -> list[str]:
    return [word.casefold() for word in words]
