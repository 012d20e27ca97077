"""Labelled example letters (rules/examples, rules/held_out): one JSON object a line, one file for each language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mailbot.core.request import Capacity, FieldChange, Kind
from mailbot.core.training import Example
from mailbot.resources import ResourceTrouble


@dataclass(frozen=True, slots=True)
class Labelled:
    """An example with the fields that a correction in it names."""

    example: Example
    fields: tuple[FieldChange, ...]


def example_files(folder: Path) -> list[Path]:
    """The example files of a folder, by name."""
    return sorted(folder.glob("*.jsonl"))


def load_examples(folder: Path) -> list[Labelled]:
    """All examples of a folder. Raises ResourceTrouble naming file and line."""
    return [one for file in example_files(folder) for one in _load(file)]


def _load(file: Path) -> list[Labelled]:
    examples = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            examples.append(_labelled(json.loads(line), file.stem))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResourceTrouble(f"{file}: line {number}: {type(error).__name__}: {error}") from None
    return examples


def _labelled(line: Mapping[str, object], language: str) -> Labelled:
    kinds, fields = line["kinds"], line.get("fields") or []
    if not isinstance(kinds, list) or not kinds or not isinstance(fields, list):
        raise ValueError("kinds must be a list with something in it, fields a list")
    example = Example(
        str(line["id"]),
        language,
        str(line["subject"]),
        str(line["text"]),
        frozenset(Kind(kind) for kind in kinds),
        Capacity(str(line.get("capacity", "unknown"))),
        bool(line.get("withdraws")),
        bool(line.get("review")),
    )
    return Labelled(example, tuple(FieldChange(one["field"], one["old"], one["new"]) for one in fields))
