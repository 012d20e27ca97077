"""A letter that tells the stored value and the right one asks for a correction, though no verb says so."""

from __future__ import annotations

import pytest

from mailbot.core.request import Asked, Capacity, Kind, Language
from mailbot.core.told_values import VALUES_TOLD
from tests.core.letter_sets import classifier


def corrections(text: str, *languages: Language) -> list[Asked]:
    asked = classifier().understand("", text, languages).asked
    return [one for one in asked if any(evidence.rule == VALUES_TOLD.id for evidence in one.evidence)]


@pytest.mark.parametrize(
    ("language", "text", "new"),
    [
        ("es", "No es Vera Lopes, es Vera López.", "Vera López"),
        ("fr", "Là, c'est Alice Moreau et pas Alice Moraud.", "Alice Moreau"),
        ("it", "Non Hugo Russo, bensì Hugo Rossi.", "Hugo Rossi"),
    ],
)
def test_old_and_new_value_correct_without_a_verb(language: Language, text: str, new: str) -> None:
    (correction,) = corrections(text, language)
    assert [one.new for one in correction.fields] == [new]
    assert [evidence.text for evidence in correction.evidence] == [new]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "No es verdad, es mentira."),
        ("fr", "Ce n'est pas un webinaire, c'est une blague."),
        ("de", "Das ist kein Webinar, sondern ein Witz."),
    ],
)
def test_words_that_are_no_names_correct_nothing(language: Language, text: str) -> None:
    assert not corrections(text, language)


def test_values_count_only_where_the_language_is_known() -> None:
    assert not corrections("No es Vera Lopes, es Vera López.", "es", "pt")


def test_the_capacity_is_kept_where_only_a_question_is_read() -> None:
    understanding = classifier().understand("", "¿Mis asistentes ven esto?", ["es"])
    assert [(one.kind, one.capacity) for one in understanding.asked] == [(Kind.QUESTION, Capacity.HOST)]
