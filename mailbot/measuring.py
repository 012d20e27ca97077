"""How well labelled letters are read: counts by language, and what is taken for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mailbot.core.decide import Decision
from mailbot.core.request import Capacity, Kind, Language
from mailbot.examples import Labelled
from mailbot.reading import Reader, Reading
from mailbot.varying import VARIATIONS, varied

SERVED = frozenset({Kind.UNSUBSCRIBE, Kind.CORRECTION, Kind.ACCESS, Kind.PORTABILITY, Kind.DELETION})
"""Kinds that mailbot serves without staff when they are clear."""


@dataclass(slots=True)
class Measure:
    """Counts over some letters. `clear`: asks only served kinds, nothing in it is for a person to judge."""

    letters: int = 0
    exact: int = 0
    clear: int = 0
    handled: int = 0
    handled_rightly: int = 0
    no_deletion_asked: int = 0
    false_deletions: int = 0
    no_unsubscribe_asked: int = 0
    false_unsubscribes: int = 0
    fields: int = 0
    fields_right: int = 0
    language_right: int = 0
    capacity_right: int = 0
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(what is asked, what was read) → letters; kinds of one letter joined with "+"."""

    def add(self, labelled: Labelled, reading: Reading) -> None:
        """One more letter."""
        example, read = labelled.example, reading.understanding
        kinds = {asked.kind for asked in read.asked}
        decision = reading.decided.decision
        is_exact = kinds == example.kinds
        self.letters += 1
        self.exact += is_exact
        self.confusion[_named(example.kinds), _named(kinds)] += 1
        if _is_clear(labelled):
            self.clear += 1
            self.handled += decision is not Decision.REVIEW
            self.handled_rightly += decision is not Decision.REVIEW and is_exact
        if Kind.DELETION not in example.kinds:
            self.no_deletion_asked += 1
            self.false_deletions += Kind.DELETION in kinds and decision is not Decision.REVIEW
        if Kind.UNSUBSCRIBE not in example.kinds:
            self.no_unsubscribe_asked += 1
            self.false_unsubscribes += Kind.UNSUBSCRIBE in kinds and decision is Decision.ACT
        wanted = {(change.field, change.new.casefold()) for change in labelled.fields}
        found = {(change.field, change.new.casefold()) for asked in read.asked for change in asked.fields}
        self.fields += len(wanted)
        self.fields_right += len(wanted & found)
        self.language_right += reading.language.language == Language(example.language)
        self.capacity_right += any(asked.capacity is example.capacity for asked in read.asked)

    def figures(self) -> dict[str, float | int]:
        """The counts as shares, 0..1, under the names that are printed."""
        return {
            "letters": self.letters,
            "exact": _share(self.exact, self.letters),
            "handled_without_staff": _share(self.handled, self.clear),
            "handled_rightly": _share(self.handled_rightly, self.clear),
            "false_deletions": _share(self.false_deletions, self.no_deletion_asked),
            "false_unsubscribes": _share(self.false_unsubscribes, self.no_unsubscribe_asked),
            "fields_right": _share(self.fields_right, self.fields),
            "language_right": _share(self.language_right, self.letters),
            "capacity_right": _share(self.capacity_right, self.letters),
        }


def measure(examples: Iterable[Labelled], reader: Reader) -> dict[str, Measure]:
    """A measure for each language (by its file's name), "all" last."""
    measures: dict[str, Measure] = {}
    whole = Measure()
    for one in examples:
        reading = reader.read_text(one.example.subject, one.example.text)
        measures.setdefault(one.example.language, Measure()).add(one, reading)
        whole.add(one, reading)
    return {**dict(sorted(measures.items())), "all": whole}


def measure_varied(examples: Sequence[Labelled], reader: Reader) -> dict[str, Measure]:
    """A measure of all letters for each way in which other hands would type them."""
    return {
        f"all, {name}": measure(varied(examples, variation), reader)["all"]
        for name, variation in VARIATIONS.items()
    }


def confusions(measures: Iterable[Measure], most: int) -> list[tuple[str, str, int]]:
    """The commonest mistakes: asked, read, letters."""
    total: Counter[tuple[str, str]] = Counter()
    for one in measures:
        total.update(one.confusion)
    wrong = [(asked, read, count) for (asked, read), count in total.items() if asked != read]
    return sorted(wrong, key=lambda one: (-one[2], one[0], one[1]))[:most]


def as_markdown(measures: dict[str, Measure], source: str) -> str:
    """A page with the figures and one matrix for each language."""
    names = list(Measure().figures())
    lines = [
        "# How well letters are understood",
        "",
        f"Written by `mailbot rules test --write`; measured on {source}.",
        "",
        _row(["language", *(name.replace("_", " ") for name in names)]),
        _row(["---"] * (len(names) + 1)),
    ]
    for language, one in measures.items():
        lines.append(_row([language, *(_shown(value) for value in one.figures().values())]))
    for language, one in measures.items():
        if ", " in language:  # a variation of all: the matrix of the letters as written tells enough
            continue
        lines += ["", f"## {language}", "", *_matrix(one)]
    return "\n".join(lines) + "\n"


def _matrix(one: Measure) -> list[str]:
    """Rows: what is asked; columns: what was read. Letters that ask or seem to ask several things are "several"."""
    counts: Counter[tuple[str, str]] = Counter()
    for (asked, read), number in one.confusion.items():
        counts[_single(asked), _single(read)] += number if asked == read or "+" not in asked + read else 0
        if asked != read and ("+" in asked or "+" in read):
            counts[_single(asked), "several, wrong" if "+" in read else _single(read)] += number
    columns = [*(kind.value for kind in Kind), "several", "several, wrong"]
    rows = [_row(["asked \\ read", *columns]), _row(["---"] * (len(columns) + 1))]
    for asked in columns[:-1]:
        rows.append(_row([asked, *(str(counts[asked, read] or "") for read in columns)]))
    return rows


def _single(kinds: str) -> str:
    return "several" if "+" in kinds else kinds


def _is_clear(labelled: Labelled) -> bool:
    example = labelled.example
    is_served = example.kinds <= SERVED and example.capacity is not Capacity.HOST
    return is_served and not example.review and not example.withdraws


def _named(kinds: Iterable[Kind]) -> str:
    return "+".join(kind.value for kind in Kind if kind in set(kinds))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.1%}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
