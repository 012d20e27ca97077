"""The shipped model, and learning one."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from mailbot.config import DEFAULT_PATH, Config, parse_config
from mailbot.core.decide import Decision
from mailbot.core.opinion import cut, evidence_for, score
from mailbot.core.request import Kind
from mailbot.examples import Labelled, example_files, load_examples
from mailbot.knowledge import load_knowledge
from mailbot.reading import Knowledge, Reader, as_json
from mailbot.resources import ResourceTrouble, built_in
from mailbot.second_opinion import load_ideas, load_model, load_second_opinion, save_model
from mailbot.teaching import digests_of, teach

RULES = built_in("rules")
PLACES = (RULES,)


@pytest.fixture(scope="module")
def config() -> Config:
    return parse_config({}, DEFAULT_PATH)


@pytest.fixture(scope="module")
def knowledge(config: Config) -> Knowledge:
    return load_knowledge(config)


@pytest.fixture(scope="module")
def reader(knowledge: Knowledge) -> Reader:
    return Reader(knowledge, None)


@pytest.fixture(scope="module")
def examples() -> list[Labelled]:
    return load_examples(RULES / "examples")[::17]


def test_the_shipped_model_was_learnt_from_the_examples_and_ideas_beside_it() -> None:
    """When this fails: `mailbot rules train`."""
    model = load_model(PLACES)
    assert model is not None
    about = json.loads(model.about)
    digests = digests_of(example_files(RULES / "examples"), [RULES])
    assert {name: about[name] for name in digests} == digests


def test_the_same_examples_give_the_same_file(
    examples: list[Labelled], knowledge: Knowledge, tmp_path: Path
) -> None:
    ideas = load_ideas(PLACES)
    for name in ("first", "second"):
        save_model(teach(examples, knowledge, ideas, {}).model, tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_what_was_learnt_is_known(examples: list[Labelled], knowledge: Knowledge) -> None:
    """A model knows nearly all of the examples it was made from, and better than chance those it was not."""
    trained = teach(examples, knowledge, load_ideas(PLACES), {})
    asks = np.array([Kind.DELETION in one.example.kinds for one in examples])
    unseen = trained.unseen[:, list(Kind).index(Kind.DELETION)] > 0
    assert (unseen == asks).mean() > max(asks.mean(), 1 - asks.mean())


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(ResourceTrouble, match=r"model\.npz"):
        load_model((tmp_path,))


def test_without_a_model_the_rules_read_alone(tmp_path: Path) -> None:
    assert load_second_opinion((tmp_path,)) is None


def test_a_broken_line_of_examples_is_named(tmp_path: Path) -> None:
    (tmp_path / "en.jsonl").write_text('{"id": "en-0001", "kinds": ["nonsense"]}\n')
    with pytest.raises(ResourceTrouble, match="line 1"):
        load_examples(tmp_path)


@pytest.mark.parametrize(
    ("text", "kind", "decision"),
    [
        ("Please delete my account and all my data.", Kind.DELETION, Decision.CONFIRM),
        ("Bitte löschen Sie mein Konto.", Kind.DELETION, Decision.CONFIRM),
        ("Please unsubscribe me from your newsletter.", Kind.UNSUBSCRIBE, Decision.ACT),
        ("Merci de me désabonner de votre newsletter.", Kind.UNSUBSCRIBE, Decision.ACT),
        ("Please send me a copy of all data you hold about me.", Kind.ACCESS, Decision.CONFIRM),
        ("I cannot log in, my password does not work.", Kind.OTHER, Decision.REVIEW),
    ],
)
def test_clear_letters_are_handled(reader: Reader, text: str, kind: Kind, decision: Decision) -> None:
    reading = reader.read_text("", text)
    assert [asked.kind for asked in reading.understanding.asked] == [kind]
    assert reading.decided.decision is decision


@pytest.mark.parametrize(
    "text",
    [
        "Please do not delete my account.",
        "How do I unsubscribe my attendees?",
        "My lawyer will contact you unless you delete my account.",
        "Please unsubscribe my colleague Julie.",
    ],
)
def test_letters_for_a_person_go_to_staff(reader: Reader, text: str) -> None:
    assert reader.read_text("", text).decided.decision is Decision.REVIEW


def test_both_opinions_of_a_letter_are_known(reader: Reader) -> None:
    opinions = reader.read_text("", "Please delete my account.").understanding.opinions
    deletion = next(one for one in opinions if one.kind is Kind.DELETION)
    assert deletion.rules is not None
    assert deletion.model > 0.5


def test_the_words_that_speak_for_a_kind_stand_in_the_letter() -> None:
    second, model = load_second_opinion(PLACES), load_model(PLACES)
    assert second is not None and model is not None
    text = "Guten Tag, bitte löschen Sie mein Konto. Danke!"
    letter = cut("Frage", text, second.book("de"))
    assert float(score(model, letter).kinds[list(Kind).index(Kind.DELETION)]) > 0
    evidence = evidence_for(model, letter, Kind.DELETION)
    assert any("löschen" in text[one.start : one.end] for one in evidence if not one.in_subject)


def test_odd_texts_have_an_opinion(reader: Reader) -> None:
    for text in ("", "\n", "🙂🙂", "\u0000", "a" * 50_000, "?" * 5_000, "\u202e\u200b", "1234567 " * 2_000):
        assert reader.read_text("", text).decided.decision in Decision


def test_an_opinion_on_a_letter_of_two_pages_takes_milliseconds() -> None:
    """A bound that holds on a busy machine; the figures are in docs."""
    second, model = load_second_opinion(PLACES), load_model(PLACES)
    assert second is not None and model is not None
    text = "I opened an account last year for my courses and do not use it any more. " * 28
    best = min(_seconds(lambda: score(model, cut("Account", text, second.book("en")))) for _ in range(20))
    assert best < 0.01


def _seconds(work: object) -> float:
    started = time.perf_counter()
    assert callable(work)
    work()
    return time.perf_counter() - started


def test_the_second_opinion_says_what_it_weighed(reader: Reader) -> None:
    shown = as_json(reader.read_text("", "Please delete my account."), "a.txt")
    deletion = next(one for one in shown["opinions"] if one["kind"] == "deletion")
    assert deletion["features"][0]["weight"] > 0
    assert any("delete" in one["name"] for one in deletion["features"])
    assert shown["requests"][0]["evidence"][0]["sentence"] == "Asks to delete or close the account."
