"""What a letter asks: rules find the words, their surroundings say whether they really ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from mailbot.core.fields import read_fields
from mailbot.core.letter import EXAMINED_CHARACTERS, Letter
from mailbot.core.phrases import Hit
from mailbot.core.request import (
    SERVING_ORDER,
    Asked,
    Capacity,
    Evidence,
    FieldChange,
    Kind,
    Language,
    Understanding,
)
from mailbot.core.rules import (
    CapacityCue,
    Context,
    CueRole,
    Effect,
    Exemption,
    FieldCue,
    Guard,
    Holder,
    Nearby,
    Rule,
    Rulebook,
    Scope,
    Where,
    Withdrawal,
)
from mailbot.core.told_values import VALUES_TOLD, may_tell_values, told_values

_TITLE_WORDS = 7
_MOST_HITS = 1_500
"""Far more than any honest letter has; bounds the work that a hostile one can make."""
_NEARBY_SENTENCES = 2
_QUOTATION_MARKS = ('"', "'", "`")
_FALLBACK_QUESTION = 0.5
_NOTHING_FOUND = 0.2
_LAST_RESORT = 0.5
_REPLY_PREFIXES = frozenset({
    "re", "aw", "sv", "tr", "fw", "fwd", "wg", "rv", "antw", "odp", "ha", "vs", "rif", "res",
    "vl", "r", "i", "enc", "rvs", "doorst", "pd", "ats", "atb", "ynt", "ilt", "vb", "fs", "bls",
    "odg", "prosl", "отв", "απ", "σχετ", "πρθ",
})  # fmt: skip
"""What mail programs all over the world put before the subject of an answer or a forwarded mail."""

TOO_LONG = "The letter is longer than what is read automatically."
CONTRADICTION = "The letter asks for {kind} and also says not to."
WITHDRAWN_AND_ASKED = "The letter takes a request back and asks for something, too."
SUBJECT_ALONE = "Only the subject asks for {kind}; the letter itself speaks of something else."


@dataclass(frozen=True, slots=True)
class _Found:
    """One rule's words in one text, with what their surroundings made of them."""

    rule: Rule
    hit: Hit
    evidence: Evidence
    doubt: str = ""
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class _Reading:
    """One text read with one language's rules."""

    letter: Letter
    found: tuple[_Found, ...]
    doubts: tuple[str, ...]
    capacities: frozenset[Capacity]
    withdraws: bool
    formal: bool
    fields: tuple[FieldChange, ...] = ()


class Classifier:
    """Understands letters in the languages it has rulebooks for."""

    def __init__(self, rulebooks: Mapping[Language, Rulebook]) -> None:
        self._rulebooks = rulebooks

    def knows(self, languages: Iterable[Language]) -> bool:
        """There are rules for one of the languages at least."""
        return any(language in self._rulebooks for language in languages)

    def understand(self, subject: str, new_text: str, languages: Sequence[Language]) -> Understanding:
        """All that the letter asks, in serving order, read with the rules of each of `languages` that has some.

        A subject that begins with "Re:" and the like repeats somebody's words and is not read (law 8).
        """
        title = "" if is_reply(subject) else subject
        readings = [
            reading
            for language in languages
            if (rulebook := self._rulebooks.get(language)) is not None
            for reading in _read_both(rulebook, title, new_text, is_sure=len(languages) == 1)
        ]
        understanding = _combine(readings)
        if len(new_text) > EXAMINED_CHARACTERS:
            return replace(understanding, doubts=(*understanding.doubts, TOO_LONG))
        return understanding

    def fields(self, subject: str, new_text: str, languages: Sequence[Language]) -> tuple[FieldChange, ...]:
        """The corrected fields of a letter that is known to ask for a correction, whoever saw that, read with the
        first of `languages` that finds some."""
        title = "" if is_reply(subject) else subject
        for language in languages:
            if (rulebook := self._rulebooks.get(language)) is not None:
                body = rulebook.read(new_text)
                topics = _topics(rulebook, rulebook.hits(rulebook.read(title)) if title else ())
                if found := read_fields(rulebook, body, rulebook.hits(body)[:_MOST_HITS], topics):
                    return found
        return ()


@dataclass(frozen=True, slots=True)
class ExampleFailure:
    """An example that its rule does not treat as the file says. `must_match` tells which list it stands in."""

    rule: str
    example: str
    must_match: bool


def check_examples(rulebook: Rulebook) -> list[ExampleFailure]:
    """Every example of every rule that fails: read as a whole letter, the rule's kind must (not) be asked for,
    and for `matches` by that rule's own words."""
    return [
        ExampleFailure(rule.id, example, must_match)
        for rule in rulebook.rules
        for examples, must_match in ((rule.matches, True), (rule.does_not_match, False))
        for example in examples
        if _example_decides(rulebook, rule, example) is not must_match
    ]


def _example_decides(rulebook: Rulebook, rule: Rule, example: str) -> bool:
    in_subject = rule.where is Where.SUBJECT
    letter = rulebook.read(example)
    reading = _read(rulebook, letter, in_subject=in_subject, wider=())
    return any(one.rule is rule and one.effect is None and not one.doubt for one in reading.found)


def is_reply(subject: str) -> bool:
    """The subject begins with "Re:" or the like, in any language: it repeats somebody's words."""
    prefix, colon, _ = subject.strip().partition(":")
    return bool(colon) and prefix.strip().lower().rstrip("[]0123456789() ") in _REPLY_PREFIXES


def _read_both(rulebook: Rulebook, subject: str, new_text: str, *, is_sure: bool) -> list[_Reading]:
    """Subject and body; `is_sure` that they are written in the rulebook's language."""
    title = rulebook.read(subject)
    body = rulebook.read(new_text)
    title_hits = rulebook.hits(title) if subject else []
    body_hits = rulebook.hits(body)
    in_title = _read(rulebook, title, in_subject=True, wider=(), hits=title_hits)
    in_body = _read(rulebook, body, in_subject=False, wider=title_hits, hits=body_hits)
    corrections = [one for one in (*in_title.found, *in_body.found) if one.rule.kind is Kind.CORRECTION]
    body_hits, topics = body_hits[:_MOST_HITS], _topics(rulebook, title_hits)
    if any(one.effect is None for one in corrections):
        fields = read_fields(rulebook, body, body_hits, topics)
        in_body = replace(in_body, fields=fields or read_fields(rulebook, title, title_hits[:_MOST_HITS]))
    elif may_tell_values(rulebook, body, body_hits):
        fields = read_fields(rulebook, body, body_hits, topics)
        told = told_values(rulebook, fields, new_text) if is_sure and not corrections else ()
        found = [_Found(VALUES_TOLD, body_hits[0], one) for one in told]
        in_body = replace(in_body, found=(*in_body.found, *found), fields=fields)
    return [in_title, in_body]


def _topics(rulebook: Rulebook, title_hits: Sequence[Hit]) -> tuple[str, ...]:
    """The fields that the subject names, then those that it makes likely."""
    cues = _of_type(rulebook.holders, title_hits, FieldCue)
    return tuple(cue.field for role in (CueRole.LABEL, CueRole.HINT) for cue in cues if cue.role is role)


def _read(
    rulebook: Rulebook,
    letter: Letter,
    *,
    in_subject: bool,
    wider: Sequence[Hit],
    hits: list[Hit] | None = None,
) -> _Reading:
    """One text read; `wider` are hits of the subject, which count as near to the letter's beginning."""
    hits = rulebook.hits(letter) if hits is None else hits
    is_crowded = len(hits) > _MOST_HITS
    hits = hits[:_MOST_HITS]
    holders = rulebook.holders
    contexts = [(hit, holder) for hit in hits if isinstance(holder := holders[hit.holder], Context)]
    near = [(hit, holder) for hit in hits if isinstance(holder := holders[hit.holder], Nearby)]
    near_subject = {holder.rule for hit in wider if isinstance(holder := holders[hit.holder], Nearby)}
    found = [
        _judge(_Found(rule, hit, _evidence(rule, letter, hit, in_subject)), letter, contexts)
        for hit in hits
        if isinstance(rule := holders[hit.holder], Rule)
        and _is_read(rule, letter, hit, in_subject)
        and not _is_quoted(letter, hit)
        and (not rule.has_nearby or _is_near(hit, letter, near, near_subject))
    ]
    found = _give_way(found, letter)
    capacities = frozenset(cue.capacity for cue in _of_type(holders, hits, CapacityCue))
    return _Reading(
        letter,
        tuple(found),
        (*_guard_doubts(holders, hits, letter, capacities), *([TOO_LONG] if is_crowded else [])),
        capacities,
        bool(_of_type(holders, hits, Withdrawal)),
        any(guard.formal for guard in _of_type(holders, hits, Guard)),
    )


_Type = TypeVar("_Type")


def _of_type(holders: Sequence[Holder], hits: Iterable[Hit], wanted: type[_Type]) -> list[_Type]:
    return [holder for hit in hits if isinstance(holder := holders[hit.holder], wanted)]


def _evidence(rule: Rule, letter: Letter, hit: Hit, in_subject: bool) -> Evidence:
    start, end = letter.span(hit.first, hit.last)
    return Evidence(rule.id, letter.source[start:end], start, end, in_subject, rule.sentence)


def _is_read(rule: Rule, letter: Letter, hit: Hit, in_subject: bool) -> bool:
    if rule.where is Where.ANYWHERE or in_subject:
        return True
    return rule.where is Where.TITLE and letter.sizes[letter.sentences[hit.first]] <= _TITLE_WORDS


def _is_quoted(letter: Letter, hit: Hit) -> bool:
    """The words stand alone between quotation marks: the label of a button, or somebody's words (law 8)."""
    text = letter.folded.text
    before = text[max(0, letter.starts[hit.first] - 2) : letter.starts[hit.first]].rstrip()
    after = text[letter.ends[hit.last] : letter.ends[hit.last] + 2].lstrip()
    return before.endswith(_QUOTATION_MARKS) and after.startswith(_QUOTATION_MARKS)


def _is_near(hit: Hit, letter: Letter, near: Sequence[tuple[Hit, Nearby]], near_subject: set[int]) -> bool:
    sentence = letter.sentences[hit.first]
    if hit.holder in near_subject and sentence <= _NEARBY_SENTENCES:
        return True
    return any(
        needed.rule == hit.holder and abs(sentence - letter.sentences[other.first]) <= _NEARBY_SENTENCES
        for other, needed in near
    )


def _judge(found: _Found, letter: Letter, contexts: Sequence[tuple[Hit, Context]]) -> _Found:
    """What the contexts around it make of a rule's words: the first that drops or asks decides over doubts."""
    applying = [
        context
        for hit, context in contexts
        if _concerns(context, found.rule) and _reaches(context.scope, hit, found.hit, letter)
    ]
    for effect in (Effect.DENY, Effect.DROP, Effect.QUESTION):
        if any(context.effect is effect for context in applying):
            return replace(found, effect=effect)
    return replace(found, doubt=applying[0].doubt) if applying else found


def _concerns(context: Context, rule: Rule) -> bool:
    return rule.capacity not in context.not_for and (not context.kinds or rule.kind in context.kinds)


def _reaches(scope: Scope, context: Hit, rule: Hit, letter: Letter) -> bool:
    match scope:
        case Scope.LETTER:
            return True
        case Scope.OVERLAP:
            return context.first <= rule.last and rule.first <= context.last
        case Scope.CLAUSE:
            return letter.clauses[rule.first] <= letter.clauses[context.first] <= letter.clauses[rule.last]
        case Scope.SENTENCE:
            return letter.sentences[context.first] == letter.sentences[rule.first]
        case Scope.BEFORE:
            return (
                letter.sentences[context.first] == letter.sentences[rule.first]
                and context.first <= rule.first
            )


def _give_way(found: Sequence[_Found], letter: Letter) -> list[_Found]:
    """Without the rules that give way to a kind asked in the same sentence, and without questions that have no
    question mark beside a request ("tell me how to identify myself" in a formal letter asks nothing more)."""
    asked = {(letter.sentences[one.hit.first], one.rule.kind) for one in found if one.effect is None}
    has_request = any(kind not in (Kind.QUESTION, Kind.OTHER) for _, kind in asked)
    return [
        one
        for one in found
        if not any((letter.sentences[one.hit.first], kind) in asked for kind in one.rule.gives_way_to)
        and not (has_request and _is_unmarked_question(one, letter))
    ]


def _is_unmarked_question(found: _Found, letter: Letter) -> bool:
    return found.rule.kind is Kind.QUESTION and letter.sentences[found.hit.first] not in letter.questions


def _guard_doubts(
    holders: Sequence[Holder], hits: Sequence[Hit], letter: Letter, capacities: frozenset[Capacity]
) -> Iterable[str]:
    exempt = {
        (holder.guard, letter.sentences[hit.first])
        for hit in hits
        if isinstance(holder := holders[hit.holder], Exemption)
    }
    for hit in hits:
        guard = holders[hit.holder]
        if not isinstance(guard, Guard) or guard.not_for & capacities:
            continue
        if (hit.holder, letter.sentences[hit.first]) not in exempt:
            yield guard.doubt


def _combine(readings: Sequence[_Reading]) -> Understanding:
    found = [one for reading in readings for one in reading.found]
    capacities = frozenset[Capacity]().union(*(reading.capacities for reading in readings))
    withdraws = any(reading.withdraws for reading in readings)
    fields = max((reading.fields for reading in readings), key=_fullness, default=())
    asked = _asked(found, capacities, fields)
    doubts = [doubt for reading in readings for doubt in reading.doubts]
    doubts += _doubts_of_rules(found)
    if withdraws and any(one.kind not in (Kind.OTHER, Kind.QUESTION) for one in asked):
        doubts.append(WITHDRAWN_AND_ASKED)
    if not asked:
        asked = (replace(_nothing(readings, withdraws), capacity=_told_capacity(capacities)),)
    formal = any(reading.formal for reading in readings) or any(one.kind is Kind.AUTHORITY for one in asked)
    return Understanding(
        asked, tuple(dict.fromkeys(doubts)), withdraws, formal, declined=_declined(found, asked), told=fields
    )


def _fullness(fields: tuple[FieldChange, ...]) -> tuple[int, int]:
    """Where several languages' rules read one letter, the reading that pairs most old and new values is right."""
    return sum(change.old is not None for change in fields), len(fields)


def _declined(found: Sequence[_Found], asked: Sequence[Asked]) -> tuple[Kind, ...]:
    kinds = {one.rule.kind for one in found if one.effect is not None} - {one.kind for one in asked}
    return tuple(kind for kind in Kind if kind in kinds)


def _asked(
    found: Sequence[_Found], capacities: frozenset[Capacity], fields: tuple[FieldChange, ...]
) -> tuple[Asked, ...]:
    groups: dict[tuple[Kind, Capacity], list[_Found]] = {}
    for one in found:
        if one.effect is None:
            capacity = _capacity(one.rule, capacities)
            groups.setdefault((one.rule.kind, capacity), []).append(one)
    groups = _merge_capacities(groups)
    asked = [_one_asked(kind, capacity, group, fields) for (kind, capacity), group in groups.items()]
    turned = [
        one for one in found if one.effect is Effect.QUESTION and all(one.rule.kind != x.kind for x in asked)
    ]
    if turned and all(one.kind is not Kind.QUESTION for one in asked):
        asked.append(Asked(Kind.QUESTION, Capacity.UNKNOWN, 0.9, tuple(one.evidence for one in turned)))
    return tuple(sorted(_without_last_resort(asked), key=lambda one: SERVING_ORDER[one.kind]))


def _without_last_resort(asked: Sequence[Asked]) -> list[Asked]:
    """Words of little weight for "other" ("when does it begin?") count only where nothing else is asked."""
    telling = [one for one in asked if one.kind is not Kind.OTHER or one.confidence >= _LAST_RESORT]
    return telling or list(asked)


def _capacity(rule: Rule, capacities: frozenset[Capacity]) -> Capacity:
    return rule.capacity if rule.capacity is not Capacity.UNKNOWN else _told_capacity(capacities)


def _told_capacity(capacities: frozenset[Capacity]) -> Capacity:
    order = (Capacity.HOST, Capacity.VISITOR, Capacity.USER)
    return next((one for one in order if one in capacities), Capacity.UNKNOWN)


def _merge_capacities(
    groups: Mapping[tuple[Kind, Capacity], list[_Found]],
) -> dict[tuple[Kind, Capacity], list[_Found]]:
    """One group for each kind: its most telling capacity, since nobody asks one thing twice in one letter."""
    order = (Capacity.HOST, Capacity.USER, Capacity.VISITOR, Capacity.UNKNOWN)
    merged: dict[Kind, tuple[Capacity, list[_Found]]] = {}
    for (kind, capacity), group in groups.items():
        known, others = merged.get(kind, (capacity, []))
        merged[kind] = (min(known, capacity, key=order.index), [*others, *group])
    return {(kind, capacity): group for kind, (capacity, group) in merged.items()}


def _one_asked(
    kind: Kind, capacity: Capacity, group: Sequence[_Found], fields: tuple[FieldChange, ...]
) -> Asked:
    evidence = tuple(dict.fromkeys(one.evidence for one in group))
    confidence = max(one.rule.confidence for one in group)
    return Asked(kind, capacity, confidence, evidence, fields if kind is Kind.CORRECTION else ())


def _doubts_of_rules(found: Sequence[_Found]) -> list[str]:
    """Doubts of kinds that no undoubted words ask for, and wishes that are also denied."""
    doubts: list[str] = []
    clean = {one.rule.kind for one in found if one.effect is None and not one.doubt}
    for one in found:
        if one.effect is None and one.doubt and one.rule.kind not in clean:
            doubts.append(one.doubt)
    asked = {one.rule.kind for one in found if one.effect is None}
    denied = {one.rule.kind for one in found if one.effect is Effect.DENY}
    doubts += [CONTRADICTION.format(kind=kind.value) for kind in Kind if kind in asked & denied]
    return [*doubts, *_doubts_of_subject(found)]


def _doubts_of_subject(found: Sequence[_Found]) -> list[str]:
    """Doubts of wishes that stand in the subject alone ("Close account") when the letter below it only asks a
    question, reports, or is a matter for support ("Where do I find that button?")."""
    body = [one for one in found if not one.evidence.in_subject]
    speaks_of_else = any(
        one.effect is not None or one.rule.kind in (Kind.QUESTION, Kind.OTHER) for one in body
    )
    titled = {one.rule.kind for one in found if one.effect is None and one.evidence.in_subject}
    told = {one.rule.kind for one in body if one.effect is None}
    alone = [kind for kind in (Kind.UNSUBSCRIBE, Kind.DELETION) if kind in titled - told]
    return [SUBJECT_ALONE.format(kind=kind.value) for kind in alone] if speaks_of_else else []


def _nothing(readings: Sequence[_Reading], withdraws: bool) -> Asked:
    if withdraws:
        return Asked(Kind.OTHER, Capacity.UNKNOWN, 0.8)
    is_question = any(reading.letter.questions for reading in readings)
    if is_question:
        return Asked(Kind.QUESTION, Capacity.UNKNOWN, _FALLBACK_QUESTION)
    return Asked(Kind.OTHER, Capacity.UNKNOWN, _NOTHING_FOUND)
