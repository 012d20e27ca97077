"""A correction as the person edits it."""

from __future__ import annotations

from mailbot.core.correction import edited, new_address
from mailbot.core.request import Asked, Capacity, FieldChange, Kind


def asked(*changes: FieldChange, kind: Kind = Kind.CORRECTION) -> Asked:
    return Asked(kind, Capacity.USER, 1.0, fields=changes)


def test_what_was_edited_replaces_what_was_asked_and_an_emptied_field_is_left_as_it_is() -> None:
    before = asked(FieldChange("phone", "1", "2"), FieldChange("name", None, "Alice"))
    after = edited(before, {"phone": " 3 ", "name": " ", "town": "Riga"})
    assert after.fields == (FieldChange("phone", "1", "3"), FieldChange("town", None, "Riga"))


def test_where_nothing_was_edited_what_was_asked_stands() -> None:
    before = asked(FieldChange("phone", "1", "2"))
    assert edited(before, None) == before


def test_only_a_correction_can_be_edited() -> None:
    deletion = asked(kind=Kind.DELETION)
    assert edited(deletion, {"phone": "3"}) == deletion


def test_the_new_address_is_the_one_asked_for_as_email() -> None:
    wanted = FieldChange("email", "alice@example.org", "alice@example.net")
    assert new_address(asked(FieldChange("phone", None, "2"), wanted)) == "alice@example.net"
    assert new_address(asked(FieldChange("phone", None, "2"))) is None
