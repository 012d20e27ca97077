"""A correction is asked of the fields that the platform has, however the person named them."""

from __future__ import annotations

import pytest

from mailbot.core.fitting import fitted
from mailbot.core.plan import FieldView
from mailbot.core.request import FieldChange

NAME = FieldView("name", "Alice Smiht", changeable=True, label_key="name")
PHONE = FieldView("phone", "1", changeable=True, label_key="phone")


def asked(name: str, old: str | None, first: str | None, last: str | None) -> dict[str, str]:
    fields = [FieldView("first_name", first, True, ""), FieldView("last_name", last, True, "")]
    return {one.field: one.new for one in fitted([FieldChange("name", old, name)], fields)}


@pytest.mark.parametrize(
    ("name", "first", "last", "changes"),
    [
        ("Hugo Baur", "Hugo", "Bauer", {"last_name": "Baur"}),
        ("Ugo Bauer", "Hugo", "Bauer", {"first_name": "Ugo"}),
        ("Anna Maria Keller", "Anna", "Keller", {"first_name": "Anna Maria"}),
        ("Anna Keller Brandt", "Anna", "Keller", {"last_name": "Keller Brandt"}),
        ("Baur Hugo", "Hugo", "Bauer", {"last_name": "Baur"}),
        ("Martin Paul", "Paul", "Martin", {"first_name": "Martin", "last_name": "Paul"}),
        ("Hugo Bauer", "hugo", "bauer", {"first_name": "Hugo", "last_name": "Bauer"}),
        ("Vera de la Cruz", "", None, {"first_name": "Vera", "last_name": "de la Cruz"}),
        ("Hugo Bauer", "Hugo", "Bauer", {}),
    ],
)
def test_a_whole_name_becomes_the_parts_that_the_platform_has(
    name: str, first: str, last: str | None, changes: dict[str, str]
) -> None:
    assert asked(name, None, first, last) == changes


def test_a_single_word_is_the_part_that_it_replaces_and_else_left_to_staff() -> None:
    assert asked("Baur", "Bauer", "Hugo", "Bauer") == {"last_name": "Baur"}
    assert asked("Baur", None, "Hugo", "Bauer") == {"name": "Baur"}


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
