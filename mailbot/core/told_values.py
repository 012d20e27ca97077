"""A wish to correct that no verb names: the stored value and the right one are told ("You have Lis, I am Liz")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailbot.core.letter import Letter
from mailbot.core.phrases import Hit
from mailbot.core.request import Capacity, Evidence, FieldChange, Kind
from mailbot.core.rules import CueRole, FieldCue, Rule, Rulebook, Where

VALUES_TOLD = Rule(
    "correction.values",
    Kind.CORRECTION,
    Capacity.UNKNOWN,
    "Tells an old value and the new one, whatever the verb.",
    "GDPR Art. 16",
    0.8,
    Where.ANYWHERE,
    frozenset(),
    False,
    (),
    (),
)
_PREPOSITION = 3
_TELLING_ROLES = {CueRole.NEW, CueRole.OLD, CueRole.FRESH, CueRole.IMPLIED, CueRole.INSTEAD, CueRole.GONE}


def may_tell_values(rulebook: Rulebook, letter: Letter, hits: Iterable[Hit]) -> bool:
    """Something is said to be new or old, by more than a preposition, or of a field that is named: perhaps a
    correction that no rule knows the words of. Where every noun has a capital, any two look like values: a field
    must be named."""
    cues = [(hit, cue) for hit in hits if isinstance(cue := rulebook.holders[hit.holder], FieldCue)]
    telling = [hit for hit, cue in cues if cue.role in _TELLING_ROLES]
    if telling and any(cue.role is CueRole.LABEL for _, cue in cues):
        return True
    return not rulebook.noun_capitals and any(_is_long(letter, hit) for hit in telling)


def told_values(rulebook: Rulebook, changes: Sequence[FieldChange], text: str) -> tuple[Evidence, ...]:
    """Where the new values stand whose old ones are told, too. Words written small are no sure values, since in
    a letter that corrects nothing any two may look like a pair; nor is any noun where all have capitals."""
    sure = () if rulebook.noun_capitals else [one for one in changes if _is_sure(one) and one.new in text]
    return tuple(_evidence(change.new, text) for change in sure)


def _is_long(letter: Letter, hit: Hit) -> bool:
    return letter.ends[hit.last] - letter.starts[hit.first] > _PREPOSITION


def _is_sure(change: FieldChange) -> bool:
    return change.old is not None and all(_is_telling(value) for value in (change.old, change.new))


def _is_telling(value: str) -> bool:
    return any(one.isupper() or one.isdigit() or one == "@" for one in value)


def _evidence(value: str, text: str) -> Evidence:
    start = text.index(value)
    return Evidence(VALUES_TOLD.id, value, start, start + len(value), False, VALUES_TOLD.sentence)
