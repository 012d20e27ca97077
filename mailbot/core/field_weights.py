"""What stands around each value of a letter: is it the new one or the old one, and of which field."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale
from rapidfuzz import fuzz

from mailbot.core.field_forms import Form, Found
from mailbot.core.field_labels import BESIDE, IN_SENTENCE, NOWHERE, UNTYPED, nearest_label
from mailbot.core.field_page import ARROW, COLON, SILENT, Cue, Page, count_words, is_sentence_start
from mailbot.core.field_values import is_country
from mailbot.core.fold import fold
from mailbot.core.request import Language
from mailbot.core.rules import CueRole

_SENTENCE = re.compile(r"[!?;](?:\s|$)|\.(?:\s|$)|\n\s*\n")
_TITLES = re.compile(
    r"(?<![\w'’])(?:(?:mr|mrs|ms|miss|hr|fr|mw|mister|mme|madame|m|monsieur|mlle|herrn?|frau|srta|sra?|señora?|don|doña|sig|signora?"
    r"|sig\.ra|dhr|mevr|mevrouw|meneer|heer|de heer|pan|pani|panią|pana|ponas|ponia|п|пан|пані|г-н|г-жа|господин"
    r"|госпожа)\.?\s)",
    re.IGNORECASE,
)
INTRODUCED = 0.5
"""Score of a name that the writer calls himself by: new only if an old one is told."""
_TYPED = {Form.EMAIL: "email", Form.VAT_NUMBER: "vat_number", Form.ADDRESS: "address", Form.NUMBER: "phone"}
_SURE = {*_TYPED, Form.HANDLE}
_TELLING = 6
"""Letters of a word that is more than a preposition ("instead of"), which after a sentence's first word may
belong to anything ("Vengo dalla Slovacchia")."""
_REACH = 3
_SHORT = 3
_NEW, _OLD, _FRESH, _LABELLED, _MOVED = 2.0, -2.0, 1.5, 1.4, 1.3
_REPLACES, _IS_REPLACED, _INSTEAD, _GONE = 1.2, -1.2, 1.8, -1.8
"""What words before the value say, and after it. Only their order matters: words before say more."""
_PLACES = ("city", "country")
_LEADING = (CueRole.OLD, CueRole.NEW, CueRole.IMPLIED)
_ALIKE, _SPELLED_ALIKE = 0.2, 78
"""Score of a value that nothing is said of, but that is spelled almost like another one; how alike, of 100."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A value and what its surroundings say. `score` is above 0 for new and below 0 for old ones; `labelled`
    tells how near the label is."""

    form: Form
    text: str
    start: int
    sentence: int
    score: float
    field: str
    labelled: int
    counts: bool
    """Well enough marked to be taken without other reasons."""
    is_titled: bool
    is_in_block: bool
    is_implied: bool
    """Words before it name its field themselves ("I now live in")."""

    @property
    def is_introduction(self) -> bool:
        """The writer calls himself so, and nothing else is said of it."""
        return self.is_implied and self.score == INTRODUCED


def weigh_values(page: Page) -> list[Weighed]:
    """Every value of the letter that may belong to a corrected field."""
    return [weighed for index in range(len(page.values)) if (weighed := _weigh(page, index)) is not None]


def _weigh(page: Page, index: int) -> Weighed | None:
    found = page.values[index]
    title = _TITLES.match(found.text) if found.form not in _SURE else None
    text = found.text[title.end() :] if title else found.text
    before, implied = _before(page, index)
    score = before + _after(page, index)
    is_alike = not score and _has_look_alike(page, found)
    score = _ALIKE if is_alike else score
    field, labelled = _field(page, found, implied, before == INTRODUCED)
    if not _may_be_value(page, found, text, field, score):
        return None
    is_titled = title is not None or _is_after_title(page.text, found.start)
    counts = (
        abs(score) >= 1
        or score == INTRODUCED
        or (labelled == BESIDE and score > 0)
        or found.form in _SURE
        or found.form is Form.QUOTED
        or is_alike
    )
    return Weighed(
        found.form, text, found.start, page.sentence(found.start), score, field, labelled, counts, is_titled,
        found.start >= page.block, bool(implied),
    )  # fmt: skip


def _has_look_alike(page: Page, found: Found) -> bool:
    """Two spellings of one thing are the wrong and the right one, whatever is said between them."""
    if found.form is not Form.NAME:
        return False
    text = fold(found.text).text
    others = (
        fold(one.text).text
        for one in page.values
        if one.form in (Form.NAME, Form.QUOTED, Form.PLAIN) and one.text != found.text
    )
    return any(fuzz.ratio(text, other) >= _SPELLED_ALIKE for other in others)


def _field(page: Page, found: Found, implied: str, is_introduced: bool) -> tuple[str, int]:
    """The field that the words before the value name themselves, else the nearest label's."""
    field, labelled = nearest_label(page, found)
    if implied in _PLACES:
        return (field, labelled) if field in _PLACES and labelled else ("city", NOWHERE)
    if (
        found.form is Form.PLAIN
        and implied in ("name", "")
        and "job_title" in page.named
        and not page.is_lower
    ):
        return "job_title", labelled
    if implied == "job_title" != field and field and found.text[0].isupper():  # "I am now Moore": the surname
        return field, labelled
    if is_introduced and field == "job_title":  # "I am Senior Nurse now"
        return field, labelled
    if implied and (not is_introduced or labelled < IN_SENTENCE or field == "name"):
        return implied, BESIDE
    return field, labelled


def _may_be_value(page: Page, found: Found, text: str, field: str, score: float) -> bool:
    match found.form:
        case Form.NAME if not score:
            is_any_noun = page.noun_capitals or is_sentence_start(page.text, found.start)
            return bool(text) and not is_any_noun and not _is_calendar(text, page.language)
        case Form.NAME:
            return bool(text) and not _is_calendar(text, page.language)
        case Form.QUOTED:
            return len(text) > _SHORT or (len(text) > 1 and text[0].isupper())
        case Form.PLAIN:
            return bool(text) and _is_plain_value(page, field, score)
        case _:
            return True


def _is_plain_value(page: Page, field: str, score: float) -> bool:
    """Words written small are values where a job is named, or in a letter without capitals, if well marked."""
    if field == "job_title":
        return bool(score)
    if field == "skype" and any(one.form is Form.HANDLE for one in page.values):
        return False
    return page.is_lower and abs(score) >= 1 and field in UNTYPED


def _is_after_title(text: str, place: int) -> bool:
    matches = list(_TITLES.finditer(text, max(0, place - 12), place))
    return bool(matches) and matches[-1].end() == place


def _before(page: Page, index: int) -> tuple[float, str]:
    """What the words before the value say of it, and the field that they name themselves."""
    found = page.values[index]
    floor = page.values[index - 1].end if index else 0
    if ARROW.fullmatch(page.text, floor, found.start):
        return _NEW, ""
    around = next((cue for cue in page.cues if cue.start < found.start and found.end < cue.end), None)
    if around is not None and around.role is CueRole.IMPLIED:  # "moved to Leeds from London"
        return _MOVED, around.field
    roles: list[CueRole] = []
    for cue, gap in _cues_before(page, found, floor):
        match cue.role:
            case CueRole.NEW if _follows_old(page, cue):
                return _OLD, ""
            case CueRole.NEW:
                return _NEW, ""
            case CueRole.PAIRED if gap.isspace() and _is_between(page, index, cue):
                return _NEW, ""
            case CueRole.OLD:
                return _OLD, ""
            case CueRole.FRESH:
                return _FRESH, ""
            case CueRole.IMPLIED if not _fits(cue.field, found):
                return _NEW, ""
            case CueRole.IMPLIED:
                return _MOVED if cue.field in _PLACES else _NEW, cue.field
            case CueRole.INTRODUCED if _fits(cue.field, found):
                return INTRODUCED, cue.field
            case CueRole.LABEL if COLON.match(gap):
                return _LABELLED, ""
            case CueRole.STOP:
                break
            case _:
                roles.append(cue.role)
    return _weak_score(roles), ""


def _is_between(page: Page, index: int, cue: Cue) -> bool:
    """The cue alone stands between this value and an old one ("из Минска в Гомель")."""
    previous = page.values[index - 1] if index else None
    if previous is None or not page.text[previous.end : cue.start].isspace():
        return False
    return _before(page, index - 1)[0] == _OLD


def _follows_old(page: Page, cue: Cue) -> bool:
    """A preposition after "not" leads to what is not ("non a Lecco")."""
    if cue.end - cue.start > _SHORT:
        return False
    number = bisect_right(page.ends, cue.start) - 1
    before = page.cues[number] if number >= 0 else None
    return before is not None and before.role is CueRole.OLD and page.text[before.end : cue.start].isspace()


def _weak_score(roles: Sequence[CueRole]) -> float:
    """ "My number is X" says more than "is X" or "number X"."""
    if CueRole.PLAIN in roles:
        return 1.0 if CueRole.LABEL in roles else 0.3
    return 0.4 if CueRole.LABEL in roles[:1] else 0.0


def _cues_before(page: Page, found: Found, floor: int) -> Iterator[tuple[Cue, str]]:
    """The cues near before the value, nearest first, with what stands between; a preposition only close by, and
    right before a capitalised word that may be any noun ("in den Kontodaten")."""
    budget, place = _REACH, found.start
    may_be_noun = page.noun_capitals and found.form is Form.NAME and not is_country(found.text, page.language)
    for number in range(bisect_right(page.ends, place) - 1, -1, -1):
        cue = page.cues[number]
        if cue.role in SILENT:
            continue
        gap = page.text[cue.end : place]
        if cue.end <= floor or _SENTENCE.search(gap):
            return
        budget -= count_words(gap)
        if budget < 0 or (cue.role is CueRole.OLD and ":" in gap and gap.strip(' :"“„«')):
            return
        is_preposition = cue.end - cue.start <= _SHORT and cue.role in (CueRole.NEW, CueRole.OLD)
        most = _REACH if may_be_noun and place == found.start else _REACH - 1
        if not (is_preposition and budget < most):
            place = min(place, cue.start)
            yield cue, gap


def _fits(field: str, found: Found) -> bool:
    if found.form in _TYPED:
        return _TYPED[found.form] == field
    return field not in _TYPED.values()


def _after(page: Page, index: int) -> float:
    """What the words after the value say: it is gone, or another value follows that it replaces or that
    replaces it."""
    found = page.values[index]
    following = page.values[index + 1] if index + 1 < len(page.values) else None
    arrow = ARROW.match(page.text, found.end)
    if arrow and arrow.end() < len(page.text):
        return _OLD
    near = list(_cues_after(page, found, following.start if following else len(page.text)))
    if following is not None and (role := _leading_role(page, found, following, near)) is not None:
        return _REPLACES if role is CueRole.OLD else _IS_REPLACED
    for cue, gap in near:
        if cue.role in (CueRole.GONE, CueRole.INSTEAD) and count_words(gap) <= 1 and "," not in gap:
            return _GONE if cue.role is CueRole.GONE else _INSTEAD
    return 0.0


def _cues_after(page: Page, found: Found, ceiling: int) -> Iterator[tuple[Cue, str]]:
    reach = 0 if found.form in (Form.NAME, Form.PLAIN) else _REACH - 1
    for number in range(bisect_right(page.ends, found.end), len(page.cues)):
        cue = page.cues[number]
        gap = page.text[found.end : cue.start]
        if cue.start >= ceiling or _SENTENCE.search(gap) or count_words(gap) > reach:
            return
        if cue.start >= found.end:
            yield cue, gap


def _leading_role(
    page: Page, found: Found, following: Found, near: Sequence[tuple[Cue, str]]
) -> CueRole | None:
    """The role of the words that lead from this value to the next: the last before it decides."""
    last = _last_leading(page, found, following)
    if last is None or _is_labelled_anew(page, found, following):
        return None
    if _is_told_far(page, found, last) and _is_alike(found, following):
        return last.role
    is_first_word = found.form in (Form.NAME, Form.PLAIN) and is_sentence_start(page.text, found.start)
    for cue, gap in near:
        if cue.role not in _LEADING or cue.role is not last.role:
            continue
        is_telling = not gap.isspace() or cue.end - cue.start >= _TELLING or not is_first_word
        between = page.text[cue.end : following.start]
        if is_telling and _is_alike(found, following) and _is_near(between):
            return cue.role
    return None


def _is_labelled_anew(page: Page, found: Found, following: Found) -> bool:
    """Another field's label stands between the two ("first name Anna, and last name Moore")."""
    between = (
        cue
        for cue in page.cues
        if cue.role is CueRole.LABEL and found.end <= cue.start and cue.end <= following.start
    )
    field = nearest_label(page, found)[0]
    return any(field and cue.field != field for cue in between)


def _is_told_far(page: Page, found: Found, last: Cue) -> bool:
    """Some words stand before those that lead to the new value ("X in my profile change to Y")."""
    gap = page.text[found.end : last.start]
    is_telling = last.role is CueRole.NEW and last.end - last.start >= _TELLING
    return is_telling and count_words(gap) < _REACH and not _SENTENCE.search(gap) and "," not in gap


def _last_leading(page: Page, found: Found, following: Found) -> Cue | None:
    for number in range(bisect_right(page.ends, following.start) - 1, -1, -1):
        cue = page.cues[number]
        if cue.start < found.end:
            return None
        if cue.role in _LEADING and not (cue.role is CueRole.NEW and _follows_old(page, cue)):
            return cue
    return None


def _is_alike(found: Found, following: Found) -> bool:
    """Whether one can replace the other: of one form, or both names however written."""
    return found.form is following.form or not {found.form, following.form} & _SURE


def _is_near(gap: str) -> bool:
    return count_words(gap) < _REACH and not _SENTENCE.search(gap)


@lru_cache
def _calendar(language: Language) -> frozenset[str]:
    locale = Locale(language)
    names = [*locale.months["format"]["wide"].values(), *locale.days["format"]["wide"].values()]
    return frozenset(name.lower() for name in names)


def _is_calendar(text: str, language: Language) -> bool:
    return text.lower() in _calendar(language)
