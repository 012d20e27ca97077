"""The second opinion is learnt from examples: logistic regression in its dual form, with numpy alone.

The same examples in the same order give the same model. What the rules found in the examples is weighed against
what the model says of letters it was not trained on, so that the confidence of both together is an honest one.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mailbot.core.agreement import inputs_of
from mailbot.core.features import DIMENSIONS, STARTS, IdeaBook, Seen
from mailbot.core.opinion import (
    CAPACITIES,
    KINDS,
    OUTPUTS,
    REVIEW,
    WITHDRAWS,
    Floats,
    Model,
    cut,
    rarities_of,
    values_of,
)
from mailbot.core.request import Capacity, Kind, Understanding

VERSION = 1
FOLDS = 5
_STRENGTH = 8.0
"""How much an example counts against simplicity (C of a support vector machine); from cross validation."""
_RANGE_WEIGHTS = (1.0, 1.0, 1.6)
"""How much characters, words and ideas count; from cross validation."""
_BIAS = 0.5
_STEPS = 25
_AGREEMENT_STRENGTH = 0.5
_AGREEMENT_STEPS = 400
_BLOCK = 8_192
_NEIGHBOURS = 10
"""Examples with neighbouring numbers were often written together: they stay on one side of a fold."""
_PARALLEL = {"ru": "uk"}
"""Languages whose examples run parallel to those of another one."""


@dataclass(frozen=True, slots=True)
class Example:
    """A letter with what it asks. `id` is like "fr-0012"; `language` is that of its file."""

    id: str
    language: str
    subject: str
    text: str
    kinds: frozenset[Kind]
    capacity: Capacity
    withdraws: bool
    review: bool


@dataclass(frozen=True, slots=True)
class Lesson:
    """One example with the features and with what the rules made of it (None: no rules for its language)."""

    example: Example
    seen: Seen
    rules: Understanding | None


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, and its outputs (logits) for every example when that was not among its examples."""

    model: Model
    unseen: Floats


def lesson(example: Example, book: IdeaBook, rules: Understanding | None) -> Lesson:
    """An example made ready."""
    return Lesson(example, cut(example.subject, example.text, book).seen, rules)


def train(lessons: Sequence[Lesson], about: dict[str, object], seed: int) -> Trained:
    """The model learnt from `lessons`; `about` is kept in it."""
    rarities = _rarities(lessons)
    values = [_weighted(one.seen, rarities) for one in lessons]
    kernel = _kernel(lessons, values)
    targets = np.array([_target(one.example) for one in lessons], np.float32)
    unseen = _unseen(kernel, targets, folds_of([one.example for one in lessons], seed))
    multipliers = _solved(kernel, targets)
    weights, scales = _quantised(_primal(lessons, values, multipliers))
    inputs = np.array(
        [inputs_of(logits[: len(KINDS)], one.rules) for logits, one in zip(unseen, lessons, strict=True)],
        np.float32,
    )
    known = {**about, "version": VERSION, "seed": seed, "examples": len(lessons), "strength": _STRENGTH}
    model = Model(
        weights,
        scales,
        (_BIAS * multipliers.sum(axis=0)).astype(np.float32),
        rarities,
        agreement_of(inputs, targets[:, : len(KINDS)]),
        json.dumps(known, sort_keys=True),
    )
    return Trained(model, unseen)


def folds_of(examples: Sequence[Example], seed: int) -> NDArray[np.int64]:
    """A fold for each example; examples written together, or parallel in two languages, share one."""
    groups = [_group(one) for one in examples]
    order = sorted(set(groups))
    random.Random(seed).shuffle(order)  # noqa: S311 - seeded on purpose: nothing secret, the same each time
    fold = {group: place % FOLDS for place, group in enumerate(order)}
    return np.array([fold[group] for group in groups])


def _group(example: Example) -> str:
    language, _, number = example.id.partition("-")
    digits = number.rpartition("-")[2]
    block = int(digits) // _NEIGHBOURS if digits.isdigit() else zlib.crc32(number.encode())
    return f"{_PARALLEL.get(language, language)}-{block}"


def _target(example: Example) -> list[bool]:
    target = [kind in example.kinds for kind in KINDS] + [one is example.capacity for one in CAPACITIES]
    target += [False] * (OUTPUTS - len(target))
    target[WITHDRAWS], target[REVIEW] = example.withdraws, example.review
    return target


def _rarities(lessons: Sequence[Lesson]) -> NDArray[np.uint8]:
    every = np.concatenate([one.seen.places for one in lessons])
    return rarities_of(np.bincount(every, minlength=DIMENSIONS), len(lessons))


def _weighted(seen: Seen, rarities: NDArray[np.uint8]) -> Floats:
    values = values_of(seen, rarities)
    weights = np.sqrt(np.array(_RANGE_WEIGHTS, np.float32))
    return values * weights[np.searchsorted(STARTS[1:], seen.places, side="right")]


def _kernel(lessons: Sequence[Lesson], values: Sequence[Floats]) -> Floats:
    """How alike each two examples are. In blocks: all features of all examples at once would be gigabytes."""
    size = len(lessons)
    rows = np.concatenate([np.full(len(one.seen.places), row) for row, one in enumerate(lessons)])
    places = np.concatenate([one.seen.places for one in lessons])
    amounts = np.concatenate(values)
    order = np.argsort(places, kind="stable")
    rows, places, amounts = rows[order], places[order], amounts[order]
    _, column, sizes = np.unique(places, return_inverse=True, return_counts=True)
    kernel = np.full((size, size), _BIAS, np.float32)
    kernel[np.arange(size), np.arange(size)] += np.bincount(
        rows, np.where(sizes[column] == 1, amounts**2, 0), size
    ).astype(np.float32)
    shared = sizes[column] > 1
    rows, amounts = rows[shared], amounts[shared]
    _, column = np.unique(places[shared], return_inverse=True)
    for start in range(0, int(column[-1]) + 1 if len(column) else 0, _BLOCK):
        first, last = np.searchsorted(column, (start, start + _BLOCK))
        block = np.zeros((size, _BLOCK), np.float32)
        block[rows[first:last], column[first:last] - start] = amounts[first:last]
        kernel += block @ block.T
    return kernel


def _solved(kernel: Floats, targets: Floats) -> Floats:
    """The multipliers of logistic regression with L2 penalty, all outputs at once.

    Each step minimises a quadratic that lies above the loss everywhere (Böhning 1992), whose matrix is the same
    in every step: one inverse serves all.
    """
    bound = kernel * np.float32(_STRENGTH / 4)
    bound[np.arange(len(bound)), np.arange(len(bound))] += 1
    inverse = np.linalg.inv(bound)
    multipliers = np.zeros_like(targets)
    for _ in range(_STEPS):
        likely = _likely(kernel @ multipliers)
        multipliers -= inverse @ (np.float32(_STRENGTH) * (likely - targets) + multipliers)
    return multipliers


def _likely(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def _unseen(kernel: Floats, targets: Floats, folds: NDArray[np.int64]) -> Floats:
    unseen = np.zeros_like(targets)
    for fold in range(FOLDS):
        held, used = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(held) and len(used):
            multipliers = _solved(kernel[np.ix_(used, used)], targets[used])
            unseen[held] = kernel[np.ix_(held, used)] @ multipliers
    return unseen


def _primal(lessons: Sequence[Lesson], values: Sequence[Floats], multipliers: Floats) -> Floats:
    """One weight for each feature and output, for values that are not weighted by range."""
    weights = np.zeros((DIMENSIONS, OUTPUTS), np.float32)
    for one, amounts, row in zip(lessons, values, multipliers, strict=True):
        weights[one.seen.places] += np.outer(amounts, row)
    factors = np.sqrt(np.array(_RANGE_WEIGHTS, np.float32))
    borders = (0, *STARTS[1:], DIMENSIONS)
    for factor, start, end in zip(factors, borders[:-1], borders[1:], strict=True):
        weights[start:end] *= factor
    return weights


def _quantised(weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Weights as int8; a tenth of a percent of the largest of each output is cut so that small ones count."""
    largest = np.quantile(np.abs(weights), 0.9998, axis=0)
    scales = (np.maximum(largest, 1e-6) / 127).astype(np.float32)
    return np.clip(np.round(weights / scales), -127, 127).astype(np.int8), scales


def agreement_of(inputs: Floats, targets: Floats) -> Floats:
    """How the opinions weigh for each kind: logistic regression by gradient descent, few inputs, many examples."""
    size = inputs.shape[1]
    spread = np.linalg.norm(inputs.T @ inputs, 2) / 4 + 1 / _AGREEMENT_STRENGTH
    weights = np.zeros((size, targets.shape[1]), np.float64)
    ahead, pace = weights, 1.0
    for _ in range(_AGREEMENT_STEPS):
        likely = 1 / (1 + np.exp(-np.clip(inputs @ ahead, -30, 30)))
        following = ahead - (inputs.T @ (likely - targets) + ahead / _AGREEMENT_STRENGTH) / spread
        next_pace = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = following + (pace - 1) / next_pace * (following - weights)
        weights, pace = following, next_pace
    return weights.astype(np.float32)
