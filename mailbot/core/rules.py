"""One language's rulebook: what a file in `rules/requests/` may say, checked and made ready to be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from mailbot.core.fold import fold
from mailbot.core.letter import Letter, read_letter
from mailbot.core.nominative import Endings
from mailbot.core.phrases import Hit, Matcher, Notation, Pattern, PatternError
from mailbot.core.request import Capacity, Kind, Language

FIELD_NAMES = (
    "name", "first_name", "last_name", "email", "phone", "company", "address", "city", "country",
    "job_title", "skype", "vat_number",
)  # fmt: skip
"""Fields that a correction can name, as in the data map."""


class RuleError(ValueError):
    """A rules file that cannot be used; the text names the entry, its key and the mend."""


class Where(StrEnum):
    """Which texts a rule reads: all, the subject only, or titles (the subject and sentences of a few words)."""

    ANYWHERE = "anywhere"
    SUBJECT = "subject"
    TITLE = "title"


class Scope(StrEnum):
    """How near to a rule's words a context's words must stand to change what they mean."""

    OVERLAP = "overlap"
    CLAUSE = "clause"
    SENTENCE = "sentence"
    BEFORE = "before"
    LETTER = "letter"


class Effect(StrEnum):
    """What a context makes of a rule's words: nothing is asked, the opposite is wished, a question is asked,
    or a person must look."""

    DROP = "drop"
    DENY = "deny"
    QUESTION = "question"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Rule:
    """Words that ask for one kind of thing. `sentence` says so in plain English, `source` names the law or
    policy behind it. The rule counts only with one of `nearby` within two sentences of it, when there
    are such patterns, and gives way to the kinds of `gives_way_to` in the same sentence."""

    id: str
    kind: Kind
    capacity: Capacity
    sentence: str
    source: str
    confidence: float
    where: Where
    gives_way_to: frozenset[Kind]
    has_nearby: bool
    matches: tuple[str, ...]
    does_not_match: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Nearby:
    """Words that rule number `rule` needs in its neighbourhood."""

    rule: int


@dataclass(frozen=True, slots=True)
class Context:
    """Words that change what rules of `kinds` (all when empty) mean: negation, question, condition, report.
    Rules whose own capacity is in `not_for` are left alone."""

    id: str
    sentence: str
    kinds: frozenset[Kind]
    scope: Scope
    effect: Effect
    doubt: str
    not_for: frozenset[Capacity]


@dataclass(frozen=True, slots=True)
class Guard:
    """Words that send the letter to a person, with the reason `doubt`; not in a sentence with an exemption
    and not when the writer's capacity is in `not_for`. `formal` words show that a lawyer or an authority
    writes."""

    id: str
    doubt: str
    not_for: frozenset[Capacity]
    formal: bool


@dataclass(frozen=True, slots=True)
class Exemption:
    """Words that make guard number `guard` harmless in their sentence."""

    guard: int


@dataclass(frozen=True, slots=True)
class CapacityCue:
    """Words that show as whom a person writes."""

    capacity: Capacity


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Words that take an earlier request back."""

    id: str


class CueRole(StrEnum):
    """What a cue of a correction is: a field's label; what comes before its new or old value, or after
    either; a word like "new" before a label, after which a plain "is" or a colon begins the new value; or
    words that name their field themselves and begin its new value ("I am now called"), or begin it only when
    an old value is told, too ("I am called Anna, not Hanna": without "not" it is an introduction); words that
    follow an old value ("no longer works") or a new one ("instead"); words that make one field likely
    where no label names it ("married": the last name); words that say that first and last name stand the wrong
    way round; things whose own name follows ("the webinar"); capitalised words that are never a value ("Sie"); or
    prepositions that lead to the new value right after an old one only ("из Минска в Гомель")."""

    LABEL = "label"
    NEW = "new"
    OLD = "old"
    STOP = "stop"
    IMPLIED = "implied"
    INTRODUCED = "introduced"
    FRESH = "fresh"
    PLAIN = "plain"
    GONE = "gone"
    INSTEAD = "instead"
    HINT = "hints"
    SWAPPED = "swapped"
    THING = "thing"
    NEVER = "never"
    PAIRED = "paired"


@dataclass(frozen=True, slots=True)
class FieldCue:
    """Words that lead to a corrected value. `field` is empty for cues that go with any field."""

    role: CueRole
    field: str


_FIELDLESS = (
    CueRole.NEW, CueRole.OLD, CueRole.STOP, CueRole.FRESH, CueRole.PLAIN, CueRole.GONE, CueRole.INSTEAD,
    CueRole.SWAPPED, CueRole.THING, CueRole.PAIRED,
)  # fmt: skip

Holder = Rule | Nearby | Context | Guard | Exemption | CapacityCue | Withdrawal | FieldCue


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One language's rules. `holders` are what hits refer to by number; the matcher knows their patterns."""

    language: Language
    holders: tuple[Holder, ...]
    matcher: Matcher
    abbreviations: frozenset[str]
    clause_words: frozenset[str]
    never_values: frozenset[str] = frozenset()
    """Folded words that are no corrected value, though capitalised ("Sie", "Bonjour"), and ends of such ("*daten")."""
    endings: Mapping[str, Endings] = field(default_factory=dict)
    """By field: ends of inflected words with what stands there in the nominative."""
    given_names: frozenset[str] = frozenset()
    """Folded first names: a single word that is one is no last name."""
    noun_capitals: bool = False
    """Every noun begins with a capital, as in German: a capital shows no name."""

    def read(self, text: str) -> Letter:
        """`text` cut into words as this language does."""
        return read_letter(text, self.abbreviations, self.clause_words)

    def hits(self, letter: Letter) -> list[Hit]:
        """Where each holder's patterns match."""
        return self.matcher.find(letter)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules alone, in the file's order."""
        return tuple(holder for holder in self.holders if isinstance(holder, Rule))


_GIVEN_NAMES = "given_names"
_TOP_KEYS = {
    "language", "noun_capitals", "abbreviations", "clause_words", "never_typos", "spelling", "words",
    "rule", "context", "guard", "capacity", "withdrawal", "fields",
}  # fmt: skip
_RULE_KEYS = {
    "id", "kind", "capacity", "sentence", "source", "patterns", "nearby", "confidence", "where",
    "gives_way_to", "matches", "does_not_match",
}  # fmt: skip
_CONTEXT_KEYS = {"id", "sentence", "kinds", "scope", "effect", "doubt", "patterns", "not_for"}
_GUARD_KEYS = {"id", "doubt", "patterns", "unless", "not_for", "formal"}

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One table of the file with the name that errors call it by."""

    name: str
    values: Mapping[str, object]

    def check_keys(self, allowed: set[str]) -> None:
        unknown = sorted(set(self.values) - allowed)
        if unknown:
            raise RuleError(
                f"{self.name}: unknown key `{unknown[0]}`; known are {', '.join(sorted(allowed))}"
            )

    def text(self, key: str, default: str | None = None) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or (not value and default is None):
            raise RuleError(f"{self.name}: `{key}` must be a text that is not empty")
        return value

    def texts(self, key: str, required: bool = False) -> tuple[str, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise RuleError(f"{self.name}: `{key}` must be a list of texts")
        if required and not value:
            raise RuleError(f"{self.name}: `{key}` is missing; give at least one")
        return tuple(str(one) for one in value)

    def number(self, key: str) -> float:
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise RuleError(f"{self.name}: `{key}` must be a number above 0 and up to 1")
        return float(value)

    def flag(self, key: str) -> bool:
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise RuleError(f"{self.name}: `{key}` must be true or false")
        return value

    def choice(self, key: str, choices: type[_Choice], default: str | None = None) -> _Choice:
        return self._one(key, self.text(key, default), choices)

    def choices(self, key: str, choices: type[_Choice]) -> frozenset[_Choice]:
        return frozenset(self._one(key, value, choices) for value in self.texts(key))

    def _one(self, key: str, value: str, choices: type[_Choice]) -> _Choice:
        try:
            return choices(value)
        except ValueError:
            raise RuleError(
                f"{self.name}: `{key}` is `{value}`; write one of {', '.join(one.value for one in choices)}"
            ) from None

    def tables(self, key: str) -> Sequence[Mapping[str, object]]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            raise RuleError(f"{self.name}: `{key}` must be tables; write [[{key}]]")
        return value

    def table(self, key: str) -> Mapping[str, object]:
        value = self.values.get(key, {})
        if not isinstance(value, Mapping):
            raise RuleError(f"{self.name}: `{key}` must be a table; write [{key}]")
        return value


class _Builder:
    """Gathers holders and their patterns while a file is read."""

    def __init__(self, words: Mapping[str, Sequence[str]], spelling: Mapping[str, str]) -> None:
        self.holders: list[Holder] = []
        self.patterns: list[tuple[int, Pattern]] = []
        self._notation = Notation(words, spelling)
        self._ids: set[str] = set()

    def add(self, holder: Holder, name: str, key: str, texts: Sequence[str]) -> int:
        number = len(self.holders)
        self.holders.append(holder)
        for text in texts:
            try:
                parsed = self._notation.parse(text)
            except PatternError as error:
                raise RuleError(f"{name}: `{key}`: {error}") from None
            self.patterns.extend((number, pattern) for pattern in parsed)
        return number

    def new_id(self, entry: _Entry) -> _Entry:
        """The entry, called by its id, which no other has."""
        identifier = entry.text("id")
        if identifier in self._ids:
            raise RuleError(f"{entry.name}: `id` {identifier} is there twice; rename one")
        self._ids.add(identifier)
        return _Entry(f"{entry.name.split('[')[0]}{identifier}", entry.values)


def load_rulebook(data: Mapping[str, object], language: Language) -> Rulebook:
    """The rulebook that `data` (one TOML file's content) holds, every pattern compiled.

    Raises: RuleError, with the file, the entry's id, the key and the mend.
    """
    top = _Entry(f"{language}.toml: ", data)
    top.check_keys(_TOP_KEYS)
    if top.text("language") != language:
        raise RuleError(f"{top.name}`language` must be `{language}`")
    builder = _Builder(_word_lists(top), _spelling(top))
    readers: dict[str, Callable[[_Builder, _Entry], None]] = {
        "rule": _add_rule,
        "context": _add_context,
        "guard": _add_guard,
        "capacity": _add_capacity,
        "withdrawal": _add_withdrawal,
    }
    for key, reader in readers.items():
        for index, values in enumerate(top.tables(key)):
            reader(builder, _Entry(f"{top.name}[[{key}]] number {index + 1}", values))
    _add_fields(builder, _Entry(f"{top.name}[fields]", top.table("fields")))
    return Rulebook(
        language,
        tuple(builder.holders),
        Matcher(builder.patterns, top.texts("never_typos")),
        frozenset(top.texts("abbreviations")),
        frozenset(top.texts("clause_words")),
        _words_of_fields(top, CueRole.NEVER.value),
        _endings(top),
        _words_of_fields(top, _GIVEN_NAMES),
        top.flag("noun_capitals"),
    )


def _words_of_fields(top: _Entry, key: str) -> frozenset[str]:
    texts = _Entry(f"{top.name}[fields]", top.table("fields")).texts(key)
    return frozenset(word for text in texts for word in re.findall(r"\*?\w+", fold(text).text))


def _endings(top: _Entry) -> Mapping[str, Endings]:
    table = _Entry(
        f"{top.name}[fields.endings]", _Entry(f"{top.name}[fields]", top.table("fields")).table("endings")
    )
    table.check_keys(set(FIELD_NAMES))
    return {name: _pairs(table, name) for name in table.values}


def _pairs(table: _Entry, name: str) -> Endings:
    """ "oje>a" as ("oje", "a"), longest first."""
    pairs = [tuple(text.split(">")) for text in table.texts(name)]
    if any(len(pair) != 2 for pair in pairs):
        raise RuleError(f"{table.name}: `{name}`: write an ending, > and what stands there in the nominative")
    return tuple(sorted(((one, other) for one, other in pairs), key=lambda pair: -len(pair[0])))


def _word_lists(top: _Entry) -> Mapping[str, Sequence[str]]:
    words = _Entry(f"{top.name}[words]", top.table("words"))
    return {name: words.texts(name, required=True) for name in words.values}


def _spelling(top: _Entry) -> Mapping[str, str]:
    spelling = _Entry(f"{top.name}[spelling]", top.table("spelling"))
    return {letter: spelling.text(letter) for letter in spelling.values}


def _add_rule(builder: _Builder, unnamed: _Entry) -> None:
    entry = builder.new_id(unnamed)
    entry.check_keys(_RULE_KEYS)
    nearby = entry.texts("nearby")
    rule = Rule(
        entry.text("id"),
        entry.choice("kind", Kind),
        entry.choice("capacity", Capacity, "unknown"),
        entry.text("sentence"),
        entry.text("source", ""),
        entry.number("confidence"),
        entry.choice("where", Where, "anywhere"),
        entry.choices("gives_way_to", Kind),
        bool(nearby),
        entry.texts("matches", required=True),
        entry.texts("does_not_match"),
    )
    number = builder.add(rule, entry.name, "patterns", entry.texts("patterns", required=True))
    if nearby:
        builder.add(Nearby(number), entry.name, "nearby", nearby)


def _add_context(builder: _Builder, unnamed: _Entry) -> None:
    entry = builder.new_id(unnamed)
    entry.check_keys(_CONTEXT_KEYS)
    effect = entry.choice("effect", Effect)
    context = Context(
        entry.text("id"),
        entry.text("sentence"),
        entry.choices("kinds", Kind),
        entry.choice("scope", Scope, "overlap"),
        effect,
        entry.text("doubt", None if effect is Effect.DOUBT else ""),
        entry.choices("not_for", Capacity),
    )
    builder.add(context, entry.name, "patterns", entry.texts("patterns", required=True))


def _add_guard(builder: _Builder, unnamed: _Entry) -> None:
    entry = builder.new_id(unnamed)
    entry.check_keys(_GUARD_KEYS)
    guard = Guard(
        entry.text("id"), entry.text("doubt"), entry.choices("not_for", Capacity), entry.flag("formal")
    )
    number = builder.add(guard, entry.name, "patterns", entry.texts("patterns", required=True))
    if unless := entry.texts("unless"):
        builder.add(Exemption(number), entry.name, "unless", unless)


def _add_capacity(builder: _Builder, entry: _Entry) -> None:
    entry.check_keys({"capacity", "patterns"})
    cue = CapacityCue(entry.choice("capacity", Capacity))
    builder.add(cue, entry.name, "patterns", entry.texts("patterns", required=True))


def _add_withdrawal(builder: _Builder, unnamed: _Entry) -> None:
    entry = builder.new_id(unnamed)
    entry.check_keys({"id", "patterns"})
    builder.add(Withdrawal(entry.text("id")), entry.name, "patterns", entry.texts("patterns", required=True))


def _add_fields(builder: _Builder, entry: _Entry) -> None:
    entry.check_keys(
        {"labels", "endings", _GIVEN_NAMES, *(role.value for role in CueRole if role is not CueRole.LABEL)}
    )
    for role in (CueRole.LABEL, CueRole.IMPLIED, CueRole.INTRODUCED, CueRole.HINT):
        key = "labels" if role is CueRole.LABEL else role.value
        table = _Entry(f"{entry.name} {key}", entry.table(key))
        table.check_keys(set(FIELD_NAMES))
        for name in table.values:
            builder.add(FieldCue(role, name), table.name, name, table.texts(name))
    for role in _FIELDLESS:
        builder.add(FieldCue(role, ""), entry.name, role.value, entry.texts(role.value))
