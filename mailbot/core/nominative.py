"""Names and places as they are called, whatever case the sentence puts them in ("в Гомеле" → "Гомель")."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import morfeusz2
import pymorphy3

from mailbot.core.request import Language

_PERSON, _PLACE, _JOB = "person", "place", "job"
_SORTS = {
    "name": _PERSON, "first_name": _PERSON, "last_name": _PERSON, "city": _PLACE, "country": _PLACE,
    "job_title": _JOB,
}  # fmt: skip
_NAMED = {
    _PERSON: frozenset({"Name", "Surn", "Patr", "imię", "nazwisko"}),
    _PLACE: frozenset({"Geox", "nazwa_geograficzna"}),
}
_ADJECTIVE = frozenset({"ADJF", "PRTF", "adj"})
_FIRST_NAME = frozenset({"Name", "imię"})
_UNLIKELY = 0.1
"""A reading this much less likely than another is not meant."""
_MOST_WORDS, _MOST_PARTS, _MOST_READINGS = 4, 3, 12
"""Names have no more; bounds the work that a hostile letter can make."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to understand a word: its case (empty: it has none, any will do), number, gender, and the
    nominative. `names` tells what it can be the name of; `known`: it stands in the dictionary."""

    case: str
    is_plural: bool
    gender: str
    nominative: str
    names: frozenset[str]
    likely: float
    known: bool

    @property
    def is_adjective(self) -> bool:
        """It leads to a noun that agrees with it."""
        return bool(self.names & _ADJECTIVE)


Endings = tuple[tuple[str, str], ...]
"""Ends of words, lower-cased, each with what stands there in the nominative; the longest first."""
_Analyser = Callable[[str], list[_Reading]]


def nominative(field: str, text: str, language: Language, endings: Mapping[str, Endings]) -> str:
    """`text` in the nominative when every word of it can only stand in another case; else as it is written.
    `endings` are tried before the language's dictionary."""
    for ending, instead in endings.get(field, ()):
        if text.lower().endswith(ending):
            return _as_written(text[: len(text) - len(ending)] + instead, text)
    sort, analyser = _SORTS.get(field), _ANALYSERS.get(language)
    words = text.split(" ")
    if sort is None or analyser is None or len(words) > _MOST_WORDS or not all(words):
        return text
    readings = [_of_sort(analyser(word), sort, len(words)) for word in words]
    if sort == _JOB:
        return _job(words, readings)
    return text if _consistent(readings, "nom") else _turned(words, readings, sort)


def _turned(words: Sequence[str], readings: Sequence[Sequence[_Reading]], sort: str) -> str:
    for case in ("gen", "acc", "loc", "dat", "ins"):
        if found := _consistent(readings, case):
            return _written(found, words)
        first = _consistent(readings[:1], case)
        if sort == _PERSON and len(words) > 1 and first and first[0].case:
            return " ".join([_written(first, words), *words[1:]])  # a surname that is not declined
    return " ".join(words)


def _written(found: Sequence[_Reading], words: Sequence[str]) -> str:
    return " ".join(_as_written(one.nominative, word) for one, word in zip(found, words, strict=False))


def is_first_name(word: str, language: Language) -> bool:
    """The language's dictionary knows the word as a person's first name."""
    analyser = _ANALYSERS.get(language)
    return analyser is not None and any(one.known and _FIRST_NAME & one.names for one in analyser(word))


def _of_sort(readings: Sequence[_Reading], sort: str, words: int) -> list[_Reading]:
    """The readings that a name of this sort can have, the likeliest first."""
    if sort == _PERSON:
        readings = [one for one in readings if not one.is_plural and one.names & _NAMED[sort]]
    if sort == _PLACE and words == 1:
        readings = _of_place(readings)
    best = max((one.likely for one in readings), default=0.0)
    return [one for one in readings if one.likely > _UNLIKELY * best][:_MOST_READINGS]


def _of_place(readings: Sequence[_Reading]) -> list[_Reading]:
    """Readings as a place; dictionaries that do not mark places: as a thing."""
    return [one for one in readings if one.names & _NAMED[_PLACE]] or [
        one for one in readings if "inan" in one.names and "ADJF" not in one.names
    ]


def _consistent(readings: Sequence[Sequence[_Reading]], case: str) -> tuple[_Reading, ...]:
    """One reading of each word, all in this case, of one gender and number; () when there are none."""
    fitting = [[one for one in each if one.case in (case, "")] for each in readings]
    for chosen in product(*fitting):
        genders = {one.gender for one in chosen if one.gender}
        if len(genders) <= 1 and len({one.is_plural for one in chosen if one.case}) <= 1:
            return chosen
    return ()


def _job(words: Sequence[str], readings: Sequence[Sequence[_Reading]]) -> str:
    """The first noun and the adjectives before it in the nominative; what the noun governs stays ("директором по
    продажам", "старшего инженера")."""
    for size in range(1, len(words) + 1):
        if _consistent(readings[:size], "nom"):
            break
        for case in ("ins", "gen", "acc"):
            found = _consistent(readings[:size], case)
            if found and found[-1].case and not found[-1].is_adjective:
                found = _with_adjectives(found, readings, case)
                return " ".join([_written(found, words), *words[len(found) :]])
    return " ".join(words)


def _with_adjectives(
    found: tuple[_Reading, ...], readings: Sequence[Sequence[_Reading]], case: str
) -> tuple[_Reading, ...]:
    """With the adjectives that follow the noun, as in Polish ("dyrektora handlowego")."""
    longer = _consistent(readings[: len(found) + 1], case) if len(found) < len(readings) else ()
    if not longer or not longer[-1].is_adjective:
        return found
    return _with_adjectives(longer, readings, case)


def _as_written(form: str, word: str) -> str:
    """`form` with the capitals of `word`, part by part ("івано-франківськ")."""
    if word.isupper() and len(word) > 1:
        return form.upper()
    parts = word.split("-")
    forms = form.split("-")
    if len(parts) != len(forms):
        return form[:1].upper() + form[1:] if word[:1].isupper() else form
    return "-".join(
        one[:1].upper() + one[1:] if part[:1].isupper() else one
        for one, part in zip(forms, parts, strict=True)
    )


_CASES = {
    "nomn": "nom", "gent": "gen", "gen2": "gen", "accs": "acc", "datv": "dat", "ablt": "ins", "loct": "loc",
    "loc2": "loc",
}  # fmt: skip


@lru_cache
def _east_slavic(language: Language) -> pymorphy3.MorphAnalyzer:
    return pymorphy3.MorphAnalyzer(lang=language)


@lru_cache(maxsize=256)
def _analyse_east_slavic(language: Language, word: str) -> list[_Reading]:
    return list(_east_slavic_readings(language, word))


def _east_slavic_readings(language: Language, word: str) -> Iterator[_Reading]:
    for parse in _east_slavic(language).parse(word):
        tag = parse.tag
        if "Fixd" in tag:
            yield _Reading("", False, "", parse.word, frozenset(tag.grammemes), parse.score, parse.is_known)
            continue
        turned = parse.inflect({"nomn"}) if tag.case in _CASES else None
        if turned is not None:
            is_plural, gender = tag.number == "plur", str(tag.gender or "")
            yield _Reading(
                _CASES[str(tag.case)], is_plural, "" if is_plural else gender, turned.word,
                frozenset(map(str, tag.grammemes)), parse.score, parse.is_known,
            )  # fmt: skip


@lru_cache
def _polish() -> morfeusz2.Morfeusz:
    return morfeusz2.Morfeusz(whitespace=morfeusz2.KEEP_WHITESPACES)


@lru_cache(maxsize=256)
def _analyse_polish(word: str) -> list[_Reading]:
    parts = word.split("-")
    if len(parts) > _MOST_PARTS:
        return []
    if len(parts) > 1:
        return [
            _joined(chosen)
            for chosen in product(*(_analyse_polish(part) for part in parts))
            if _agree(chosen)
        ]
    return list(_polish_readings(word))


def _polish_readings(word: str) -> Iterator[_Reading]:
    for _, _, (_, lemma, tag, names, _) in _polish().analyse(word):
        part, *marks = tag.split(":")
        if len(marks) < 3 or ("sg" not in marks[0] and "pt" not in marks):
            continue
        if part == "adj":
            yield from _polish_adjective(lemma, marks)
        elif part == "subst":
            form, gender = lemma.split(":")[0].lower(), marks[2][0]
            for case in marks[1].split("."):
                yield _Reading(_polish_case(case), False, gender, form, frozenset(names), 1.0, True)


def _polish_adjective(lemma: str, marks: Sequence[str]) -> Iterator[_Reading]:
    forms = _polish_masculine_and_feminine(lemma)
    for case, gender in product(marks[1].split("."), sorted(_polish_genders(marks[2]) & forms.keys())):
        yield _Reading(_polish_case(case), False, gender, forms[gender], frozenset({"adj"}), 1.0, True)


@lru_cache(maxsize=256)
def _polish_masculine_and_feminine(lemma: str) -> Mapping[str, str]:
    """The nominative singular of an adjective by gender."""
    tagged = [(form, tag.split(":")) for form, _, tag, _, _ in _polish().generate(lemma)]
    singular = [
        (form, marks)
        for form, marks in tagged
        if marks[:2] == ["adj", "sg"] and "nom" in marks[2] and marks[-1] == "pos"
    ]
    return {gender: form for form, marks in singular for gender in _polish_genders(marks[3])}


def _polish_genders(marks: str) -> set[str]:
    """Masculine has several kinds ("m1.m2.f"), whose nominative is one."""
    return {mark[0] for mark in marks.split(".")}


def _polish_case(mark: str) -> str:
    return "ins" if mark == "inst" else mark


def _agree(chosen: Sequence[_Reading]) -> bool:
    return len({one.case for one in chosen}) == 1


def _joined(chosen: Sequence[_Reading]) -> _Reading:
    names = frozenset[str]().union(*(one.names for one in chosen))
    form = "-".join(one.nominative for one in chosen)
    return _Reading(chosen[0].case, False, chosen[-1].gender, form, names, 1.0, True)


_ANALYSERS: Mapping[str, _Analyser] = {
    "ru": lambda word: _analyse_east_slavic(Language("ru"), word),
    "uk": lambda word: _analyse_east_slavic(Language("uk"), word),
    "pl": _analyse_polish,
}
