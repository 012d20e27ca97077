"""What the second opinion sees."""

from __future__ import annotations

import numpy as np

from mailbot.core.features import DIMENSIONS, IdeaBook, Seen, features_of, tokens_of

ENGLISH = IdeaBook({"delete": "delet* erase", "account": "account", "not": "not", "mail": "mail*"})
GERMAN = IdeaBook({"delete": "losch* gelöscht", "account": "konto", "not": "nicht"})
LITHUANIAN = IdeaBook({"delete": "trin*", "not": "ne- nebe-"})


def seen(text: str, book: IdeaBook = ENGLISH) -> Seen:
    return features_of(tokens_of("", -1000), tokens_of(text), book)


def test_the_same_letter_has_the_same_features() -> None:
    first, second = seen("Please delete my account."), seen("Please delete my account.")
    assert np.array_equal(first.places, second.places)
    assert np.array_equal(first.counts, second.counts)


def test_case_accents_and_drawn_out_letters_do_not_matter() -> None:
    assert np.array_equal(seen("SUPPRIMÉÉÉÉ").places, seen("supprimeee").places)


def test_every_place_is_in_the_vector_and_stands_once() -> None:
    places = seen("Delete it! Not my mail, mail, mail.").places
    assert len(set(places.tolist())) == len(places)
    assert 0 <= places.min() <= places.max() < DIMENSIONS


def test_letters_without_words_have_features_too() -> None:
    for text in ("", "!", "\n\n", "🙂", "\ud800", "a"):
        assert seen(text).counts.sum() >= 0


def test_an_address_a_link_and_a_long_number_are_one_word_each() -> None:
    tokens = tokens_of("alice@example.org https://example.org/a?b +370 600 12345")
    assert tokens.texts == ("xaddress", "xlink", "xnumber")


def test_a_word_means_what_it_is_or_else_how_it_begins() -> None:
    assert ENGLISH.ideas_of("erase") == ("delete",)
    assert ENGLISH.ideas_of("deletion") == ("delete",)
    assert ENGLISH.ideas_of("erased") == ()


def test_a_denial_in_front_of_a_word_is_an_idea_of_its_own() -> None:
    assert LITHUANIAN.ideas_of("netrinkite") == ("not", "delete")
    assert LITHUANIAN.ideas_of("nebetrinkite") == ("not", "delete")


def test_one_idea_looks_the_same_in_two_languages() -> None:
    english, german = seen("erase account", ENGLISH), seen("gelöscht konto", GERMAN)
    of_ideas = (1 << 16) + (1 << 15)
    shared = set(english.places.tolist()) & set(german.places.tolist())
    assert {place for place in english.places.tolist() if place >= of_ideas} <= shared


def test_two_books_together_know_the_words_of_both() -> None:
    both = IdeaBook({}, (ENGLISH, GERMAN))
    assert both.ideas_of("konto") == both.ideas_of("account") == ("account",)


def test_a_sentence_counts_apart_from_the_next() -> None:
    together = set(seen("delete my account").places.tolist())
    apart = set(seen("delete. my account").places.tolist())
    assert together - apart


def test_every_occurrence_names_tokens_of_the_letter() -> None:
    tokens = tokens_of("Do not delete my mail. Mail!")
    _, first, last = features_of(tokens_of("", -1000), tokens, ENGLISH).instances
    assert (first <= last).all()
    assert last.max() < len(tokens.texts)
