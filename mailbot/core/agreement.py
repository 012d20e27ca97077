"""Both opinions become one understanding: what they agree on may be acted on, what only one sees is shown to staff."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from mailbot.core.classify import is_reply
from mailbot.core.feature_names import features_for
from mailbot.core.features import IdeaBook
from mailbot.core.opinion import KINDS, Floats, Model, Scores, cut, evidence_for, score
from mailbot.core.request import (
    SERVING_ORDER,
    Asked,
    Capacity,
    Evidence,
    Kind,
    Language,
    Opinion,
    Understanding,
)

ASKED = 0.42
"""A kind counts as asked from this confidence on; from cross validation."""
OTHER_BESIDE = 0.8
"""Something else beside a request counts from here; from cross validation."""
MODEL_SEES = 0.5
"""From this probability on the model alone sees a kind, below it does not."""
WOULD_REVIEW = 0.6
WOULD_WITHDRAW = 0.5

ONLY_MODEL = "only the second opinion sees {kind} in it ({model:.0%})"
ONLY_RULES = "the rules see {kind} in it, the second opinion does not ({model:.0%})"
DECLINED = "the rules read that {kind} is not asked, the second opinion that it is"
MODEL_WITHDRAWS = "The second opinion reads that an earlier request is taken back."
MODEL_DOUBTS = "The second opinion knows letters like this one as letters for a person."
_FOR_STAFF = frozenset({Kind.QUESTION, Kind.OTHER, Kind.COMPLAINT, Kind.AUTHORITY})
"""Kinds that staff read anyway: no doubt is needed where only one opinion sees them."""


def inputs_of(logits: Floats, rules: Understanding | None) -> Floats:
    """Both opinions as numbers: the model's logits, what it likes best, the rules' confidences, what they decline,
    and whether there are rules, doubts, anything found by rules, corrected values, old ones beside them; last a
    constant."""
    found = {one.kind: one.confidence for one in rules.asked if one.evidence} if rules else {}
    changes = rules.told if rules else ()
    confidences = [found.get(kind, 0.0) for kind in KINDS]
    about = [
        float(rules is not None),
        float(rules is not None and not found),
        float(rules is not None and bool(rules.doubts)),
        float(rules is not None and rules.withdraws),
        float(len(found) > 1),
        float(bool(changes)),
        float(any(change.old is not None for change in changes)),
        1.0,
    ]
    capped = np.clip(logits, -6, 6) / 2
    best = np.zeros(len(KINDS), np.float32)
    best[int(np.argmax(logits))] = 1
    declined = [float(rules is not None and kind in rules.declined) for kind in KINDS]
    return np.concatenate([capped, best, confidences, declined, about]).astype(np.float32)


def combine(
    rules: Understanding,
    scores: Scores,
    agreement: Floats,
    evidence: Callable[[Kind], tuple[Evidence, ...]],
    *,
    has_rules: bool,
) -> Understanding:
    """The best estimate of what is asked, each with the confidence of both opinions together; `evidence` finds the
    words for a kind that only the model sees."""
    likely = _likely(inputs_of(scores.kinds, rules if has_rules else None) @ agreement)
    confidences = dict(zip(KINDS, (round(float(one), 4) for one in likely), strict=True))
    alone = dict(zip(KINDS, (round(float(one), 4) for one in _likely(scores.kinds)), strict=True))
    by_rules = {one.kind: one for one in rules.asked if one.evidence}
    kinds = _kinds(confidences)
    told = next(
        (one.capacity for one in rules.asked if one.capacity is not Capacity.UNKNOWN), scores.capacity
    )
    asked = [
        _by_rules(by_rules[kind], confidences[kind], alone[kind], scores)
        if kind in by_rules
        else Asked(kind, told, confidences[kind], evidence(kind), agreed=False)
        for kind in kinds
    ]
    doubts = (
        *rules.doubts,
        *_declined(kinds, rules),
        *_dropped(kinds, by_rules, alone),
        *_further(rules, scores),
    )
    return replace(
        rules,
        asked=tuple(sorted(asked, key=lambda one: SERVING_ORDER[one.kind])),
        doubts=tuple(dict.fromkeys(doubts)),
        formal=rules.formal or Kind.AUTHORITY in kinds,
        opinions=_opinions(kinds, by_rules, alone),
    )


def _likely(logits: Floats) -> Floats:
    return (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)


def _kinds(confidences: Mapping[Kind, float]) -> list[Kind]:
    """The likeliest set. Something else beside a request is rare: it must be clear, or it is all there is."""
    likeliest = max(KINDS, key=lambda kind: confidences[kind])
    kinds = [kind for kind in KINDS if confidences[kind] >= ASKED] or [likeliest]
    if len(kinds) == 1 or Kind.OTHER not in kinds or confidences[Kind.OTHER] >= OTHER_BESIDE:
        return kinds
    return [Kind.OTHER] if likeliest is Kind.OTHER else [kind for kind in kinds if kind is not Kind.OTHER]


def _by_rules(asked: Asked, confidence: float, alone: float, scores: Scores) -> Asked:
    capacity = scores.capacity if asked.capacity is Capacity.UNKNOWN else asked.capacity
    return replace(asked, confidence=confidence, capacity=capacity, agreed=alone >= MODEL_SEES)


def _declined(kinds: Sequence[Kind], rules: Understanding) -> Iterable[str]:
    """What the rules know not to be asked never happens because the model reads it."""
    for kind in rules.declined:
        if kind in kinds and kind not in _FOR_STAFF:
            yield DECLINED.format(kind=kind.value)


def _dropped(
    kinds: Sequence[Kind], by_rules: Mapping[Kind, Asked], alone: Mapping[Kind, float]
) -> Iterable[str]:
    """A request that one of the two sees and that both together do not find likely is looked at by a person."""
    for kind in KINDS:
        if kind in kinds or kind in _FOR_STAFF:
            continue
        if kind in by_rules:
            yield ONLY_RULES.format(kind=kind.value, model=alone[kind])
        elif alone[kind] >= MODEL_SEES:
            yield ONLY_MODEL.format(kind=kind.value, model=alone[kind])


def _further(rules: Understanding, scores: Scores) -> list[str]:
    doubts = []
    if not rules.withdraws and scores.withdraws > _logit(WOULD_WITHDRAW):
        doubts.append(MODEL_WITHDRAWS)
    if scores.review > _logit(WOULD_REVIEW):
        doubts.append(MODEL_DOUBTS)
    return doubts


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _opinions(
    kinds: Sequence[Kind], by_rules: Mapping[Kind, Asked], alone: Mapping[Kind, float]
) -> tuple[Opinion, ...]:
    """What each of the two says of every kind that at least one of them sees."""
    return tuple(
        Opinion(kind, by_rules[kind].confidence if kind in by_rules else None, alone[kind])
        for kind in KINDS
        if kind in kinds or kind in by_rules or alone[kind] >= MODEL_SEES
    )


class SecondOpinion:
    """The model with the ideas of all languages, ready to read letters."""

    def __init__(self, model: Model, ideas: Mapping[Language, Mapping[str, str]]) -> None:
        self._model = model
        self._books = {language: IdeaBook(words) for language, words in ideas.items()}
        self._every = IdeaBook({}, self._books.values())

    def book(self, language: Language | None) -> IdeaBook:
        """The ideas of a language; None, or one that has none: of all languages."""
        return self._every if language is None else self._books.get(language, self._every)

    def join(
        self, rules: Understanding, subject: str, new_text: str, language: Language | None, *, has_rules: bool
    ) -> Understanding:
        """What rules and model together understand. `language` None: unsure which; a reply's subject is not read."""
        title = "" if is_reply(subject) else subject
        model, book = self._model, self.book(language)
        letter = cut(title, new_text, book)
        joined = combine(
            rules,
            score(model, letter),
            model.agreement,
            lambda kind: evidence_for(model, letter, kind),
            has_rules=has_rules,
        )
        named = [
            replace(one, features=features_for(model, letter, one.kind, book)) for one in joined.opinions
        ]
        return replace(joined, opinions=tuple(named))
