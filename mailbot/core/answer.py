"""A yes or no by mail to a confirmation: it counts only when the person wrote nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

LONGEST_NAME_WORDS = 4
"""A line of so few words after the answer is a name below it."""

_LONGEST_ANSWER = 400
_WORD = re.compile(r"[^\W_]+")


class Answer(StrEnum):
    """What a person answered."""

    YES = "yes"
    NO = "no"
    NOT_ME = "not_me"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """Folded phrases of all languages (rules/answers.toml)."""

    phrases: Mapping[str, Answer]
    around: frozenset[str]


def load_answer_rules(data: Mapping[str, object]) -> AnswerRules:
    """The rules of a parsed rules/answers.toml. Raises ValueError naming language and key."""
    phrases: dict[str, Answer] = {}
    around: set[str] = set()
    for language, table in data.items():
        for answer in (Answer.YES, Answer.NO, Answer.NOT_ME):
            phrases.update(dict.fromkeys(_list(language, table, answer.value), answer))
        around.update(_list(language, table, "around"))
    return AnswerRules(phrases, frozenset(around))


def read_answer(new_text: str, rules: AnswerRules) -> Answer:
    """What `new_text` (no quotes, no signature) answers; UNCLEAR whenever it says anything more."""
    if len(new_text) > _LONGEST_ANSWER:
        return Answer.UNCLEAR
    lines = [folded for line in re.split(r"[\n.!;,]", new_text) if (folded := _fold(line))]
    said = [rules.phrases[line] for line in lines if line in rules.phrases]
    rest = [line for line in lines if line not in rules.phrases and line not in rules.around]
    if len(set(said)) != 1 or not _is_name(rest, lines):
        return _joined(lines, rules)
    return said[0]


def _joined(lines: Sequence[str], rules: AnswerRules) -> Answer:
    """The answer where punctuation stands inside the phrase ("No, that wasn't me.")."""
    whole = " ".join(line for line in lines if line not in rules.around)
    return rules.phrases.get(whole, Answer.UNCLEAR)


def _is_name(rest: Sequence[str], lines: Sequence[str]) -> bool:
    if not rest:
        return True
    return len(rest) == 1 and rest[0] == lines[-1] and len(rest[0].split()) <= LONGEST_NAME_WORDS


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter)).replace("'", "")
    return " ".join(_WORD.findall(bare))


def _list(language: str, table: object, key: str) -> list[str]:
    values = table.get(key) if isinstance(table, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"answers.toml: {language}.{key} must be a list of phrases")
    return [_fold(value) for value in values]
