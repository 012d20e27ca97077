"""Values inside a JSON document, by the way to them: keys, and "*" for every entry of a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

Json = Mapping[str, "Json"] | Sequence["Json"] | str | int | float | bool | None
EVERY = "*"


def values_at(document: Json, inside: Sequence[str]) -> Iterator[Json]:
    """What stands at `inside`; nothing where there is no such place."""
    if not inside:
        yield document
        return
    for part in _parts(document, inside[0]):
        yield from values_at(part, inside[1:])


def with_value(document: Json, inside: Sequence[str], value: Json) -> Json:
    """A copy of `document` in which `value` stands at `inside`, wherever there is such a place."""
    if not inside:
        return value
    key, rest = inside[0], inside[1:]
    if isinstance(document, Mapping) and key in document:
        return {**document, key: with_value(document[key], rest, value)}
    if _is_list(document) and key == EVERY:
        return [with_value(part, rest, value) for part in document]
    return document


def _parts(document: Json, key: str) -> Iterator[Json]:
    if isinstance(document, Mapping) and key in document:
        yield document[key]
    elif _is_list(document) and key == EVERY:
        yield from document


def _is_list(document: Json) -> TypeGuard[Sequence[Json]]:
    return isinstance(document, Sequence) and not isinstance(document, str)
