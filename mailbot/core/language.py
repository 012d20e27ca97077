"""In which of the configured languages a letter is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from mailbot.core.request import Language

MAX_TEXT_LENGTH = 1_000
"""Characters looked at; more does not change the answer."""
SHORT_TEXT_LETTERS = 60
"""Below this many letters the model alone is unsure and known words are evidence."""
FOREIGN_SHARE = 0.9
"""A longer text that the whole model gives to another language with this probability is in none of ours."""
ROMANISED_SHARE = 0.2
"""So many of the words, and two at least, show a language that is typed in Latin letters."""
ROMANISED_CONFIDENCE = 0.6
WORD_WEIGHT = 4.0
"""How much more likely one known word makes a language."""

_NOISE = re.compile(r"https?://\S+|www\.\S+|\S{0,200}@\S{1,200}|[\d_]+|[<>\[\]{}|=+*#]")
_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_LATIN_OR_CYRILLIC = re.compile(r"[A-Za-z\u00aa-\u024f\u0400-\u052f\u1e00-\u1eff]")


@dataclass(frozen=True, slots=True)
class Signs:
    """What shows a language in a text of a few words: common words, and letters that few others have."""

    words: frozenset[str] = frozenset()
    letters: str = ""
    romanised: tuple[str, ...] = ()
    """How common words begin where the language is typed in Latin letters."""


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """`language` is None where the text has no letters or is in no alphabet of ours. `confidence` is 0..1."""

    language: Language | None
    confidence: float


class LanguageGuesser:
    """Names the likeliest of the configured languages. The model is loaded once, here; it comes with py3langid."""

    def __init__(self, languages: Mapping[Language, Signs]) -> None:
        if not languages:
            raise ValueError("languages: expected at least one")
        self._signs = languages
        self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def guess(self, text: str) -> LanguageGuess:
        """The likeliest language of `text`; below 0.9 it is unsure. Addresses, links and numbers do not count."""
        clean = _NOISE.sub(" ", text[:MAX_TEXT_LENGTH]).strip()
        letters = len(_LETTERS.findall(clean))
        if not letters or len(_LATIN_OR_CYRILLIC.findall(clean)) * 2 < letters:
            return LanguageGuess(None, 0.0)
        ranked = dict(self._model.rank(clean.lower()))
        ours = {language: float(ranked.get(language, 0.0)) for language in self._signs}
        known = sum(ours.values())
        if (romanised := _romanised(clean.lower(), self._signs)) is not None:
            return LanguageGuess(romanised, ROMANISED_CONFIDENCE)
        if letters > SHORT_TEXT_LETTERS:
            return _best(ours, foreign=1.0 - known)
        return _best(_with_evidence(clean.lower(), ours, self._signs), foreign=0.0)


def _best(scores: dict[Language, float], foreign: float) -> LanguageGuess:
    total = sum(scores.values())
    language = max(scores, key=lambda candidate: scores[candidate])
    confidence = scores[language] / total if total > 0 else 0.0
    if foreign > FOREIGN_SHARE:
        confidence = min(confidence, 1.0 - foreign)
    return LanguageGuess(language, round(min(confidence, 1.0), 4))


def _romanised(text: str, signs: Mapping[Language, Signs]) -> Language | None:
    """The language that is typed here in letters that are not its own; the model does not know it so."""
    if not text.isascii():
        return None
    words = _WORD.findall(text)
    hits = {
        language: sum(word.startswith(known.romanised) for word in words)
        for language, known in signs.items()
        if known.romanised
    }
    best = max(hits, key=lambda language: hits[language], default=None)
    return best if best is not None and hits[best] >= max(2, len(words) * ROMANISED_SHARE) else None


def _with_evidence(
    text: str, scores: dict[Language, float], signs: Mapping[Language, Signs]
) -> dict[Language, float]:
    """Scores in which known words and letters that only some languages have count too."""
    words = set(_WORD.findall(text))
    weighted = {}
    for language, score in scores.items():
        known = signs[language]
        hits = len(words & known.words) + any(letter in text for letter in known.letters)
        weighted[language] = (score + 1e-6) * WORD_WEIGHT**hits
    return weighted
