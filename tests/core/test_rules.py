"""A rules file is checked when it is loaded: what is wrong is named with its place and the mend."""

from __future__ import annotations

import pytest

from mailbot.core.letter import read_letter
from mailbot.core.phrases import Matcher, Notation, PatternError
from mailbot.core.request import Language
from mailbot.core.rules import RuleError, load_rulebook
from tests.core.letter_sets import LANGUAGES, rulebook


def rule(**changes: object) -> dict[str, object]:
    values: dict[str, object] = {
        "id": "deletion.en.test",
        "kind": "deletion",
        "sentence": "Asks.",
        "patterns": ["{delete} ~2 account"],
        "confidence": 0.9,
        "matches": ["delete my account"],
    }
    return {key: value for key, value in (values | changes).items() if value is not None}


def book(**changes: object) -> dict[str, object]:
    return {"language": "en", "words": {"delete": ["delete", "wipe out"]}, "rule": [rule()]} | changes


def does_match(pattern: str, text: str) -> bool:
    words = {"delete": ["delete", "wipe out"], "mine": ["my ~2 account"]}
    parsed = Notation(words, {"ö": "oe"}).parse(pattern)
    return bool(Matcher([(0, one) for one in parsed], ()).find(read_letter(text, ("art",), ("but",))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_says_what_it_recognises_and_gives_examples(language: Language) -> None:
    for one in rulebook(language).rules:
        assert one.sentence.endswith(".")
        assert one.matches
        assert one.id.startswith(f"{one.kind.value}.{language}.")


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (book(language="fr"), "`language`"),
        (book(rules=[]), "unknown key `rules`"),
        (book(rule=[rule(kind="delete")]), "deletion.en.test: `kind` is `delete`; write one of"),
        (book(rule=[rule(confidence=2)]), "deletion.en.test: `confidence`"),
        (book(rule=[rule(patterns=["{erase} account"])]), "`{erase}` is not a list under [words]"),
        (book(rule=[rule(patterns=["~2 account"])]), "must begin with a word"),
        (book(rule=[rule(matches=None)]), "`matches` is missing"),
        (book(rule=[rule(), rule()]), "`id` deletion.en.test is there twice"),
        (book(rule=[rule(pattern=["x"])]), "unknown key `pattern`"),
        (book(guard=[{"id": "guard.en.x", "patterns": ["court"]}]), "guard.en.x: `doubt`"),
        (book(fields={"labels": {"shoe": ["shoe"]}}), "unknown key `shoe`"),
    ],
)
def test_a_broken_file_is_refused_with_its_place_and_the_mend(data: dict[str, object], named: str) -> None:
    with pytest.raises(RuleError) as caught:
        load_rulebook(data, "en")
    assert named in str(caught.value)
    assert str(caught.value).startswith("en.toml: ")


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("{delete} ~2 account", "Delete my old account", True),
        ("{delete} ~2 account", "Wipe out my account", True),
        ("{delete} ~2 account", "Delete this. My account is fine", False),
        ("{delete} ~2 account", "Delete, my account", False),
        ("{delete} ~~2 account", "Delete, my account", True),
        ("{delete} ~2 account", "delete one two three account", False),
        ("lösch* {mine}", "LOESCHEN my new account", True),
        ("lösch* {mine}", "Lo\u0308schen my account", True),
        ("account <3> close", "close the account", True),
        ("account <3> close", "account to close", True),
        ("^ stop", "please stop", False),
        ("^1 stop", "please stop", True),
        ("stop $", "stop it", False),
        ("stop now?", "stop", True),
        ("art 17", "Art. 17", True),
        ("unsubscribe", "unsubcribe", True),
        ("account", "accounts", False),
        ("*konto", "Benutzerkonto", True),
    ],
)
def test_the_notation_of_patterns(pattern: str, text: str, expected: bool) -> None:
    assert does_match(pattern, text) is expected


def test_a_bracket_within_a_word_is_refused() -> None:
    with pytest.raises(PatternError):
        Notation({}, {}).parse("ab(c|d) ~2 e")
