"""Corrected fields are read from free text, checked, and never taken from a signature."""

from __future__ import annotations

import pytest

from mailbot.core.fields import clean_value
from mailbot.core.request import FieldChange, Kind, Language
from tests.core.letter_sets import LANGUAGES, classifier, letters


def fields(text: str, language: Language = Language.EN) -> tuple[FieldChange, ...]:
    asked = classifier().understand("", text, [language]).asked
    return next((one.fields for one in asked if one.kind is Kind.CORRECTION), ())


@pytest.mark.parametrize("language", LANGUAGES)
def test_three_of_four_corrections_have_the_right_field_and_values(language: Language) -> None:
    cases = [case for case in letters(language) if case.fields]
    right = [
        case
        for case in cases
        if tuple((one.field, one.old, one.new) for one in fields(case.text, language)) == case.fields
    ]
    assert len(right) >= 0.75 * len(cases), [case.text for case in cases if case not in right]


def test_a_signature_is_not_a_correction() -> None:
    text = "Please correct my surname: it is spelled Moore, not Moor.\nAlice Moore\nTrainer\nPhone: +44 20 7946 0018"
    assert fields(text) == (FieldChange("last_name", "Moor", "Moore"),)


def test_several_fields_of_one_letter_are_all_read() -> None:
    text = "My new email is alice@example.net. My new phone number is +370 612 34567."
    assert {one.field for one in fields(text)} == {"email", "phone"}


def test_values_of_the_identification_block_are_not_corrections() -> None:
    text = (
        "Please correct my surname from Harrowgat to Harrowgate.\n\nTo identify me:\nName: Alice Harrowgate\n"
        "E-mail: alice@example.org\nAddress: 12 Mill Lane, Leeds"
    )
    assert fields(text) == (FieldChange("last_name", "Harrowgat", "Harrowgate"),)


@pytest.mark.parametrize(
    ("field", "segment", "value"),
    [
        ("email", " <Alice@EXAMPLE.org>.", "Alice@example.org"),
        ("email", "alice at example", None),
        ("phone", "+37061234567", "+370 612 34567"),
        ("phone", "12", None),
        ("vat_number", "LT 100 001 919 017", "LT100001919017"),
        ("vat_number", "to be sent later", None),
        ("name", ' "Anne-Marie O\'Neill".', "Anne-Marie O'Neill"),
        ("name", "the new one", None),
        ("address", ": Didžioji g. 18, 01128 Vilnius. Thank you", "Didžioji g. 18, 01128 Vilnius"),
        ("company", " „Nordlicht GmbH“", "Nordlicht GmbH"),
        ("skype", "live:alice.moor", "live:alice.moor"),
    ],
)
def test_values_are_trimmed_normalised_or_refused(field: str, segment: str, value: str | None) -> None:
    assert clean_value(field, segment) == value
