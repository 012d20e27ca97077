"""A correction is asked of the fields that the platform has, however the person named them."""

from __future__ import annotations

import pytest

from mailbot.core.fitting import fitted
from mailbot.core.plan import FieldView
from mailbot.core.request import FieldChange


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


def test_parts_of_a_name_become_the_whole_name_where_there_is_only_that() -> None:
    fields = [FieldView("name", "Hugo Bauer", True, "")]
    changes = [FieldChange("last_name", None, "Baur"), FieldChange("first_name", None, "Ugo")]
    assert [(one.field, one.new) for one in fitted(changes, fields)] == [("name", "Ugo Baur")]
