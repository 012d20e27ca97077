"""The letters written apart from the rules, and the rulebooks they are read with."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mailbot.core.classify import Classifier
from mailbot.core.language_file import LanguageFile
from mailbot.core.request import Language, Understanding
from mailbot.core.rules import Rulebook, load_rulebook

ROOT = Path(__file__).parents[2]
LETTERS = Path(__file__).parent / "letters"
LANGUAGES = tuple(Language(path.stem) for path in sorted((ROOT / "rules/requests").glob("??.toml")))


@dataclass(frozen=True)
class LabelledLetter:
    """A letter and what must be understood. `kinds` are all of those asked, or with `any` those allowed;
    `hard` ones ask nothing served (or nothing a machine may do); `doubt` ones must reach a person."""

    text: str
    kinds: frozenset[str]
    subject: str = ""
    any: bool = False
    hard: bool = False
    doubt: bool = False
    withdraws: bool = False
    capacity: str = ""
    fields: tuple[tuple[str, str | None, str], ...] = ()

    def is_met_by(self, understanding: Understanding) -> bool:
        kinds = {asked.kind.value for asked in understanding.asked}
        return kinds <= self.kinds if self.any else kinds == self.kinds


@lru_cache
def rulebook(language: Language) -> Rulebook:
    text = (ROOT / f"rules/requests/{language}.toml").read_text(encoding="utf-8")
    return load_rulebook(tomllib.loads(text), language)


@lru_cache
def language_file(language: Language) -> LanguageFile:
    text = (ROOT / f"rules/languages/{language}.toml").read_text(encoding="utf-8")
    return LanguageFile.model_validate(tomllib.loads(text))


@lru_cache
def classifier() -> Classifier:
    return Classifier({language: rulebook(language) for language in LANGUAGES})


def letters(language: Language) -> list[LabelledLetter]:
    lines = (LETTERS / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_letter(json.loads(line)) for line in lines]


def _letter(values: dict[str, object]) -> LabelledLetter:
    fields = values.pop("fields", [])
    kinds = values.pop("kinds")
    assert isinstance(fields, list)
    assert isinstance(kinds, list)
    changes = tuple((str(name), old, str(new)) for name, old, new in fields)
    return LabelledLetter(**values, kinds=frozenset(kinds), fields=changes)  # type: ignore[arg-type] # JSON
