"""How an export speaks to its person: sentences in their language, handed in by who knows the catalogues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """A short heading and what it says, both in the person's language."""

    heading: str
    text: str
    link: str = ""


def _same(text: str) -> str:
    return text


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Wording:
    """`said`: an English sentence, ours or of the data map, in the language; `thing` and `field`: what a table and a
    field of the data map are called; `moment`: a time as people write it. `about` is what Art. 15(1) GDPR asks to be
    told of all data alike: who the controller is, the person's rights, where to complain."""

    language: str = "en"
    said: Callable[[str], str] = _same
    thing: Callable[[str], str] = _same
    field: Callable[[str], str] = _same
    moment: Callable[[datetime], str] = _iso
    about: tuple[Fact, ...] = ()
