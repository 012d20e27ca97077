"""A letter without the person in it: what tells who wrote is replaced by invented words, so that it reads on.

Two nets: everything that is known of the person (name, address, what they asked to correct), and everything
that looks like an address, a number, a link or a name wherever it stands. A person reads the result all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mailbot.core.field_forms import Form, find_values
from mailbot.core.request import FieldChange

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"]*[\w/=]", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@<>\"(),;:]{1,64}@[^\s@<>\"(),;:]{0,200}\w")
_DATE = re.compile(
    r"\b\d{1,4}([./-])\d{1,2}\1\d{1,4}\b|\b\d{1,2}\.?\W{1,2}[^\W\d_]{3,12}\.?\W{1,3}(?:19|20)\d\d\b"
)
_LONG_NUMBER = re.compile(r"\+?\d(?:[\s().\-–/]{0,2}\d){3,}")
_CODE = re.compile(r"\b(?=\w*\d\w*\d)(?=\w*[^\W\d_])\w{6,}\b")
_WORD = re.compile(r"[^\W_]+")
_SHORTEST_KNOWN = 3
_SHORTEST_NUMBER = 4
_CLOSING_WORDS = 4
_NAME_LINE = re.compile(r"(?:[^\W\d_][\w.’'-]*[ ]?){1,4}")
_INVENTED = {
    "latin": ("Robin", "Sander", "Kim", "Morel", "Sascha", "Lind", "Andrea", "Berg"),
    "cyrillic": ("Саша", "Бондарь", "Женя", "Мороз", "Валя", "Коваль"),
}
_CYRILLIC = re.compile(r"[\u0400-\u052f]")


@dataclass(frozen=True, slots=True)
class Anonymous:
    """The letter and the fields it corrects without the person; `replaced` things were taken out."""

    subject: str
    text: str
    fields: tuple[FieldChange, ...]
    replaced: int


def without_person(
    subject: str, text: str, fields: Iterable[FieldChange], known: Iterable[str], ours: Iterable[str] = ()
) -> Anonymous:
    """The letter without what identifies. `known` are the person's names, addresses and the like, `ours` names
    that tell nothing (the controller's). The same thing is replaced by the same invented one wherever it stands,
    so that old and new values stay apart."""
    changes = tuple(fields)
    values = [value for one in changes for value in (one.old, one.new) if value]
    stripping = _Stripping([*known, *values], ours)
    stripping.learn_names(text)
    new_subject, new_text = stripping.strip(subject), stripping.strip(text)
    new_fields = tuple(
        FieldChange(one.field, stripping.strip(one.old) if one.old else None, stripping.strip(one.new))
        for one in changes
    )
    return Anonymous(new_subject, new_text, new_fields, len(stripping.invented))


class _Stripping:
    """What was replaced by what, so far."""

    def __init__(self, known: Iterable[str], ours: Iterable[str]) -> None:
        self.invented: dict[str, str] = {}
        self._ours = {word for text in ours for word in _telling_words(text)}
        self._known = {word for text in known for word in _telling_words(text)} - self._ours

    def learn_names(self, text: str) -> None:
        """Words that look like names inside sentences, and the last line below a short closing line."""
        for found in find_values(text, addresses=False, handles=False):
            before = text[: found.start].rstrip(" \t")
            is_inside = bool(before) and before[-1] not in ".!?:\n"
            if found.form is Form.NAME and is_inside and " " in found.text:
                self._know(found.text)
        lines = [line.strip(" \t-–—*") for line in text.strip().splitlines() if line.strip()]
        if len(lines) > 1 and len(lines[-2].split()) <= _CLOSING_WORDS and _NAME_LINE.fullmatch(lines[-1]):
            self._know(lines[-1])

    def _know(self, name: str) -> None:
        self._known |= _telling_words(name) - self._ours

    def strip(self, text: str) -> str:
        """`text` with everything replaced that tells who wrote it."""
        text = _LINK.sub(lambda found: self._other(found.group(), lambda _: "https://example.org/"), text)
        text = _EMAIL.sub(lambda found: self._other(found.group(), self._address), text)
        text = _DATE.sub(lambda found: self._other(found.group(), _redated), text)
        text = self._addresses(text)
        text = _CODE.sub(lambda found: self._other(found.group(), _renumbered), text)
        text = _LONG_NUMBER.sub(lambda found: self._number(found.group()), text)
        return _WORD.sub(lambda found: self._word(found.group()), text)

    def _addresses(self, text: str) -> str:
        """Streets with their number (core/field_forms knows how they look)."""
        for found in reversed(find_values(text, addresses=False, handles=False)):
            if found.form is Form.ADDRESS:
                text = text[: found.start] + self._other(found.text, _resettled) + text[found.end :]
        return text

    def _other(self, told: str, invent: Callable[[str], str]) -> str:
        key = told.casefold()
        if key not in self.invented and key not in self.invented.values():
            self.invented[key] = invent(told)
        return self.invented.get(key, told)

    def _word(self, word: str) -> str:
        return self._other(word, self._name) if word.casefold() in self._known else word

    def _number(self, number: str) -> str:
        return (
            self._other(number, _renumbered) if sum(map(str.isdigit, number)) >= _SHORTEST_NUMBER else number
        )

    def _name(self, word: str) -> str:
        names = _INVENTED["cyrillic" if _CYRILLIC.search(word) else "latin"]
        used = sum(1 for name in self.invented.values() if name.casefold() in map(str.casefold, names))
        name = names[used % len(names)]
        return name if word[:1].isupper() else name.lower()

    def _address(self, _: str) -> str:
        count = sum(one.endswith("@example.org") for one in self.invented.values())
        return f"person{count + 1 if count else ''}@example.org"


def _telling_words(text: str) -> set[str]:
    """The words of a name, an address or a value, without those too short to tell anybody from another."""
    local = text.partition("@")[0] if "@" in text else text
    return {
        word.casefold()
        for word in _WORD.findall(local)
        if len(word) >= _SHORTEST_KNOWN and not word.isdigit()
    }


def _renumbered(number: str) -> str:
    """As many digits, but others."""
    digits = iter("2457813690" * len(number))
    return "".join(next(digits) if sign.isdigit() else sign for sign in number)


def _redated(date: str) -> str:
    """A day in the same form that is nobody's."""
    numbers = {4: "1980", 2: "05", 1: "5"}
    return re.sub(r"\d+", lambda found: numbers.get(len(found.group()), "05"), date)


def _resettled(address: str) -> str:
    """A street that is nobody's, in the same script."""
    return "ул. Примерная, 5" if _CYRILLIC.search(address) else "Example Street 5"
