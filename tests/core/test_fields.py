"""Corrected fields are read from free text, checked, and never taken from a signature."""

from __future__ import annotations

import time

import pytest

from mailbot.core.field_values import clean_value
from mailbot.core.fields import read_fields
from mailbot.core.request import FieldChange, Kind, Language
from mailbot.core.rules import load_rulebook
from tests.core.field_phrasings import PHRASINGS
from tests.core.letter_sets import LANGUAGES, classifier, letters, rulebook


def fields(text: str, language: Language = "en") -> tuple[FieldChange, ...]:
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
    ("language", "text", "expected"),
    [
        pytest.param(code, text, expected, id=f"{code}-{number}")
        for code, cases in PHRASINGS.items()
        if code in LANGUAGES
        for number, (text, expected) in enumerate(cases)
    ],
)
def test_each_phrasing_gives_its_one_field_and_new_value(
    language: Language, text: str, expected: tuple[str, str]
) -> None:
    assert [(one.field, one.new) for one in read(text, language)] == [expected]


def read(text: str, language: Language, topics: tuple[str, ...] = ()) -> tuple[FieldChange, ...]:
    book = rulebook(language)
    letter = book.read(text)
    return read_fields(book, letter, book.hits(letter), topics)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (
            "The email should be alice@example.net, not alice@example.org.",
            "alice@example.org",
            "alice@example.net",
        ),
        ("Change alice@example.org to alice@example.net", "alice@example.org", "alice@example.net"),
        ("email: alice@example.org -> alice@example.net", "alice@example.org", "alice@example.net"),
        ("not alice@example.org but alice@example.net", "alice@example.org", "alice@example.net"),
        ("put alice@example.net instead of alice@example.org", "alice@example.org", "alice@example.net"),
        ("my email alice@example.org / alice@example.net", "alice@example.org", "alice@example.net"),
    ],
)
def test_a_contrast_tells_which_value_is_old_else_the_order_does(text: str, old: str, new: str) -> None:
    assert read(text, "en") == (FieldChange("email", old, new),)


def test_without_any_cue_words_forms_and_order_alone_give_typed_values() -> None:
    book = load_rulebook({"language": "en"}, "en")
    letter = book.read("alice@example.org, alice@example.net; +44 20 7946 0018; GB123456789")
    assert {(one.field, one.new) for one in read_fields(book, letter, book.hits(letter))} == {
        ("email", "alice@example.net"),
        ("phone", "+44 20 7946 0018"),
        ("vat_number", "GB123456789"),
    }


def test_the_subject_names_the_field_of_a_bare_contrast() -> None:
    text = "It's Leicester, not Lester."
    assert read(text, "en", ("city",)) == (FieldChange("city", "Lester", "Leicester"),)


def test_the_writer_s_own_introduction_is_not_a_correction() -> None:
    assert read("Hello, my name is Alice Moore and I cannot log in.", "en") == ()


def test_an_old_value_told_alone_gives_no_change() -> None:
    assert read("Please remove my old number 020 7946 0018.", "en") == ()


@pytest.mark.parametrize(
    "hostile",
    ["A " * 10_000, "a." * 10_000, "1 " * 10_000, "Via " * 5_000, "rue A " * 3_300, "„" * 20_000, "x@" * 10_000,
     "g. " * 6_600, "A, " * 6_600, "LT1 " * 5_000, "A1, " * 5_000, "from A to B " * 1_600, "name: A. " * 2_200],
)  # fmt: skip
def test_a_hostile_letter_takes_no_more_than_a_second(hostile: str) -> None:
    book = rulebook("en")
    letter = book.read(hostile)
    hits = book.hits(letter)
    before = time.process_time()
    read_fields(book, letter, hits)
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    ("field", "segment", "value"),
    [
        ("email", " <Alice@EXAMPLE.org>.", "Alice@example.org"),
        ("email", "alice at example", None),
        ("phone", "+37061234567", "+37061234567"),
        ("phone", "12", None),
        ("vat_number", "LT 100 001 919 017", "LT100001919017"),
        ("vat_number", "BE 0456.789.123", "BE0456789123"),
        ("vat_number", "to be sent later", None),
        ("name", ' "Anne-Marie O\'Neill"', "Anne-Marie O'Neill"),
        ("name", "alice@example.org", None),
        ("address", "Didžioji g. 18\n01128 Vilnius", "Didžioji g. 18, 01128 Vilnius"),
        ("address", "somewhere else", None),
        ("company", "ООО «Север»", "ООО «Север»"),
        ("company", " „Nordlicht GmbH“", "Nordlicht GmbH"),
        ("skype", "live:alice.moor", "live:alice.moor"),
    ],
)
def test_values_are_trimmed_normalised_or_refused(field: str, segment: str, value: str | None) -> None:
    assert clean_value(field, segment) == value


def test_the_subject_may_ask_for_the_correction_and_the_letter_bring_the_value() -> None:
    asked = classifier().understand("Please correct my email", "alice@example.net", ["en"]).asked
    assert [one.fields for one in asked if one.kind is Kind.CORRECTION] == [
        (FieldChange("email", None, "alice@example.net"),)
    ]


def test_fields_can_be_read_where_only_a_second_opinion_saw_a_correction() -> None:
    found = classifier().fields("city", "It's Leicester, not Lester.", ["en"])
    assert found == (FieldChange("city", "Lester", "Leicester"),)


def test_names_the_wrong_way_round_change_places_though_each_is_told_once() -> None:
    text = "You have my first name and last name swapped. My first name is Duncan and my last name is Craig."
    assert read(text, "en") == (
        FieldChange("first_name", "Craig", "Duncan"),
        FieldChange("last_name", "Duncan", "Craig"),
    )


def test_two_spellings_of_one_name_are_the_wrong_and_the_right_one() -> None:
    text = "Ihr System macht aus mir Bjorn. Ich heiße Björn. Mit ö."
    assert read(text, "de") == (FieldChange("first_name", "Bjorn", "Björn"),)


@pytest.mark.parametrize(
    ("language", "text", "field", "new"),
    [
        ("de", "Ort falsch: nicht Frankfurt (Oder), sondern Frankfurt am Main.", "city", "Frankfurt am Main"),
        ("en", "My city should be Portland, OR, not Portland, ME.", "city", "Portland, OR"),
        ("nl", "Mijn achternaam is Van der Meer in plaats van Vermeer.", "last_name", "Van der Meer"),
        ("de", "Neue Adresse: Am Alten Speicher 18, Ort bleibt gleich.", "address", "Am Alten Speicher 18"),
        ("de", "Vorname falsch, richtig ist Katrin. Bitte in den Kontodaten hinterlegen.", "first_name", "Katrin"),
        ("en", "Switch my country from United Kingdom to New Zealand.", "country", "New Zealand"),
        (
            "de",
            "Mein Vorname schreibt sich Katrin.\n\nKatrin Löwe – Trainerin – 0341 5550 19 – k@example.org",
            "first_name",
            "Katrin",
        ),
        ("de", "Beim Webinar „Erbrecht kompakt“ war der Ort falsch, ich wohne jetzt in Aalen.", "city", "Aalen"),
    ],
)  # fmt: skip
def test_what_stands_beside_a_value_is_not_taken_for_it(
    language: Language, text: str, field: str, new: str
) -> None:
    assert [(one.field, one.new) for one in read(text, language)] == [(field, new)]
