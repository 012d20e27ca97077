"""Two opinions become one understanding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mailbot.core.agreement import combine, inputs_of
from mailbot.core.opinion import KINDS, Scores
from mailbot.core.request import Asked, Capacity, Evidence, Kind, Understanding

WORDS = Evidence("deletion.en.account", "delete my account", 0, 17)
MODEL_WORDS = Evidence("model", "account", 10, 17)


def scores(
    *kinds: Kind, capacity: Capacity = Capacity.USER, review: float = -5, withdraws: float = -5
) -> Scores:
    logits = np.array([4.0 if kind in kinds else -4.0 for kind in KINDS], np.float32)
    return Scores(logits, capacity, withdraws, review)


def rules(*kinds: Kind, doubts: tuple[str, ...] = ()) -> Understanding:
    return Understanding(tuple(Asked(kind, Capacity.UNKNOWN, 0.95, (WORDS,)) for kind in kinds), doubts)


def half_and_half() -> NDArray[np.float32]:
    """Weights that count the model's logit and the rules' confidence of each kind alike."""
    size = len(inputs_of(np.zeros(len(KINDS), np.float32), None))
    weights = np.zeros((size, len(KINDS)), np.float32)
    for place in range(len(KINDS)):
        weights[place, place] = 2
        weights[2 * len(KINDS) + place, place] = 6
    weights[-1] = -1
    return weights


def joined(by_rules: Understanding, by_model: Scores) -> Understanding:
    return combine(by_rules, by_model, half_and_half(), lambda kind: (MODEL_WORDS,), has_rules=True)


def test_what_both_see_is_agreed_and_keeps_the_words_of_the_rules() -> None:
    (asked,) = joined(rules(Kind.DELETION), scores(Kind.DELETION)).asked
    assert (asked.kind, asked.agreed, asked.evidence) == (Kind.DELETION, True, (WORDS,))
    assert asked.confidence > 0.95


def test_what_only_the_model_sees_is_not_agreed_and_shows_its_words() -> None:
    (asked,) = joined(rules(), scores(Kind.DELETION)).asked
    assert (asked.agreed, asked.evidence) == (False, (MODEL_WORDS,))


def test_a_request_that_only_the_rules_see_and_that_is_not_likely_is_looked_at_by_a_person() -> None:
    """The rules' find is dropped from the kinds, but never silently."""
    by_model = scores(Kind.OTHER)
    weights = half_and_half() * 0.5
    read = combine(rules(Kind.DELETION), by_model, weights, lambda kind: (), has_rules=True)
    assert Kind.DELETION in {one.kind for one in read.asked} or any("deletion" in one for one in read.doubts)
    assert Kind.DELETION in {one.kind for one in read.opinions}


def test_the_model_names_the_capacity_that_the_rules_do_not_know() -> None:
    (asked,) = joined(rules(Kind.DELETION), scores(Kind.DELETION, capacity=Capacity.VISITOR)).asked
    assert asked.capacity is Capacity.VISITOR


def test_what_the_rules_know_not_to_be_asked_is_looked_at_by_a_person() -> None:
    """ "Do not delete my account" never becomes a deletion because the model sees the words."""
    declining = replace(rules(), declined=(Kind.DELETION,))
    assert any("deletion" in doubt for doubt in joined(declining, scores(Kind.DELETION)).doubts)


def test_doubts_of_the_rules_stay() -> None:
    assert "a lawyer" in joined(rules(Kind.DELETION, doubts=("a lawyer",)), scores(Kind.DELETION)).doubts


def test_the_model_can_ask_for_a_person_by_itself() -> None:
    assert joined(rules(Kind.DELETION), scores(Kind.DELETION, review=3)).doubts
    assert joined(rules(Kind.DELETION), scores(Kind.DELETION, withdraws=3)).doubts
    assert not joined(rules(Kind.DELETION), scores(Kind.DELETION)).doubts


def test_kinds_stand_in_serving_order() -> None:
    read = joined(rules(Kind.DELETION, Kind.ACCESS), scores(Kind.DELETION, Kind.ACCESS))
    assert [one.kind for one in read.asked] == [Kind.ACCESS, Kind.DELETION]


def test_there_is_always_a_kind() -> None:
    assert len(joined(rules(), scores()).asked) == 1


def test_both_opinions_are_shown() -> None:
    (opinion,) = joined(rules(Kind.DELETION), scores(Kind.DELETION)).opinions
    assert opinion.rules == 0.95
    assert opinion.model > 0.9
