"""What letters ask is read as people mean it; when in doubt, no deletion."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.classify import TOO_LONG, Classifier, check_examples
from mailbot.core.request import SERVING_ORDER, Capacity, Kind, Language
from tests.core.letter_sets import LANGUAGES, classifier, letters, rulebook

EN = ["en"]


def kinds(text: str, subject: str = "", languages: list[Language] = EN) -> list[Kind]:
    return [asked.kind for asked in classifier().understand(subject, text, languages).asked]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_keeps_its_own_examples(language: Language) -> None:
    assert check_examples(rulebook(language)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_85_of_100_letters_have_exactly_the_right_kinds(language: Language) -> None:
    cases = letters(language)
    assert len(cases) >= 60
    assert sum(case.hard for case in cases) * 3 >= len(cases)
    wrong = [
        case.text
        for case in cases
        if not case.is_met_by(classifier().understand(case.subject, case.text, [language]))
    ]
    assert len(wrong) <= 0.15 * len(cases), wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_letter_is_read_as_a_deletion_it_does_not_ask_for_without_a_doubt(language: Language) -> None:
    for case in letters(language):
        understanding = classifier().understand(case.subject, case.text, [language])
        deletes = any(asked.kind is Kind.DELETION for asked in understanding.asked)
        assert not deletes or understanding.doubts or "deletion" in case.kinds, case.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_for_a_person_carry_a_doubt_and_withdrawals_are_seen(language: Language) -> None:
    for case in letters(language):
        understanding = classifier().understand(case.subject, case.text, [language])
        assert understanding.doubts or not case.doubt, case.text
        assert understanding.withdraws is case.withdraws, case.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_capacities_are_told_from_what_people_say_of_themselves(language: Language) -> None:
    for case in letters(language):
        if case.capacity:
            asked = classifier().understand(case.subject, case.text, [language]).asked
            assert Capacity(case.capacity) in {one.capacity for one in asked}, case.text


def test_requests_come_in_serving_order() -> None:
    asked = kinds("Delete my account, but first send me a copy of my data and unsubscribe me.")
    assert asked == sorted(asked, key=SERVING_ORDER.__getitem__)
    assert asked == [Kind.UNSUBSCRIBE, Kind.ACCESS, Kind.DELETION]


def test_evidence_offsets_count_characters_of_the_original_text() -> None:
    text = "Ǆ ﬁne — cafe\u0301 œuvre. Merci de SUPPRIMER MON COMPTE, Ça suffit."
    asked = classifier().understand("", text, ["fr"]).asked[0]
    assert asked.kind is Kind.DELETION
    for evidence in asked.evidence:
        assert text[evidence.start : evidence.end] == evidence.text
    assert "SUPPRIMER MON COMPTE" in asked.evidence[0].text


def test_a_request_in_the_subject_alone_is_read_and_marked() -> None:
    asked = classifier().understand("Please delete my account", "Thanks, Alice", EN).asked
    assert [one.kind for one in asked] == [Kind.DELETION]
    assert asked[0].evidence[0].in_subject


def test_the_subject_of_a_reply_is_somebody_elses_words() -> None:
    assert kinds("Thank you!", subject="Re: Delete my account") == [Kind.OTHER]


def test_a_title_that_names_a_wish_is_doubted_when_the_letter_only_asks_a_question() -> None:
    understanding = classifier().understand("Delete my account", "How do I delete my account?", EN)
    assert understanding.doubts
    assert classifier().understand("Delete my account", "Thanks, Alice", EN).doubts == ()


def test_a_wish_and_its_contrary_in_one_letter_are_doubted() -> None:
    understanding = classifier().understand("Delete my account", "Please do not delete my account.", EN)
    assert understanding.doubts


def test_nothing_recognisable_is_other_with_low_confidence() -> None:
    asked = classifier().understand("", "The weather is nice today.", EN).asked
    assert [one.kind for one in asked] == [Kind.OTHER]
    assert asked[0].confidence < 0.5


def test_an_unsure_language_is_read_with_every_language() -> None:
    assert kinds("Bonjour, thanks, supprimez mon compte", languages=list(LANGUAGES)) == [Kind.DELETION]


def test_a_language_without_rules_is_other() -> None:
    assert Classifier({}).understand("", "Ištrinkite mano paskyrą", ["lt"]).asked[0].kind is Kind.OTHER


def test_a_question_that_no_rule_knows_is_other_only_where_nothing_else_is_asked() -> None:
    russian = ["ru"]
    assert kinds("А картошку после томатов сажать можно?", languages=russian) == [Kind.OTHER]
    assert kinds("Как у вас дела? Удалите мой аккаунт.", languages=russian) == [Kind.DELETION]


def test_a_letter_too_long_to_be_read_whole_is_doubted_and_read_quickly() -> None:
    before = time.perf_counter()
    understanding = classifier().understand("", "please do not delete my my account " * 30_000, EN)
    assert TOO_LONG in understanding.doubts
    assert time.perf_counter() - before < 2


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.sampled_from(LANGUAGES))
def test_any_text_is_understood_as_something_with_evidence_inside_it(text: str, language: Language) -> None:
    """Invariant: never an error, at least one kind, and every evidence is a piece of its text."""
    understanding = classifier().understand(text, text, [language])
    assert understanding.asked
    for asked in understanding.asked:
        for evidence in asked.evidence:
            assert text[evidence.start : evidence.end] == evidence.text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The button “Delete my account” gives an error."),
        ("fr", "J'ai cliqué sur « supprimer mon compte » et il ne se passe rien."),
        ("de", "Der Knopf „Konto löschen“ bringt einen Fehler."),
    ],
)
def test_words_that_stand_in_quotation_marks_ask_nothing(language: Language, text: str) -> None:
    assert Kind.DELETION not in kinds(text, languages=[language])


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Please send me a copy of my data or delete my account."),
        ("fr", "Je demande l'accès ou la suppression de mes données."),
        ("de", "Ich bitte um Auskunft oder Löschung meiner Daten."),
    ],
)
def test_one_thing_or_the_other_is_for_a_person_to_settle(language: Language, text: str) -> None:
    understanding = classifier().understand("", text, [language])
    assert understanding.doubts


def test_the_threat_that_ends_every_formal_letter_is_no_complaint() -> None:
    text = (
        "I request the erasure of my personal data under Article 17 GDPR. If you do not answer within the period, "
        "I reserve the right to take legal action and to lodge a complaint with the supervisory authority."
    )
    understanding = classifier().understand("", text, EN)
    assert [one.kind for one in understanding.asked] == [Kind.DELETION]
    assert understanding.doubts == ()


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            "I am a lawyer. On behalf of my client I request the deletion of her account.",
            True,
        ),
        ("fr", "Avocat de Mme Morel, je demande la suppression du compte de ma cliente.", True),
        (
            "de",
            "Als Rechtsanwalt beantrage ich für meine Mandantin die Löschung ihres Kontos.",
            True,
        ),
        ("en", "Detective Miller, Metropolitan Police: we need the IP address of a user.", True),
        ("en", "Delete my account or I will call my lawyer.", False),
    ],
)
def test_letters_of_lawyers_and_authorities_are_marked_formal(
    language: Language, text: str, expected: bool
) -> None:
    assert classifier().understand("", text, [language]).formal is expected
