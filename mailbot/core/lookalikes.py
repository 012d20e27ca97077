"""Names that a person takes for another name: one alphabet's letters for another's, digits for letters.

Unicode TS 39's table of confusable characters, by the package confusable_homoglyphs; for names in ASCII, where that
table has next to nothing, the few pairs that are used to deceive.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import resources

import idna

from mailbot.core.domains import organisation

_ASCII_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("-", ""))
_WRITTEN_TOGETHER = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "LATIN"}
"""Japanese, Chinese and Korean names have Latin letters beside their own (TS 39 §5.2, highly restrictive)."""


def mixes_scripts(name: str) -> bool:
    """True when one word of `name` has letters of several alphabets, as look-alikes do. A-labels are read."""
    words = re.split(r"[^\w]|_", unicode_domain(name))
    return any(len(found := _scripts(word)) > 1 and not found <= _WRITTEN_TOGETHER for word in words)


def _scripts(word: str) -> set[str]:
    return {unicodedata.name(letter, "?").split(" ")[0] for letter in word if letter.isalpha()}


def unicode_domain(domain: str) -> str:
    """`domain` as people see it; a label that is no right A-label stays as it is."""
    return ".".join(_unicode_label(label) for label in domain.split("."))


def _unicode_label(label: str) -> str:
    try:
        return idna.decode(label) if label.startswith("xn--") else label
    except (idna.IDNAError, UnicodeError):
        return label


def look_alike(domain: str, ours: Iterable[str]) -> str | None:
    """The one of `ours` for which people take the A-label `domain`, which is neither it nor of its organisation."""
    for own in ours:
        home = organisation(own) or own
        if domain == home or domain.endswith(f".{home}"):
            return None
    return next((own for own in ours if _seems(domain, organisation(own) or own)), None)


def _seems(domain: str, home: str) -> bool:
    """True when `domain` ends like `home` to the eye, or has it in front of its real end."""
    seen, wanted = f".{skeleton(unicode_domain(domain))}", f".{skeleton(unicode_domain(home))}"
    return seen.endswith(wanted) or f"{wanted}." in seen


@lru_cache(maxsize=4096)
def skeleton(name: str) -> str:
    """What `name` looks like: equal for names that are taken for one another (TS 39 §4). Not for showing."""
    seen = name.casefold()
    if not seen.isascii():
        plain = unicodedata.normalize("NFKD", seen.translate(_homoglyphs()))
        seen = "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()
    for written, shown in _ASCII_PAIRS:
        seen = seen.replace(written, shown)
    return seen


@cache
def _homoglyphs() -> dict[int, str]:
    """Each character that looks like ASCII letters or digits, and those. Read from the package's data without its
    module, which would keep all nine thousand lists."""
    table = json.loads((resources.files("confusable_homoglyphs") / "confusables.json").read_bytes())
    found: dict[int, str] = {}
    for sign, likenesses in table.items():
        plain = [one["c"].lower() for one in likenesses if one["c"].isascii() and one["c"].isalnum()]
        if plain and not sign.isascii() and len(sign) == 1:
            found[ord(sign)] = plain[0]
    return found
