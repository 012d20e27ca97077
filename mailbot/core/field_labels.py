"""Which field a value belongs to, by the labels that stand near it."""

from __future__ import annotations

from collections.abc import Sequence

from mailbot.core.field_forms import Form, Found
from mailbot.core.field_page import Cue, Page
from mailbot.core.field_values import is_country
from mailbot.core.rules import CueRole

UNTYPED = ("name", "first_name", "last_name", "company", "city", "country", "job_title", "skype", "address")
"""Fields whose values cannot be told by their form."""
BESIDE, IN_SENTENCE, ELSEWHERE, NOWHERE = 3, 2, 1, 0
"""How near a label is."""
_SAME_THING = 25


def nearest_label(page: Page, found: Found) -> tuple[str, int]:
    """The field whose label stands nearest, and how near: in the value's clause, before it in its sentence,
    after it there, in sentences before, in later ones, in the subject; hints only when there is no label."""
    wanted = _wanted(page) if found.form is Form.NUMBER else UNTYPED
    labels = _specific([cue for cue in page.cues if cue.role is CueRole.LABEL and cue.field in wanted])
    labels = [cue for cue in labels if cue.field != "country" or _may_be_country(page, cue, found)]
    sentence = page.sentence(found.start)
    inside = _in_sentence(
        [cue for cue in labels if cue.sentence == sentence], found, page.clause(found.start)
    )
    if inside is not None:
        return inside
    earlier = [cue.field for cue in labels if cue.sentence < sentence]
    later = [cue.field for cue in labels if cue.sentence > sentence]
    topics = [topic for topic in page.topics if topic in wanted]
    if named := (*earlier[-1:], *later[:1], *topics[:1]):
        return named[0], ELSEWHERE
    return next((hint.field for hint in page.cues if _is_hint(hint) and hint.field in wanted), ""), NOWHERE


def _may_be_country(page: Page, label: Cue, found: Found) -> bool:
    """ "In what country are your servers?" elsewhere in the letter says nothing of a company's name."""
    return label.clause == page.clause(found.start) or is_country(found.text, page.language)


def _wanted(page: Page) -> tuple[str, ...]:
    """What a bare number may be: none is a VAT number beside one that is written as such."""
    has_vat_number = any(one.form is Form.VAT_NUMBER for one in page.values)
    return ("phone",) if has_vat_number else ("vat_number", "phone")


def _in_sentence(labels: Sequence[Cue], found: Found, clause: int) -> tuple[str, int] | None:
    before = [cue for cue in labels if cue.end <= found.start]
    after = [cue for cue in labels if cue.start >= found.end]
    if before and (before[-1].clause == clause or not after or after[0].clause != clause):
        return before[-1].field, BESIDE if before[-1].clause == clause else IN_SENTENCE
    return (after[0].field, IN_SENTENCE) if after else None


def _is_hint(cue: Cue) -> bool:
    return cue.role in (CueRole.HINT, CueRole.IMPLIED)


def _specific(labels: Sequence[Cue]) -> list[Cue]:
    """Without "name" beside what it is the name of ("name of the company")."""
    things = [cue for cue in labels if cue.field not in ("name", "vat_number", "phone")]
    return [cue for cue in labels if cue.field != "name" or not any(_is_of(cue, thing) for thing in things)]


def _is_of(name: Cue, thing: Cue) -> bool:
    return name.clause == thing.clause and abs(name.start - thing.start) < _SAME_THING
