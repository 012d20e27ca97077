"""Where a person's files are: paths that a row's columns fill in, in a named store.

A path that ends in "/" means everything below it. Between two "/" there is at most one placeholder, and no value
can hold a "/", so that the paths of two different values never begin alike: "7/" is not the beginning of "77/".
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

DEFAULT_STORE = "files"
"""The store meant where none is named."""
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_VALUE = re.compile(r"[\w.@+=~-]+")
_STORE = re.compile(r"[a-z][a-z0-9_-]*")
_BETWEEN = "://"
"""Clean paths hold no "//", so it cannot be part of one."""


def is_clean(path: str) -> bool:
    """Nothing in the path goes up, is absolute, or could be spelled in another way."""
    if not path or "\0" in path or "\\" in path or path.startswith("/"):
        return False
    return posixpath.normpath(path) == path and path.split("/")[0] not in ("..", ".")


def columns_in(template: str) -> tuple[str, ...]:
    """The columns that fill in `template`, each once."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(template)))


def template_fault(template: str) -> str | None:
    """What is wrong with `template`; None where nothing is."""
    if not columns_in(template):
        return "names no column of the row, so it would be everybody's"
    parts = template.removesuffix("/").split("/")
    if any(len(_PLACEHOLDER.findall(part)) > 1 for part in parts):
        return "has two columns between two slashes, so two people's could be the same"
    left = _PLACEHOLDER.sub("x", template)
    if "{" in left or "}" in left or not is_clean(left.removesuffix("/")):
        return "is no clean relative path"
    return None


def filled(template: str, values: Mapping[str, object]) -> str | None:
    """The path of one row; None where a value could lead elsewhere (empty, a slash, dots alone)."""
    texts = {name: str(values[name]) for name in columns_in(template)}
    if not all(_VALUE.fullmatch(text) for text in texts.values()):
        return None
    path = _PLACEHOLDER.sub(lambda found: texts[found.group(1)], template)
    return path if is_clean(path.removesuffix("/")) else None


def reference(store: str, path: str) -> str:
    """How a path is written down together with its store."""
    return path if store == DEFAULT_STORE else f"{store}{_BETWEEN}{path}"


def store_and_path(written: str) -> tuple[str, str]:
    """What `reference` wrote."""
    store, between, path = written.partition(_BETWEEN)
    return (store, path) if between and _STORE.fullmatch(store) else (DEFAULT_STORE, written)
