"""What the second opinion weighs has a name that people can read."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.feature_names import MOST_FEATURES, features_for
from mailbot.core.features import DIMENSIONS, STARTS, IdeaBook
from mailbot.core.opinion import KINDS, OUTPUTS, Model, cut
from mailbot.core.request import FeatureSort, Kind

BOOK = IdeaBook({"delete": "delet* eras*", "account": "account*", "not": "not don't"})
DELETION = KINDS.index(Kind.DELETION)


def model(ranges: tuple[int, int]) -> Model:
    """A model that gives the same weight to every feature of a stretch of the vector, and none to others."""
    weights = np.zeros((DIMENSIONS, OUTPUTS), np.int8)
    weights[ranges[0] : ranges[1], DELETION] = 100
    ones = np.ones(OUTPUTS, np.float32)
    return Model(weights, ones, ones, np.full(DIMENSIONS, 16, np.uint8), np.zeros((1, 1), np.float32), "")


IDEAS = model((STARTS[2], DIMENSIONS))
WORDS = model((STARTS[1], STARTS[2]))
LETTERS = model((0, STARTS[1]))


def test_ideas_are_named_alone_in_pairs_and_denied() -> None:
    letter = cut("", "Do not delete accounts", BOOK)
    names = {one.name for one in features_for(IDEAS, letter, Kind.DELETION, BOOK)}
    known = {"delete", "account", "not", "not first in its sentence", "not before delete", "not and delete"}
    known |= {"not delete", "delete before account", "delete and account", "not before account"}
    assert names <= known | {"not and account", "not account"}
    assert len(names) == MOST_FEATURES


def test_words_and_runs_of_letters_are_named_as_they_stand_there() -> None:
    letter = cut("", "Delete it", BOOK)
    assert {one.name for one in features_for(WORDS, letter, Kind.DELETION, BOOK)} == {
        "delete",
        "it",
        "delete it",
    }
    runs = features_for(LETTERS, letter, Kind.DELETION, BOOK)
    assert len(runs) == 2, "one run for each word"
    assert all(one.name in "_delete_" or one.name in "_it_" for one in runs)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(alphabet="dont elias?.cu ", max_size=60))
def test_every_feature_of_every_letter_has_a_name(subject: str, text: str) -> None:
    letter = cut(subject, text, BOOK)
    for made, sort, start, end in (
        (LETTERS, FeatureSort.LETTERS, 0, STARTS[1]),
        (WORDS, FeatureSort.WORDS, STARTS[1], STARTS[2]),
        (IDEAS, FeatureSort.IDEAS, STARTS[2], DIMENSIONS),
    ):
        named = features_for(made, letter, Kind.DELETION, BOOK)
        there = ((letter.seen.places >= start) & (letter.seen.places < end)).any()
        only_marks = all(letter.subject.is_mark + letter.body.is_mark)
        assert all(one.sort is sort and one.name for one in named)
        assert bool(named) == (there and not (only_marks and sort is FeatureSort.LETTERS))
