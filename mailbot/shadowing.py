"""Old mails read again beside what staff decided: how well, and from what confidence on mailbot may act alone."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mailbot.core.policy import Handling, Policy
from mailbot.core.request import Kind
from mailbot.core.threshold import Point, lower_bound, mails_needed, threshold
from mailbot.measuring import SERVED
from mailbot.reading import Reading
from mailbot.resources import ResourceTrouble
from mailbot.store import cases, ledger, messages
from mailbot.store.database import Store
from mailbot.store.tables import Case, Message

_UNSURE = "unsure"
Kinds = frozenset[Kind]
Decided = Callable[[str, str, bytes], Kinds | None]
"""Where a mail was found, its Message-ID and bytes → what staff read in it; None: nothing is known."""


@dataclass(slots=True)
class Tally:
    """One kind in one language. `agreed` and `alone`: mails without doubts where both opinions, or only one, see it."""

    asked: int = 0
    read: int = 0
    right: int = 0
    agreed: list[Point] = field(default_factory=list)
    alone: list[Point] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Figure:
    """What was found of one kind in one language. Shares are 0..1; a threshold is None where there is too little
    evidence, or none is high enough."""

    kind: str
    language: str
    asked: int
    read: int
    right: int
    precision: float
    precision_at_least: float
    recall: float
    threshold: float | None
    threshold_alone: float | None


class Shadow:
    """Counts readings against decisions; holds nothing of the mails."""

    def __init__(self) -> None:
        self.mails = 0
        self._tallies: dict[tuple[Kind, str], Tally] = {}

    def add(self, reading: Reading, decided: Kinds) -> None:
        """One more mail."""
        self.mails += 1
        language = str(reading.language.language or _UNSURE)
        understood = {one.kind: one for one in reading.understanding.asked}
        for kind in decided | set(understood):
            tally = self._tallies.setdefault((kind, language), Tally())
            tally.asked += kind in decided
            tally.read += kind in understood
            tally.right += kind in decided and kind in understood
            if (
                kind in understood
                and not reading.understanding.doubts
                and not reading.understanding.withdraws
            ):
                points = tally.agreed if understood[kind].agreed else tally.alone
                points.append(Point(understood[kind].confidence, kind in decided))

    def figures(self, precision: float) -> list[Figure]:
        """Every kind and language that came up."""
        order = sorted(self._tallies, key=lambda key: (list(Kind).index(key[0]), key[1]))
        return [_figure(kind, language, self._tallies[kind, language], precision) for kind, language in order]


def _figure(kind: Kind, language: str, tally: Tally, precision: float) -> Figure:
    return Figure(
        kind.value,
        language,
        tally.asked,
        tally.read,
        tally.right,
        round(tally.right / tally.read, 4) if tally.read else 0.0,
        round(lower_bound(tally.right, tally.read), 4),
        round(tally.right / tally.asked, 4) if tally.asked else 0.0,
        threshold(tally.agreed, precision),
        threshold(tally.alone, precision),
    )


def policy_lines(figures: Iterable[Figure], policy: Policy, precision: float) -> list[str]:
    """Lines for policy.toml: served kinds act alone where the evidence is good, and wait for staff where not."""
    lines = [
        f"# at least {precision:.1%} right; that takes {mails_needed(precision)} mails without a mistake"
    ]
    for one in figures:
        if Kind(one.kind) not in SERVED or one.language == _UNSURE:
            continue
        lines += ["", f"[kinds.{one.kind}.languages.{one.language}]"]
        if one.threshold is None:
            lines.append(f'handling = "staff" # {one.right} of {one.read} right is too little to know')
            continue
        known = policy.kinds[Kind(one.kind)].handling
        handling = known if known is not Handling.STAFF else Handling.CONFIRM
        lines += [
            f'handling = "{handling}"',
            f"minimum_confidence = {one.threshold:.4f}",
            f"minimum_confidence_alone = {1.0 if one.threshold_alone is None else one.threshold_alone:.4f}",
        ]
    return lines


def decided_by_folders(path: str, message_id: str, raw: bytes) -> Kinds | None:  # noqa: ARG001 - a Decided
    """The folder that holds the mail is named by what it asks: "deletion", "access+deletion"."""
    return _kinds(Path(path).parent.name)


def decided_by_file(file: Path) -> Decided:
    """CSV with the columns `mail` and `kinds`, or JSONL with these keys; `mail` is a Message-ID, a path or a name.

    Raises ResourceTrouble naming file and line."""
    known = dict(_rows(file))

    def decided(path: str, message_id: str, _: bytes) -> Kinds | None:
        names = (message_id.strip("<> "), path, Path(path).name)
        return next((known[name] for name in names if name in known), None)

    return decided


def _rows(file: Path) -> Iterator[tuple[str, Kinds]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ResourceTrouble(f"{file}: cannot be read as UTF-8 text: {type(error).__name__}") from None
    is_csv = file.suffix.lower() == ".csv"
    lines = (
        csv.DictReader(text.splitlines())
        if is_csv
        else (json.loads(x) for x in text.splitlines() if x.strip())
    )
    number = 1 if is_csv else 0
    try:
        for line in lines:
            number += 1
            written = line["kinds"]
            kinds = _kinds("+".join(written) if isinstance(written, list) else str(written))
            if kinds is None:
                raise ValueError(f"{written!r} names no kinds; write such as deletion or access+deletion")
            yield str(line["mail"]).strip("<> "), kinds
    except (ValueError, KeyError, TypeError) as error:
        raise ResourceTrouble(f"{file}: line {number}: {type(error).__name__}: {error}") from None


def _kinds(written: str) -> Kinds | None:
    words = [word.strip() for word in written.replace(",", "+").replace(";", "+").split("+")]
    try:
        return frozenset(Kind(word) for word in words if word) or None
    except ValueError:
        return None


def decided_in(store: Store) -> Decided:
    """Mails that this mailbot took in and that staff decided: the kinds of their case, as staff left it."""

    def decided(path: str, message_id: str, raw: bytes) -> Kinds | None:  # noqa: ARG001 - a Decided
        with store.read() as tx:
            known = messages.by_content(tx, [hashlib.sha256(raw).digest()])
            message = next((tx.session.get(Message, one.message_id) for one in known.values()), None)
            case = tx.session.get(Case, message.case_id) if message and message.case_id else None
            if case is None or not any(
                entry.actor.startswith("staff:") and entry.action.startswith("staff_")
                for entry in ledger.entries(tx, case=case.reference)
            ):
                return None
            return frozenset(Kind(one.kind) for one in cases.requests_of(tx, case.id))

    return decided
