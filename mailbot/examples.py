"""Labelled example letters (rules/examples, rules/held_out): one JSON object a line, one file for each language."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mailbot.core.request import Capacity, FieldChange, Kind
from mailbot.core.training import Example
from mailbot.resources import ResourceTrouble


@dataclass(frozen=True, slots=True)
class Labelled:
    """An example with the fields that a correction in it names."""

    example: Example
    fields: tuple[FieldChange, ...]


def example_files(*folders: Path) -> list[Path]:
    """The example files of folders, by name; a file of an earlier folder stands in for its namesake in a later one."""
    files = {file.name: file for folder in reversed(folders) for file in folder.glob("*.jsonl")}
    return [files[name] for name in sorted(files)]


def load_examples(*folders: Path) -> list[Labelled]:
    """All examples of the files of folders. Raises ResourceTrouble naming file and line."""
    return [one for file in example_files(*folders) for one in _load(file)]


def keep_example(folder: Path, kept: Labelled) -> str:
    """The example stands at the end of its language's file, safely on disk; its id, which is new, is said.

    Raises OSError when it cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{kept.example.language}.jsonl").open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        number = sum(1 for line in file if line.strip()) + 1
        identifier = f"{kept.example.language}-kept-{number:04}"
        numbered = replace(kept, example=replace(kept.example, id=identifier))
        file.write(json.dumps(as_line(numbered), ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return identifier


def as_line(labelled: Labelled) -> dict[str, object]:
    """An example as it stands in a file."""
    one = labelled.example
    return {
        "id": one.id,
        "kinds": [kind.value for kind in Kind if kind in one.kinds],
        "capacity": one.capacity.value,
        "subject": one.subject,
        "text": one.text,
        "fields": [{"field": x.field, "old": x.old, "new": x.new} for x in labelled.fields],
        "withdraws": one.withdraws,
        "review": one.review,
        "voice": "kept by staff",
    }


def _load(file: Path) -> list[Labelled]:
    examples = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            examples.append(labelled_of(json.loads(line), file.stem))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResourceTrouble(f"{file}: line {number}: {type(error).__name__}: {error}") from None
    return examples


def labelled_of(line: Mapping[str, object], language: str) -> Labelled:
    """The example of one line. Raises ValueError, KeyError or TypeError where it is none."""
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
