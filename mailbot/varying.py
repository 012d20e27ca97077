"""The same letter as other hands would type it: no accents, capitals, typos of phones, a newsletter quoted below."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mailbot.examples import Labelled

SEED = 7
_LETTERS_A_TYPO = 45
_BELOW = (
    "\n\n-- \nP. Example\nExample Ltd, 12 Example Street\n+370 600 00000\n\n"
    "On 3 March 2026 at 10:12, Newsletter <news@example.com> wrote:\n\n"
    "> Our best offers for you.\n> To unsubscribe or to delete your account follow this link.\n"
)

Variation = Callable[[str], str]


def without_accents(text: str) -> str:
    """As typed where the keyboard has no accents."""
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


def with_typos(text: str) -> str:
    """One letter in 45 left out, typed twice or changed with the next; the same text always in the same way."""
    drawn = random.Random(f"{SEED} {text}")  # noqa: S311 - seeded on purpose: nothing secret, the same each time
    letters = list(text)
    for place, letter in enumerate(letters[:-1]):
        if letter.isalpha() and drawn.randrange(_LETTERS_A_TYPO) == 0:
            mistakes = ("", letter * 2, letters[place + 1] + letter)
            letters[place] = drawn.choice(mistakes)
            if len(letters[place]) == 2 and letters[place] != letter * 2:
                letters[place + 1] = ""
    return "".join(letters)


def under_history(text: str) -> str:
    """With a signature and a quoted newsletter below."""
    return text + _BELOW


VARIATIONS: Mapping[str, Variation] = {
    "without accents": without_accents,
    "capitals": str.upper,
    "small letters": str.lower,
    "typos": with_typos,
    "signature and newsletter": under_history,
}


def varied(letters: Sequence[Labelled], variation: Variation) -> list[Labelled]:
    """The letters typed in that way; what they ask stays."""
    return [replace(one, example=replace(one.example, text=variation(one.example.text))) for one in letters]
