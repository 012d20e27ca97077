"""A correction as the person edits it, in the platform's own fields."""

from __future__ import annotations

import pytest

from mailbot.core.correction import edited, fitted, new_address
from mailbot.core.plan import FieldView
from mailbot.core.request import Asked, Capacity, FieldChange, Kind

NAME = FieldView("name", "Alice Smiht", changeable=True, label_key="name")
PHONE = FieldView("phone", "1", changeable=True, label_key="phone")


def asked(*changes: FieldChange, kind: Kind = Kind.CORRECTION) -> Asked:
    return Asked(kind, Capacity.USER, 1.0, fields=changes)


@pytest.mark.parametrize(
    ("changes", "whole"),
    [
        ([FieldChange("first_name", None, "Alicia")], "Alicia Smiht"),
        ([FieldChange("last_name", None, "Smith")], "Alice Smith"),
        ([FieldChange("last_name", "alice", "Alicia")], "Alicia Smiht"),
        ([FieldChange("first_name", None, "Vera"), FieldChange("last_name", None, "Smith")], "Vera Smith"),
    ],
)
def test_parts_of_a_name_become_the_whole_name_where_the_platform_has_only_that(
    changes: list[FieldChange], whole: str
) -> None:
    assert fitted(changes, [NAME]) == (FieldChange("name", "Alice Smiht", whole),)


def test_a_platform_that_has_the_part_keeps_it() -> None:
    first = FieldView("first_name", "Alcie", changeable=True, label_key="first_name")
    change = FieldChange("first_name", "Alcie", "Alice")
    assert fitted([change], [NAME, first]) == (change,)


def test_what_stands_as_asked_already_is_no_change() -> None:
    assert fitted([FieldChange("phone", None, "1")], [PHONE]) == ()


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
