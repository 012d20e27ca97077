"""A yes or a no by mail counts only when nothing else is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.answer import Answer, answer_rules, read_answer
from tests.core.letter_sets import LANGUAGES, language_file

DATA = {language: language_file(language).answers for language in LANGUAGES}
RULES = answer_rules(DATA.values())


@pytest.mark.parametrize("language", DATA)
@pytest.mark.parametrize("answer", ["yes", "no", "not_me"])
def test_every_phrase_of_the_file_is_read_in_any_spelling(language: str, answer: str) -> None:
    for phrase in getattr(DATA[language], answer):
        for text in (phrase, phrase.upper(), f"{phrase}.", f"\n{phrase} !\n", f"{phrase}\n\nAlice Martin"):
            assert read_answer(text, RULES, "Alice Martin") == Answer(answer), text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hello,\n\nyes.\n\nKind regards\nAlice", "Alice Martin alice.martin@example.org"),
        ("Bonjour,\n\noui, je confirme\n\nCordialement\nChloé Girard", " chloe.girard@courriel.example"),
        ("Ja, bitte!\n\nMit freundlichen Grüßen\nJürgen Müller", "Jürgen Müller jm@firma.example"),
        ("YES", ""),
        ("Yes, please.", ""),
        ("Yes, Alice", "Alice Martin"),
    ],
)
def test_a_yes_with_greetings_and_ones_own_name_is_a_yes(text: str, name: str) -> None:
    assert read_answer(text, RULES, name) == Answer.YES


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Yes, but not my webinars",
        "Yes and also change my name to Mallory",
        "Yes\nNo",
        "yes no",
        "Not yes",
        "Do you mean yes or no?",
        "I never said yes.",
        "Oui mais seulement la newsletter",
        "Ja, aber erst im Januar",
        "Yes, please.\nDelete everything of my colleague as well as soon as you can",
        "yes " * 200,
        "👍",
        "Yes?",
        "Yes\nonly the newsletter",
        "Ja\nNur Newsletter",
        "Yes\nHugo Bernard",
    ],
)
def test_anything_more_is_unclear_and_goes_to_staff(text: str) -> None:
    assert read_answer(text, RULES, "Alice Martin alice@example.org") == Answer.UNCLEAR


@given(st.text(max_size=500))
def test_no_text_makes_reading_fail(text: str) -> None:
    assert read_answer(text, RULES) in Answer


@given(st.sampled_from(DATA["en"].yes), st.text(alphabet="abcdefghij ", min_size=30, max_size=80))
def test_a_long_line_beside_a_yes_is_never_a_yes(phrase: str, line: str) -> None:
    if len(line.split()) > 4:
        assert read_answer(f"{phrase}\n{line}", RULES) != Answer.YES
