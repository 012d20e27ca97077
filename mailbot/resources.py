"""The files inside the package: templates, rules, catalogues; a folder of the configuration stands before them."""

from __future__ import annotations

import tomllib
from pathlib import Path

_PACKAGE = Path(__file__).parent


class ResourceTrouble(Exception):
    """A file of rules or templates is missing or wrong; the text names it."""


def built_in(what: str) -> Path:
    """The package's own folder of `what` (templates, rules, locale) or file (config.toml)."""
    inside = _PACKAGE / "data" / what  # in a wheel
    return inside if inside.exists() else _PACKAGE.parent / what  # in a checkout


def folders(what: str, override: Path | None) -> tuple[Path, ...]:
    """Where to look for files of `what`, first the overriding folder."""
    return (override, built_in(what)) if override else (built_in(what),)


def files_in(folder: str, places: tuple[Path, ...]) -> set[str]:
    """The names, without suffix, of the TOML files that one of `places` has in `folder`."""
    return {file.stem for place in places for file in (place / folder).glob("*.toml")}


def read_toml(name: str, places: tuple[Path, ...]) -> dict[str, object]:
    """The first file `name` in `places`, parsed. Raises ResourceTrouble when it is missing or no TOML."""
    file = find_file(name, places)
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ResourceTrouble(f"{file}: {error}") from None


def find_file(name: str, places: tuple[Path, ...]) -> Path:
    """The first file `name` in `places`. Raises ResourceTrouble when it is in none."""
    for place in places:
        if (place / name).is_file():
            return place / name
    raise ResourceTrouble(f"{name} is in none of: {', '.join(map(str, places))}")
