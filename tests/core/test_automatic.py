"""Machines are never answered, persons always are."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pytest

from mailbot.core.automatic import (
    Automatic,
    AutomaticRules,
    AutomaticRulesError,
    find_automatic,
    load_automatic_rules,
    relayed_for,
)
from mailbot.core.message import ParsedMail
from mailbot.core.parse import parse

GOLDEN = Path(__file__).parent / "golden" / "automatic"
CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpora"
OWN = frozenset({"privacy@example.com", "bounces@example.com"})
RULES = load_automatic_rules(
    tomllib.loads((Path(__file__).parents[2] / "rules" / "automatic.toml").read_text("utf-8"))
)


def kind_of(raw: bytes) -> str:
    mail = parse(raw)
    assert isinstance(mail, ParsedMail)
    verdict = find_automatic(mail, OWN, RULES)
    return verdict.kind.value if verdict else "none"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.eml")), ids=lambda path: path.stem)
def test_each_golden_mail_is_what_its_file_name_says(path: Path) -> None:
    assert kind_of(path.read_bytes()) == path.name.partition("--")[0]


def test_the_development_corpus_is_told_apart() -> None:
    """99 % of bounces are named so, all auto-replies and reports are automatic; no letter of a person is."""
    seen: dict[str, list[str]] = {}
    index = CORPUS / "raw" / "index.csv"
    rows = list(csv.DictReader(index.open(encoding="utf-8"))) if index.exists() else []
    for row in (row for row in rows if row["format"] != "body"):
        seen.setdefault(row["kind"], []).append(kind_of((CORPUS / row["path"]).read_bytes()))
    bounces = seen.get("bounce", [])
    assert bounces.count("bounce") >= len(bounces) * 0.99
    assert bounces.count("none") <= 4, "two that persons forward, two that are no bounces"
    assert "none" not in seen.get("arf", []) + seen.get("autoreply", [])
    assert (
        len([kind for kind in seen.get("normal", []) if kind != "none"]) <= 2
    )  # a no-reply sender, a TLS report


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("none--web-form", "vera@visitors.example"),
        ("none--web-form-in-our-name", "vera@visitors.example"),
        ("bulk--no-reply-twice", None),
        ("none--own-group", None),
    ],
)
def test_who_wrote_through_a_web_form_is_seen(name: str, person: str | None) -> None:
    mail = parse((GOLDEN / f"{name}.eml").read_bytes())
    assert isinstance(mail, ParsedMail)
    found = relayed_for(mail, OWN, RULES)
    assert (found.address if found else None) == person


def test_the_reason_names_the_rule_and_no_person() -> None:
    mail = parse((GOLDEN / "bulk--no-reply.eml").read_bytes())
    assert isinstance(mail, ParsedMail)
    verdict = find_automatic(mail, OWN, RULES)
    assert verdict is not None
    assert verdict.reason.startswith("bulk.no_reply: ")
    assert "@" not in verdict.reason


def rule(**changes: object) -> dict[str, object]:
    return {"rule": [{"id": "x", "kind": "bulk", "sentence": "s", "header": "x-a"} | changes]}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "rule: expected"),
        ({"rules": []}, "rules: unknown key"),
        (rule(kind="spam"), "rule.x.kind: expected one of auto_reply"),
        (rule(value=["a"]), "rule.x.value: unknown key"),
        (rule(values="a"), "rule.x.values: expected a list"),
        (rule(values=[1]), "rule.x.values: every item"),
        (rule(local_parts=["*"]), "rule.x.local_parts: every item"),
        (rule(null_sender="yes"), "rule.x.null_sender: expected true or false"),
        (rule(sentence=""), "rule.x.sentence: expected a text"),
        ({"rule": [{"id": "x", "kind": "bulk", "sentence": "s"}]}, "rule.x: has no condition"),
        ({"rule": rule()["rule"] * 2}, "rule.x.id: given twice"),  # type: ignore[operator] # a list by construction
        ({"rule": ["x"]}, "rule[0]: expected a table"),
    ],
)
def test_wrong_rules_are_refused_with_the_key_named(data: dict[str, object], words: str) -> None:
    with pytest.raises(AutomaticRulesError) as error:
        load_automatic_rules(data)
    assert words in str(error.value)


def test_every_kind_has_a_rule() -> None:
    assert isinstance(RULES, AutomaticRules)
    assert {one.kind for one in RULES.rules} == set(Automatic)
