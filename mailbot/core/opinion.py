"""The second opinion: a linear model over hashed features, trained from rules/examples (see core/training.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mailbot.core.features import STARTS, IdeaBook, Seen, Tokens, features_of, tokens_of
from mailbot.core.request import Capacity, Evidence, Kind

KINDS = tuple(Kind)
CAPACITIES = tuple(Capacity)
WITHDRAWS = len(KINDS) + len(CAPACITIES)
REVIEW = WITHDRAWS + 1
OUTPUTS = REVIEW + 1
"""One score for each kind, each capacity, "takes a request back" and "a careful person would look"."""
SUBJECT_SENTENCE = -1_000_000
MODEL_RULE = "model"
MODEL_SENTENCE = "The words that weigh most for the second opinion."
_MOST_EVIDENCE = 3
_IDF_UNIT = 16.0

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt. `weights` are int8 [feature, output], to be multiplied by `scales` [output]; `rarities`
    are uint8 [feature] in sixteenths; `agreement` [evidence, kind] turns both opinions into one confidence."""

    weights: NDArray[np.int8]
    scales: Floats
    bias: Floats
    rarities: NDArray[np.uint8]
    agreement: Floats
    about: str
    """How it was made, as JSON: version, seed, digests of examples and ideas, settings."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter cut for the second opinion."""

    subject: Tokens
    body: Tokens
    seen: Seen


@dataclass(frozen=True, slots=True)
class Scores:
    """What the model says of one letter, in logits: positive is rather yes. `kinds` are as in KINDS."""

    kinds: Floats
    capacity: Capacity
    withdraws: float
    review: float


def cut(subject: str, new_text: str, book: IdeaBook) -> Letter:
    """The letter with its features."""
    title, body = tokens_of(subject, SUBJECT_SENTENCE), tokens_of(new_text)
    return Letter(title, body, features_of(title, body, book))


def values_of(seen: Seen, rarities: NDArray[np.uint8]) -> Floats:
    """How much each seen feature counts: log of its number, times its rarity; each range has the length 1."""
    values = (1 + np.log(seen.counts)) * (rarities[seen.places].astype(np.float32) / np.float32(_IDF_UNIT))
    borders = np.searchsorted(seen.places, STARTS[1:])
    for part in np.split(values, borders):
        part /= max(float(np.sqrt(part @ part)), 1e-9)
    return np.asarray(values, np.float32)


def rarities_of(documents_with: NDArray[np.int64], documents: int) -> NDArray[np.uint8]:
    """The inverse document frequency of each feature, in sixteenths."""
    idf = np.log((1 + documents) / (1 + documents_with)) + 1
    return np.minimum(np.round(idf * _IDF_UNIT), 255).astype(np.uint8)


def score(model: Model, letter: Letter) -> Scores:
    """The second opinion on a letter."""
    seen = letter.seen
    values = values_of(seen, model.rarities)
    return scores_of((values @ model.weights[seen.places].astype(np.float32)) * model.scales + model.bias)


def scores_of(logits: Floats) -> Scores:
    """The outputs of a model by name."""
    capacity = int(np.argmax(logits[len(KINDS) : WITHDRAWS]))
    return Scores(logits[: len(KINDS)], CAPACITIES[capacity], float(logits[WITHDRAWS]), float(logits[REVIEW]))


def evidence_for(model: Model, letter: Letter, kind: Kind) -> tuple[Evidence, ...]:
    """The words that speak most for `kind`, best first, where they stand."""
    weight = _weight_of_tokens(model, letter, KINDS.index(kind))
    best = [int(place) for place in np.argsort(-weight, kind="stable")[:_MOST_EVIDENCE] if weight[place] > 0]
    return tuple(_evidence(letter, first, last) for first, last in _runs(sorted(best)))


def amounts_of(model: Model, letter: Letter, output: int) -> Floats:
    """What each seen feature adds to one score."""
    seen = letter.seen
    column = model.weights[seen.places, output].astype(np.float32) * model.scales[output]
    return np.asarray(values_of(seen, model.rarities) * column, np.float32)


def _weight_of_tokens(model: Model, letter: Letter, output: int) -> NDArray[np.float64]:
    """What each token adds to one score; a feature of two tokens counts half for each."""
    seen = letter.seen
    size = len(letter.subject.texts) + len(letter.body.texts)
    each = amounts_of(model, letter, output) / seen.counts
    places, first, last = seen.instances
    amounts = each[np.searchsorted(seen.places, places)] / 2
    return np.asarray(np.bincount(first, amounts, size) + np.bincount(last, amounts, size), np.float64)


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring places as (first, last)."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and place - runs[-1][1] == 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    return runs


def _evidence(letter: Letter, first: int, last: int) -> Evidence:
    titles = len(letter.subject.texts)
    if first < titles:
        return _span(letter.subject, first, min(last, titles - 1), in_subject=True)
    return _span(letter.body, first - titles, last - titles, in_subject=False)


def _span(tokens: Tokens, first: int, last: int, *, in_subject: bool) -> Evidence:
    folded = tokens.folded
    start, end = folded.original(tokens.starts[first]), folded.original(tokens.ends[last] - 1) + 1
    words = folded.text[tokens.starts[first] : tokens.ends[last]]
    return Evidence(MODEL_RULE, words, start, end, in_subject, MODEL_SENTENCE)
