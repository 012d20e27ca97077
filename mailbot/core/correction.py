"""What a correction asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mailbot.core.request import Asked, FieldChange, Kind


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
