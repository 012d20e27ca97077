"""Which fields a correction changes, from what to what, read from free text and checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from mailbot.core.letter import Letter
from mailbot.core.phrases import Hit
from mailbot.core.request import FieldChange
from mailbot.core.rules import CueRole, FieldCue, Rulebook

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(r"\+?\(?\d[\d\s().\-/]{5,24}\d")
_VAT_NUMBER = re.compile(r"\b[A-Za-z]{2}\s?[A-Za-z0-9](?:[\s.]?[A-Za-z0-9]){6,13}\b")
_NAME = re.compile(r"[^\W\d_][^\W\d_'’.-]*(?:[ '’.-]{1,2}[^\W\d_]+){0,5}\.?")
_SKYPE = re.compile(r"(?:live:)?[A-Za-z][\w.,:-]{4,40}")
_PLACE = re.compile(r"[^\W\d_][^\d,;:!?\n]{1,50}")
_TEXT = re.compile(r"[^\n;!?]{2,80}")
_SENTENCE_END = re.compile(r"(?<=\w{3})\.\s+(?=[^\W\d_])|(?<=\d)\.\s+(?=[A-ZÀ-Þ])|\n\s*\n|[!?]")
_EDGES = " \t\r\n\"'“”„«»‘’.,;:()[]<>*-–—→=>"
_QUOTED = re.compile(r"[\"“„«‘]\s*([^\"”“»’\n]{1,80}?)\s*[\"”“»’]")
_LONGEST_VALUE = 200
_ADDRESS_LINES = 4
_FRESH_REACH = 3
_ARROW = re.compile(r"\s*(?:->|=>|→|-->)")
_COLON = re.compile(r"\s*[:=]")


@dataclass(frozen=True, slots=True)
class _Cue:
    """What begins at original place `start` and ends before `end`."""

    role: CueRole
    field: str
    start: int
    end: int
    sentence: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Value:
    """A value found after a cue."""

    field: str
    is_new: bool
    text: str
    sentence: int


def read_fields(rulebook: Rulebook, letter: Letter, hits: Sequence[Hit]) -> tuple[FieldChange, ...]:
    """The changed fields, in the letter's order; values that do not pass their field's check are left out,
    since a wrong value is worse than an empty line on the confirm page."""
    addresses = [found.span() for found in _EMAIL.finditer(letter.source)]
    outside = (cue for cue in _cues(rulebook, letter, hits) if not _is_inside(cue, addresses))
    cues = sorted(outside, key=lambda cue: (cue.first, -cue.last))
    cues = _without_inner(cues)
    values = list(_values(cues, letter))
    return tuple(dict.fromkeys(_pair(values)))


def _is_inside(cue: _Cue, spans: Sequence[tuple[int, int]]) -> bool:
    """Words within an e-mail address say nothing ("new" in "anna.new@example.org")."""
    return any(start <= cue.start and cue.end <= end for start, end in spans)


def _cues(rulebook: Rulebook, letter: Letter, hits: Sequence[Hit]) -> Iterator[_Cue]:
    for hit in hits:
        cue = rulebook.holders[hit.holder]
        if isinstance(cue, FieldCue):
            start, end = letter.span(hit.first, hit.last)
            sentence = letter.sentences[hit.first]
            yield _Cue(cue.role, cue.field, start, end, sentence, hit.first, hit.last)


def _without_inner(cues: Sequence[_Cue]) -> list[_Cue]:
    """Without cues inside a longer one ("e-mail" in "e-mail address")."""
    kept: list[_Cue] = []
    for cue in cues:
        if not kept or cue.last > kept[-1].last or cue.first > kept[-1].last:
            kept.append(cue)
    return kept


def _values(cues: Sequence[_Cue], letter: Letter) -> Iterator[_Value]:
    label: _Cue | None = None
    for index, cue in enumerate(cues):
        following = cues[index + 1] if index + 1 < len(cues) else None
        if cue.role is CueRole.LABEL:
            label = cue
            yield from _after_label(cue, cues[:index], following, letter)
        elif cue.role is CueRole.IMPLIED or (cue.role is CueRole.INTRODUCED and _is_old(following, cue)):
            label = cue
            yield from _value(cue.field, True, cue, following, letter)
        elif label is None or cue.sentence - label.sentence > 1:
            continue
        elif cue.role in (CueRole.NEW, CueRole.OLD):
            yield from _value(label.field, cue.role is CueRole.NEW, cue, following, letter)
        elif cue.role is CueRole.PLAIN and (_is_fresh(label, cues[:index]) or _is_old(following, cue)):
            yield from _value(label.field, True, cue, following, letter)


def _after_label(
    label: _Cue, before: Sequence[_Cue], following: _Cue | None, letter: Letter
) -> Iterator[_Value]:
    rest = letter.source[label.end : label.end + 6]
    if _is_fresh(label, before) and _COLON.match(rest):
        yield from _value(label.field, True, label, following, letter)
    segment = letter.source[label.end : label.end + _LONGEST_VALUE]
    left, arrow, right = _split_arrow(segment)
    if arrow and (new := clean_value(label.field, right)):
        if old := clean_value(label.field, left):
            yield _Value(label.field, False, old, label.sentence)
        yield _Value(label.field, True, new, label.sentence)


def _split_arrow(segment: str) -> tuple[str, bool, str]:
    line = segment.split("\n", 1)[0]
    found = _ARROW.search(line)
    return (line[: found.start()], True, line[found.end() :]) if found else (line, False, "")


def _is_fresh(label: _Cue, before: Sequence[_Cue]) -> bool:
    return any(
        cue.role is CueRole.FRESH
        and 0 <= label.first - cue.last <= _FRESH_REACH
        and cue.sentence == label.sentence
        for cue in before[-4:]
    )


def _is_old(following: _Cue | None, cue: _Cue) -> bool:
    return following is not None and following.role is CueRole.OLD and following.sentence == cue.sentence


def _value(field: str, is_new: bool, cue: _Cue, following: _Cue | None, letter: Letter) -> Iterator[_Value]:
    limit = following.start if following is not None else len(letter.source)
    segment = letter.source[cue.end : min(max(limit, cue.end), cue.end + _LONGEST_VALUE)]
    text = clean_value(field, segment)
    if text is not None:
        yield _Value(field, is_new, text, cue.sentence)


def _pair(values: Sequence[_Value]) -> Iterator[FieldChange]:
    """Each new value with the old one of the same field nearest to it (one sentence apart at most)."""
    seen: set[str] = set()
    for value in values:
        if not value.is_new or value.field in seen:
            continue
        seen.add(value.field)
        olds = [
            other.text
            for other in values
            if not other.is_new and other.field == value.field and abs(other.sentence - value.sentence) <= 1
        ]
        old = next((one for one in olds if one != value.text), None)
        yield FieldChange(value.field, old, value.text)


def clean_value(field: str, segment: str) -> str | None:
    """The value of `field` that `segment` (text after a cue) begins with, trimmed and normalised: addresses of
    mail by email-validator, phone numbers to their international form where the country is known. None when
    there is none that could be right."""
    return _CLEANERS[field](segment[:_LONGEST_VALUE])


def _clean_email(segment: str) -> str | None:
    found = _EMAIL.search(segment)
    if found is None:
        return None
    try:
        return validate_email(
            found.group().strip(".'-"), check_deliverability=False, test_environment=True
        ).normalized
    except EmailNotValidError:
        return None


def _clean_phone(segment: str) -> str | None:
    found = _PHONE.search(segment)
    if found is None:
        return None
    text = " ".join(found.group().split())
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return text if 6 <= sum(map(str.isdigit, text)) <= 15 else None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _clean_vat_number(segment: str) -> str | None:
    for found in _VAT_NUMBER.finditer(segment):
        text = re.sub(r"[\s.]", "", found.group()).upper()
        if sum(map(str.isdigit, text)) >= 5:
            return text
    return None


def _clean_name(segment: str) -> str | None:
    text = _first_part(segment)
    found = _NAME.match(text)
    if found is None or found.end() < len(text):
        return None
    if not _QUOTED.match(segment.lstrip(" :")) and not _is_capitalised(found.group(), segment):
        return None
    return found.group().strip(_EDGES)


def _is_capitalised(name: str, segment: str) -> bool:
    return name[0].isupper() or (segment.islower() and len(name.split()) <= 2)


def _clean_address(segment: str) -> str | None:
    text = _SENTENCE_END.split(segment.strip(_EDGES))[0]
    lines = [line.strip(_EDGES) for line in text.split("\n")[:_ADDRESS_LINES]]
    joined = ", ".join(line for line in lines if line)
    return joined if any(map(str.isdigit, joined)) and any(map(str.isalpha, joined)) else None


def _clean_skype(segment: str) -> str | None:
    found = _SKYPE.search(segment)
    return found.group().rstrip(".,:") if found else None


def _clean_by(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def clean(segment: str) -> str | None:
        quoted = _QUOTED.match(segment.lstrip(" :"))
        text = quoted[1] if quoted else _SENTENCE_END.split(segment.strip(_EDGES))[0].split("\n")[0]
        found = pattern.match(text)
        return found.group().strip(_EDGES) or None if found else None

    return clean


def _first_part(segment: str) -> str:
    """What stands in quotation marks at the beginning, else the words before the first mark or line's end."""
    quoted = _QUOTED.match(segment.lstrip(" :"))
    if quoted:
        return quoted[1].strip(_EDGES)
    text = re.split(r"[,;:!?()\n]|\s[-–—]\s", segment.strip(_EDGES))[0]
    return re.split(r"(?<=\w{2})\.(?:\s|$)", text)[0].strip(_EDGES)


_CLEANERS: dict[str, Callable[[str], str | None]] = {
    "email": _clean_email,
    "phone": _clean_phone,
    "vat_number": _clean_vat_number,
    "name": _clean_name,
    "first_name": _clean_name,
    "last_name": _clean_name,
    "address": _clean_address,
    "skype": _clean_skype,
    "company": _clean_by(_TEXT),
    "job_title": _clean_by(_PLACE),
    "city": _clean_by(_PLACE),
    "country": _clean_by(_PLACE),
}
