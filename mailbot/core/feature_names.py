"""Which features spoke most for or against a kind, by names that people can read.

A feature is only a place in a vector; the letter it was seen in says again what stands there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from mailbot.core.features import MULTIPLIER, RANGE_BITS, STARTS, IdeaBook, number_of
from mailbot.core.opinion import KINDS, Letter, Model, amounts_of
from mailbot.core.request import Feature, FeatureSort, Kind

MOST_FEATURES = 6
_LOOKED_AT = 24
_LEAST = 0.005
"""What adds less to a score is not worth a line."""
_WHOLE = (1 << 64) - 1
_SORTS = (FeatureSort.LETTERS, FeatureSort.WORDS, FeatureSort.IDEAS)


def features_for(model: Model, letter: Letter, kind: Kind, book: IdeaBook) -> tuple[Feature, ...]:
    """What weighs most in the second opinion on `kind`, the heaviest first; negative speaks against it.

    Of the runs of letters in one word only the heaviest is named."""
    amounts = amounts_of(model, letter, KINDS.index(kind))
    heaviest = np.argsort(-np.abs(amounts), kind="stable")[:_LOOKED_AT]
    chosen: dict[tuple[FeatureSort, str], Feature] = {}
    words_spelt: set[int] = set()
    for number in heaviest:
        place, amount = int(letter.seen.places[number]), round(float(amounts[number]), 3)
        if abs(amount) < _LEAST or len(chosen) == MOST_FEATURES:
            break
        first, last = _tokens(letter, place)
        sort = _SORTS[int(np.searchsorted(STARTS, place, side="right")) - 1]
        if sort is FeatureSort.LETTERS and first in words_spelt:
            continue
        words_spelt.add(first)
        name = next(_names(letter, place, sort, first, last, book), "")
        if name:
            chosen.setdefault((sort, name), Feature(sort, name, amount))
    return tuple(chosen.values())


def _tokens(letter: Letter, place: int) -> tuple[int, int]:
    """The first and last token of the first occurrence of a feature."""
    places, first, last = letter.seen.instances
    occurrence = int(np.argmax(places == place))
    return int(first[occurrence]), int(last[occurrence])


def _names(
    letter: Letter, place: int, sort: FeatureSort, first: int, last: int, book: IdeaBook
) -> Iterator[str]:
    """The names of what stands between two tokens and has this place."""
    texts = letter.subject.texts + letter.body.texts
    match sort:
        case FeatureSort.LETTERS:
            named = _runs(texts[first])
        case FeatureSort.WORDS:
            named = _words(texts[first], texts[last])
        case FeatureSort.IDEAS:
            named = _ideas(book.ideas_of(texts[first]), book.ideas_of(texts[last]))
    number = _SORTS.index(sort)
    return (name for name, hashed in named if _place(number, hashed) == place)


# The same numbers as in core/features.py, one at a time: for a few names Python is faster than arrays.

_Named = Iterator[tuple[str, int]]


def _place(number: int, hashed: int) -> int:
    """Where a hash stands in the vector, in its range of that number (splitmix64's finish)."""
    hashed &= _WHOLE
    mixed = ((hashed ^ (hashed >> 30)) * 0xBF58476D1CE4E5B9) & _WHOLE
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WHOLE
    return STARTS[number] + ((mixed ^ (mixed >> 31)) & ((1 << RANGE_BITS[number]) - 1))


def _runs(word: str) -> _Named:
    """Every run of letters in a word; "_" is its beginning or end."""
    codes = [32, *map(ord, word), 32]
    for start in range(len(codes) - 1):
        rolling = codes[start] + 1
        for length in range(2, min(5, len(codes) - start) + 1):
            rolling = (rolling * MULTIPLIER + codes[start + length - 1]) & _WHOLE
            yield f"_{word}_"[start : start + length], rolling + length


def _words(first: str, last: str) -> _Named:
    one, two = number_of(first), number_of(last)
    yield first, one
    yield f"{first} {last}", one * MULTIPLIER + two


def _ideas(first: Sequence[str], last: Sequence[str]) -> _Named:
    for idea in first:
        number = number_of(idea)
        yield idea, number + 1
        for salt, words in ((2, "in a question"), (3, "first in its sentence"), (4, "in the subject")):
            yield f"{idea} {words}", number * 64 + salt
    for left, right in product(first, last):
        one, two = number_of(left), number_of(right)
        yield f"{left} before {right}", one * MULTIPLIER + two * 3
        yield f"{left} and {right}", min(one, two) * MULTIPLIER + max(one, two) * 5
        yield f"not {right}", two * MULTIPLIER + 7
