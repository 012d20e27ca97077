"""Letters varied by a machine still say what their writers meant, and vary the same way each time."""

from __future__ import annotations

import pytest

from mailbot.core.newest_text import newest_text
from mailbot.varying import VARIATIONS, under_history, with_typos, without_accents

LETTER = "Guten Tag, bitte löschen Sie mein Konto und alle Daten. Viele Grüße, Jürgen Müller. " * 5


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_variation_changes_the_letter_and_always_in_the_same_way(name: str) -> None:
    assert VARIATIONS[name](LETTER) != LETTER
    assert VARIATIONS[name](LETTER) == VARIATIONS[name](LETTER)


def test_typos_are_few_and_lose_no_word() -> None:
    typed = with_typos(LETTER)
    assert len(typed.split()) == len(LETTER.split())
    assert abs(len(typed) - len(LETTER)) < 15


def test_accents_are_gone_and_letters_stay() -> None:
    assert (
        without_accents("löschen, usuń, ištrinkite, українською ї")
        == "loschen, usun, istrinkite, украінською і"
    )


def test_what_is_put_below_is_not_the_letter() -> None:
    assert newest_text(under_history(LETTER)).strip() == LETTER.strip()
