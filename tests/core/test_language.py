"""The letter's language is named, and doubt is shown as doubt."""

from __future__ import annotations

import pytest

from mailbot.core.language import LanguageGuesser
from mailbot.core.request import Language
from tests.core.letter_sets import LANGUAGES, language_file

SIGNS = {language: language_file(language).signs for language in LANGUAGES}
GUESSER = LanguageGuesser(SIGNS)

LETTERS = {
    "fr": "Bonjour, je vous prie de supprimer mon compte et toutes mes données.",
    "en": "Hello, please delete my account and everything you know about me.",
    "de": "Guten Tag, bitte löschen Sie mein Konto und alle meine Daten.",
    "es": "Buenos días, quiero que borren mi cuenta y todos mis datos.",
    "it": "Buongiorno, vorrei che cancellaste il mio account e tutti i miei dati.",
    "pt": "Bom dia, quero que apaguem a minha conta e todos os meus dados.",
    "nl": "Goedendag, graag mijn account en al mijn gegevens verwijderen.",
    "pl": "Dzień dobry, proszę o usunięcie mojego konta i wszystkich danych.",
    "lt": "Laba diena, prašau ištrinti mano paskyrą ir visus duomenis.",
    "uk": "Добрий день, будь ласка, видаліть мій акаунт і всі мої дані.",
    "ru": "Здравствуйте, пожалуйста, удалите мой аккаунт и все мои данные.",
}
SHORT = {
    "Désinscrire": "fr", "Remove me": "en", "Abmelden": "de", "baja": "es",
    "cancellami": "it", "Quero cancelar": "pt", "uitschrijven": "nl", "usuń konto": "pl",
    "ištrinkite mane": "lt", "видалити": "uk", "удалить": "ru", "stop": "en",
}  # fmt: skip


@pytest.mark.parametrize(("language", "letter"), LETTERS.items())
def test_a_sentence_is_enough_to_be_sure(language: Language, letter: str) -> None:
    guess = GUESSER.guess(letter)
    assert guess.language == language
    assert guess.confidence >= 0.9


@pytest.mark.parametrize(("text", "language"), SHORT.items())
def test_a_word_or_two_names_the_likeliest(text: str, language: Language) -> None:
    assert GUESSER.guess(text).language == language


@pytest.mark.parametrize(
    "text", ["", "  \n", "123 456", "https://example.org/delete", "削除してください", "احذف حسابي"]
)
def test_no_letters_of_ours_is_no_language(text: str) -> None:
    assert GUESSER.guess(text).language is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("dobryj vecher! proshu udalit moj akkaunt polnostju, ja bolshe ne vedu kursy na vashem sajte", "ru"),
        ("otpishite menya", "ru"),
        ("ispravte pozhaluista moj nomer telefona", "ru"),
        ("ne shlit meni bilshe reklamu budlaska", "uk"),
        ("pryvit, vydalit bud laska mij akaunt na vashomu sajti, vin meni bilshe ne potriben", "uk"),
    ],
)
def test_cyrillic_languages_in_latin_letters_are_named_but_never_sure(text: str, language: Language) -> None:
    guess = GUESSER.guess(text)
    assert guess.language == language
    assert guess.confidence < 0.9


def test_a_language_that_is_not_configured_is_never_sure() -> None:
    czech = "Dobrý den, prosím o smazání všech mých osobních údajů z vaší databáze a o potvrzení."
    assert GUESSER.guess(czech).confidence < 0.9


def test_only_configured_languages_are_named() -> None:
    assert LanguageGuesser({one: SIGNS[one] for one in ("fr", "en")}).guess(LETTERS["de"]).language in (
        "fr",
        "en",
    )


def test_links_and_addresses_do_not_count() -> None:
    letter = "https://www.example.org/please/delete/my/account privacy@example.org Konto löschen bitte"
    assert GUESSER.guess(letter).language == "de"
