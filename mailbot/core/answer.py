"""A yes or no by mail to a confirmation: it counts only when the person wrote nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

_LONGEST_ANSWER = 400
_WORD = re.compile(r"[^\W_]+")


class Answer(StrEnum):
    """What a person answered."""

    YES = "yes"
    NO = "no"
    NOT_ME = "not_me"
    UNCLEAR = "unclear"


class AnswerPhrases(BaseModel):
    """The short answers of one language; `around` may stand beside them (a greeting, a thank-you)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    not_me: tuple[str, ...] = ()
    around: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """Folded phrases of all languages (rules/languages/*.toml)."""

    phrases: Mapping[str, Answer]
    around: frozenset[str]


def answer_rules(languages: Iterable[AnswerPhrases]) -> AnswerRules:
    """The phrases of all `languages` together."""
    phrases: dict[str, Answer] = {}
    around: set[str] = set()
    for one in languages:
        for answer, words in ((Answer.YES, one.yes), (Answer.NO, one.no), (Answer.NOT_ME, one.not_me)):
            phrases.update((_fold(phrase), answer) for phrase in words)
        around.update(map(_fold, one.around))
    return AnswerRules(phrases, frozenset(around))


def read_answer(new_text: str, rules: AnswerRules, name: str = "") -> Answer:
    """What `new_text` (no quotes, no signature) answers; UNCLEAR whenever it says anything more.

    `name` is what the sender's address and display name say: words of it may stand below the answer.
    """
    if len(new_text) > _LONGEST_ANSWER or "?" in new_text:
        return Answer.UNCLEAR
    own = frozenset(_fold(re.sub(r"[@._+-]", " ", name)).split())
    parts = [part for line in new_text.split("\n") for part in _parts(line, rules)]
    said = {rules.phrases[part] for part in parts if part in rules.phrases}
    rest = [part for part in parts if part not in rules.phrases and part not in rules.around]
    if len(said) == 1 and all(own.issuperset(part.split()) for part in rest):
        return said.pop()
    return _joined(parts, rules)


def _parts(line: str, rules: AnswerRules) -> list[str]:
    """The line as a whole where it is a phrase ("No, that wasn't me."), else what stands between its marks."""
    whole = _fold(line)
    if whole in rules.phrases or whole in rules.around:
        return [whole]
    return [folded for part in re.split(r"[.!;,]", line) if (folded := _fold(part))]


def _joined(parts: Sequence[str], rules: AnswerRules) -> Answer:
    """The answer where a phrase runs over the end of a line."""
    whole = " ".join(part for part in parts if part not in rules.around)
    return rules.phrases.get(whole, Answer.UNCLEAR)


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter)).replace("'", "")
    return " ".join(_WORD.findall(bare))
