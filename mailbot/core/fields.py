"""Which fields a correction changes, from what to what: values are found by their form, then judged by what
stands around them, and each new one is paired with the old one it replaces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rapidfuzz import fuzz

from mailbot.core.field_forms import Form
from mailbot.core.field_page import Page, read_page
from mailbot.core.field_values import clean_value, is_company, is_country
from mailbot.core.field_weights import Weighed, weigh_values
from mailbot.core.fold import fold
from mailbot.core.letter import Letter
from mailbot.core.nominative import is_first_name, nominative
from mailbot.core.phrases import Hit
from mailbot.core.request import FieldChange, Language
from mailbot.core.rules import CueRole, Rulebook

_SIMILAR = 72
_CERTAIN = 1.5
_SAID = 0.9
"""From this score on a value is told to be new; below, its order among the others decides."""
_TYPED = {Form.EMAIL: "email", Form.VAT_NUMBER: "vat_number", Form.ADDRESS: "address", Form.HANDLE: "skype"}
_FORMED = (*_TYPED, Form.NUMBER)
_PAIR_SENTENCES = 3
_FAMILY = re.compile(r"(?:L[aeio]s?|D[aeiou]s?|D[aei]l(?:la)?|Van|Von|De la|Van de[nr]?)\s[^\W\d_]\S+")
"""One last name of two words ("Le Goff", "Dalla Costa"), no first and last name."""
_NAMES = ("name", "first_name", "last_name")
_STANDS_ALONE = (":", "=", ">", "→")
_BOTH_NAMES = frozenset({"first_name", "last_name"})
_NOT_TYPED = ("email", "phone", "vat_number")


def read_fields(
    rulebook: Rulebook, letter: Letter, hits: Sequence[Hit], topics: Sequence[str] = ()
) -> tuple[FieldChange, ...]:
    """The changed fields, in the letter's order; values that do not pass their field's check are left out,
    since a wrong value is worse than an empty line on the confirm page. `topics` are fields that the subject
    names."""
    page = read_page(rulebook, letter, hits, topics)
    weighed = weigh_values(page)
    named = _without_block([named for one in weighed if (named := _with_field(one, rulebook)) is not None])
    named = [_in_nominative(one, letter, rulebook) for one in named]
    named = _without_asides(named)
    named = named if _has_swapped(page) else _with_same_field(named)
    return _with_both_names(tuple(dict.fromkeys(_changes(named, rulebook.language))), page)


def _with_field(value: Weighed, rulebook: Rulebook) -> Weighed | None:
    """The value with the field that its form, its label or its hint names; None when nothing does."""
    field = _field(value, rulebook)
    text = clean_value(field, value.text) if field else None
    labelled = 0 if field == "country" != value.field else value.labelled
    return replace(value, field=field, text=text, labelled=labelled) if text is not None else None


def _in_nominative(value: Weighed, letter: Letter, rulebook: Rulebook) -> Weighed:
    """The value without the case that its sentence puts it in; after a label's colon it stands in none."""
    if (
        value.form not in (Form.NAME, Form.PLAIN)
        or letter.source[: value.start].rstrip()[-1:] in _STANDS_ALONE
    ):
        return value
    field = value.field
    if field == "last_name" and " " in value.text and _is_given(value.text.split()[0], rulebook):
        field = "name"
    text = nominative(field, value.text, rulebook.language, rulebook.endings)
    return replace(value, field=field, text=text)


def _field(value: Weighed, rulebook: Rulebook) -> str:
    if value.form in _TYPED:
        return _TYPED[value.form]
    if value.form is Form.NUMBER:
        return "vat_number" if value.field == "vat_number" else "phone"
    if value.field == "skype" and value.form is not Form.NAME:
        return "skype"
    field = "" if value.field in _NOT_TYPED else value.field
    if field != "company" and is_company(value.text) and " " in value.text:
        return "company"
    if field in ("", "city", "name", "address", "company") and _is_country(value.text, rulebook):
        return "country"
    if field == "address" and not any(map(str.isdigit, value.text)):
        return "city" if value.text[0].isupper() and value.score >= 1 else ""
    if field == "job_title" and value.is_implied and _is_given(value.text.split()[0], rulebook):
        return "name"  # "… is the wrong way round, and I am Tomás Vega"
    if field in ("first_name", "last_name") and value.is_implied and len(value.text.split()) == 2:
        return "name"
    if field in ("", "name"):
        return _name_field(value, field, rulebook)
    if field == "last_name" and " " in value.text and _is_given(value.text.split()[0], rulebook):
        return "name"
    return field


def _is_given(word: str, rulebook: Rulebook) -> bool:
    return fold(word).text in rulebook.given_names or is_first_name(word, rulebook.language)


def _is_country(text: str, rulebook: Rulebook) -> bool:
    called = nominative("country", text, rulebook.language, rulebook.endings)
    return is_country(text, rulebook.language) or is_country(called, rulebook.language)


def _name_field(value: Weighed, field: str, rulebook: Rulebook) -> str:
    """Which name a value without a telling label is: of several words the whole one, after a title the last, and
    of one word the first one where the language knows it as such."""
    if _FAMILY.fullmatch(value.text):
        return "last_name" if value.is_titled or not (field and value.labelled) else "name"
    if " " in value.text:
        return "name"
    if rulebook.given_names and not (field and value.labelled and not value.is_implied):
        return "first_name" if _is_given(value.text, rulebook) and not value.is_titled else "last_name"
    is_first = bool(field) or _is_given(value.text, rulebook)
    return "first_name" if is_first and not value.is_titled else "last_name"


def _without_block(values: Sequence[Weighed]) -> list[Weighed]:
    """Without values of a signature or of a block that identifies the writer, when others are surer."""
    sure = any(abs(one.score) >= _CERTAIN and not one.is_in_block for one in values)
    return [
        one for one in values if not one.is_in_block or one.score >= _CERTAIN or (one.labelled and not sure)
    ]


def _without_asides(values: Sequence[Weighed]) -> list[Weighed]:
    """Without unnamed words beside values whose form is unmistakable ("I moved to Vienna, my number is now …")."""
    has_formed = any(one.form in _FORMED for one in values)
    return [one for one in values if not has_formed or one.labelled or one.form in _FORMED]


def _with_same_field(values: Sequence[Weighed]) -> list[Weighed]:
    """Values that are spelled alike, or names told one against the other, belong to one field: the surer one's."""
    result = list(values)
    for index, one in enumerate(result):
        for place, other in enumerate(result[:index]):
            if one.form not in _FORMED and other.form not in _FORMED and _is_pair(one, other):
                field = _common_field(one, other)
                result[index], result[place] = replace(one, field=field), replace(other, field=field)
                break
    return result


def _is_pair(one: Weighed, other: Weighed) -> bool:
    if one.text == other.text or abs(one.sentence - other.sentence) > _PAIR_SENTENCES:
        return False
    return _is_contrast(one, other) or fuzz.ratio(one.text.lower(), other.text.lower()) >= _SIMILAR


def _is_contrast(one: Weighed, other: Weighed) -> bool:
    is_told = one.score * other.score < 0 and one.sentence == other.sentence
    return is_told and one.field in _NAMES and other.field in _NAMES


def _common_field(one: Weighed, other: Weighed) -> str:
    surer, weaker = (one, other) if one.labelled >= other.labelled else (other, one)
    are_whole = " " in one.text and " " in other.text and not surer.labelled
    return "name" if are_whole and {surer.field, weaker.field} < set(_NAMES) else surer.field


def _changes(values: Sequence[Weighed], language: Language) -> Iterator[FieldChange]:
    """One change a field, of the values that are marked; when there are none, of the first labelled field."""
    groups: dict[str, list[Weighed]] = {}
    for value in values:
        groups.setdefault(value.field, []).append(value)
    marked = {
        field: [one for one in group if one.counts or _answers(one, group)] for field, group in groups.items()
    }
    changes = [change for field, group in marked.items() if (change := _change(field, group, language))]
    if changes:
        yield from changes
        return
    for field, group in groups.items():
        if any(one.labelled for one in group):
            change = _change(field, [one for one in group if not one.is_in_block], language)
            yield from [change] if change else []
            return


def _answers(one: Weighed, group: Sequence[Weighed]) -> bool:
    """A plain "is" after the old value leads to the new one ("You have X. It is Y.")."""
    return one.score > 0 and any(
        other.score < 0 and other.start < one.start and one.sentence - other.sentence <= 1 for other in group
    )


def _with_both_names(changes: tuple[FieldChange, ...], page: Page) -> tuple[FieldChange, ...]:
    """First and last name that stand the wrong way round change places, though each is told only once."""
    names = {change.field: change for change in changes if change.field in _BOTH_NAMES}
    if not names or not (_has_swapped(page) and page.named >= _BOTH_NAMES):
        return changes
    first, last = names.get("first_name"), names.get("last_name")
    right_first = first.new if first else last.old if last else None
    right_last = last.new if last else first.old if first else None
    if right_first is None or right_last is None or right_first == right_last:
        return changes
    both = (
        FieldChange("first_name", right_last, right_first),
        FieldChange("last_name", right_first, right_last),
    )
    return (*both, *(change for change in changes if change.field not in _BOTH_NAMES))


def _has_swapped(page: Page) -> bool:
    return any(cue.role is CueRole.SWAPPED for cue in page.cues)


def _change(field: str, group: Sequence[Weighed], language: Language) -> FieldChange | None:
    """The group's new value, with the old one where one is told."""
    if field == "country":
        group = [one for one in group if is_country(one.text, language)] or group
    new = _new(group)
    if new is None:
        return None
    others = sorted((one for one in group if one.text != new.text), key=lambda one: one.score)
    old = next((one.text for one in others if one.score < 0 or _may_be_old(one, new)), None)
    return FieldChange(field, old, new.text)


def _new(group: Sequence[Weighed]) -> Weighed | None:
    """The new value by what stands around it, else the later one: people tell the old one first."""
    news = [one for one in group if one.score >= _SAID]
    olds = [one for one in group if one.score < 0]
    open_ones = [one for one in group if 0 <= one.score < _SAID]
    if news:
        return max(news, key=lambda one: (one.score, one.form is not Form.PLAIN, one.start))
    if olds and open_ones:
        return next((one for one in open_ones if one.start > olds[0].start), open_ones[-1])
    if len(olds) > 1:  # "I typed X instead of Y": both are told of as wrong, the later is right
        return olds[-1]
    texts = {one.text for one in open_ones}
    are_alike = len(texts) == 2 and fuzz.ratio(*texts) >= _SIMILAR
    if len(texts) not in (1, 2) or (all(one.is_introduction for one in open_ones) and not are_alike):
        return None
    return open_ones[-1]


def _may_be_old(one: Weighed, new: Weighed) -> bool:
    return (one.start < new.start or one.score == 0) and abs(one.sentence - new.sentence) <= 1
