"""Sentences in the languages people read: gettext catalogues compiled in memory, dates and numbers.

Mails and web pages share one domain. The msgids are the English sentences themselves, so English
needs no catalogue and a missing translation shows as English, never as a key.
"""

from __future__ import annotations

import re
from datetime import date, datetime, tzinfo
from functools import lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_location
from babel.lists import format_list
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations

DOMAIN = "mailbot"
SOURCE_LANGUAGE = "en"
LOCALES = {"en": "en_GB", "pt": "pt_PT"}
"""The readers are in Europe: dates in English are written day first, numbers in Portuguese as in Portugal."""

DateStyle = Literal["full", "long", "medium", "short"]


class Catalogues:
    """The catalogues of one or more folders (`<language>/LC_MESSAGES/mailbot.po`), read when first asked
    for. An earlier folder overrides single sentences of a later one."""

    def __init__(self, *folders: Path, domain: str = DOMAIN) -> None:
        self._folders = folders
        self._domain = domain
        self._known: frozenset[str] | None = None
        self._loaded: dict[str, NullTranslations] = {SOURCE_LANGUAGE: NullTranslations()}

    def languages(self) -> tuple[str, ...]:
        """Every language that can be written, the source language first, the others in order."""
        pattern = f"*/LC_MESSAGES/{self._domain}.po"
        found = {path.parent.parent.name for folder in self._folders for path in folder.glob(pattern)}
        return (SOURCE_LANGUAGE, *sorted(found - {SOURCE_LANGUAGE}))

    def languages_known(self) -> frozenset[str]:
        """The same as `languages`, looked up on disk once: for the hot path."""
        if self._known is None:
            self._known = frozenset(self.languages())
        return self._known

    def translations(self, language: str) -> NullTranslations:
        """gettext and ngettext of `language`; English where there is no catalogue.

        Raises PoFileError (babel.messages.pofile) when a catalogue is broken.
        """
        if (loaded := self._loaded.get(language)) is None:
            loaded = self._loaded[language] = self._load(language)
        return loaded

    def _load(self, language: str) -> NullTranslations:
        chain: NullTranslations = NullTranslations()
        for path in reversed(self._paths(language)):
            compiled = _compiled(read_catalogue(path, language))
            compiled.add_fallback(chain)
            chain = compiled
        return chain

    def _paths(self, language: str) -> list[Path]:
        if not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", language):
            return []
        paths = [folder / language / "LC_MESSAGES" / f"{self._domain}.po" for folder in self._folders]
        return [path for path in paths if path.is_file()]


def read_catalogue(path: Path, language: str) -> Catalog:
    """The catalogue in `path`. Raises PoFileError when it cannot be read as one."""
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def _compiled(catalogue: Catalog) -> Translations:
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """The CLDR locale for `language`; British English for a language CLDR does not know."""
    try:
        return Locale.parse(LOCALES.get(language, language))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(LOCALES[SOURCE_LANGUAGE])


@lru_cache(maxsize=4096)
def date_in_words(day: date, language: str, style: DateStyle = "long") -> str:
    """`day` as people write it in `language`: "2 March 2026", with the weekday when `style` is "full"."""
    return format_date(day, style, locale_of(language))


@lru_cache(maxsize=4096)
def time_in_words(instant: datetime, language: str, timezone: tzinfo) -> str:
    """The time of day of an aware instant in `timezone`, to the minute: "14:05"."""
    return format_time(instant, "short", timezone, locale_of(language))


@lru_cache(maxsize=256)
def city_of(timezone: tzinfo, language: str) -> str:
    """The city that names `timezone`: "Vilnius"."""
    return get_timezone_location(timezone, locale_of(language), return_city=True)


@lru_cache(maxsize=4096)
def list_in_words(items: tuple[str, ...], language: str) -> str:
    """`items` as a list in a sentence: "a, b and c"."""
    return format_list(items, locale=locale_of(language)) if items else ""


@lru_cache(maxsize=1024)
def number_in_words(number: int, language: str) -> str:
    """`number` with the separators of `language`: "1 234"."""
    return format_decimal(number, locale=locale_of(language))


@lru_cache(maxsize=1024)
def country_in_words(country: str, language: str) -> str:
    """The name of `country` (ISO 3166-1 alpha-2) in `language`, or its code where there is none."""
    return str(locale_of(language).territories.get(country, country))
