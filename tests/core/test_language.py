"""The letter's language is named, and doubt is shown as doubt."""

from __future__ import annotations

import pytest

from mailbot.core.language import LanguageGuesser
from mailbot.core.request import Language

GUESSER = LanguageGuesser(Language)

LETTERS = {
    Language.FR: "Bonjour, je vous prie de supprimer mon compte et toutes mes données.",
    Language.EN: "Hello, please delete my account and everything you know about me.",
    Language.DE: "Guten Tag, bitte löschen Sie mein Konto und alle meine Daten.",
    Language.ES: "Buenos días, quiero que borren mi cuenta y todos mis datos.",
    Language.IT: "Buongiorno, vorrei che cancellaste il mio account e tutti i miei dati.",
    Language.PT: "Bom dia, quero que apaguem a minha conta e todos os meus dados.",
    Language.NL: "Goedendag, graag mijn account en al mijn gegevens verwijderen.",
    Language.PL: "Dzień dobry, proszę o usunięcie mojego konta i wszystkich danych.",
    Language.LT: "Laba diena, prašau ištrinti mano paskyrą ir visus duomenis.",
    Language.UK: "Добрий день, будь ласка, видаліть мій акаунт і всі мої дані.",
    Language.RU: "Здравствуйте, пожалуйста, удалите мой аккаунт и все мои данные.",
}
SHORT = {
    "Désinscrire": Language.FR, "Remove me": Language.EN, "Abmelden": Language.DE, "baja": Language.ES,
    "cancellami": Language.IT, "Quero cancelar": Language.PT, "uitschrijven": Language.NL, "usuń konto": Language.PL,
    "ištrinkite mane": Language.LT, "видалити": Language.UK, "удалить": Language.RU, "stop": Language.EN,
}  # fmt: skip


@pytest.mark.parametrize(("language", "letter"), LETTERS.items())
def test_a_sentence_is_enough_to_be_sure(language: Language, letter: str) -> None:
    guess = GUESSER.guess(letter)
    assert guess.language is language
    assert guess.confidence >= 0.9


@pytest.mark.parametrize(("text", "language"), SHORT.items())
def test_a_word_or_two_names_the_likeliest(text: str, language: Language) -> None:
    assert GUESSER.guess(text).language is language


@pytest.mark.parametrize(
    "text", ["", "  \n", "123 456", "https://example.org/delete", "削除してください", "احذف حسابي"]
)
def test_no_letters_of_ours_is_no_language(text: str) -> None:
    assert GUESSER.guess(text).language is None


def test_a_language_that_is_not_configured_is_never_sure() -> None:
    czech = "Dobrý den, prosím o smazání všech mých osobních údajů z vaší databáze a o potvrzení."
    assert GUESSER.guess(czech).confidence < 0.9


def test_only_configured_languages_are_named() -> None:
    assert LanguageGuesser([Language.FR, Language.EN]).guess(LETTERS[Language.DE]).language in (
        Language.FR,
        Language.EN,
    )


def test_links_and_addresses_do_not_count() -> None:
    letter = "https://www.example.org/please/delete/my/account privacy@example.org Konto löschen bitte"
    assert GUESSER.guess(letter).language is Language.DE
