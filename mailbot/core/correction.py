"""What a correction asks for, in the platform's own fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mailbot.core.plan import FieldView
from mailbot.core.request import Asked, FieldChange, Kind

_PARTS = ("first_name", "last_name")


def new_address(asked: Asked) -> str | None:
    """The e-mail address a correction wants to have on file."""
    return next((change.new for change in asked.fields if change.field == "email"), None)


def edited(asked: Asked, values: Mapping[str, str] | None) -> Asked:
    """What was asked, as the person edited it: field to value, None when nothing was. An emptied field is left as
    it is."""
    if asked.kind != Kind.CORRECTION or values is None:
        return asked
    old = {change.field: change.old for change in asked.fields}
    wanted = ((field, value.strip()) for field, value in values.items())
    changes = tuple(FieldChange(field, old.get(field), value) for field, value in wanted if value)
    return replace(asked, fields=changes)


def fitted(changes: Sequence[FieldChange], fields: Sequence[FieldView]) -> tuple[FieldChange, ...]:
    """The changes in the platform's own fields: parts of a name become the whole name where it has only that,
    and what already stands as asked is no change."""
    present = {field.name: field.value for field in fields}
    found: dict[str, FieldChange] = {}
    for change in changes:
        if change.field in _PARTS and change.field not in present and "name" in present:
            whole = found["name"].new if "name" in found else present["name"] or ""
            found["name"] = FieldChange("name", present["name"], _with_part(whole, change))
        else:
            found[change.field] = change
    return tuple(change for change in found.values() if present.get(change.field) != change.new)


def _with_part(whole: str, change: FieldChange) -> str:
    """The whole name with its first or last part replaced; by the old part where that stands in it."""
    words = whole.split()
    if change.old and change.old.casefold() in (word.casefold() for word in words):
        return " ".join(change.new if word.casefold() == change.old.casefold() else word for word in words)
    if change.field == "first_name":
        return " ".join([change.new, *words[1:]])
    return " ".join([*words[:1], change.new])
