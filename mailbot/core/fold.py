"""Text made comparable: compatibility forms unified, case and accents gone, every place still traceable."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_LETTERS = {
    "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i",
    "’": "'", "‘": "'", "ʼ": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "…": ".", "\u2028": "\n", "\u2029": "\n",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text. `breaks` and `origins` are parallel: from folded place `breaks[i]` on, originals run
    from `origins[i]` on, one for one, until the next break."""

    text: str
    breaks: tuple[int, ...]
    origins: tuple[int, ...]

    def original(self, place: int) -> int:
        """The place in the original text that the folded `place` came from."""
        index = bisect_right(self.breaks, place) - 1
        return self.origins[index] + place - self.breaks[index]


def fold(text: str) -> Folded:
    """NFKC, case folded and without accents; invisible characters are gone (Unicode UAX #15, #21)."""
    pieces: list[str] = []
    breaks, origins = [0], [0]
    length = last = 0
    for found in _NOT_ASCII.finditer(text):
        place = found.start()
        pieces.append(text[last:place].lower())
        length += place - last
        last = found.end()
        folded = [fold_character(one) for one in found.group()]
        pieces += folded
        if "" not in folded and sum(map(len, folded)) == len(folded):
            length += len(folded)
            continue
        for offset, one in enumerate(folded):
            if len(one) != 1:
                length = _note_break(breaks, origins, length, len(one), place + offset)
            else:
                length += 1
    pieces.append(text[last:].lower())
    return Folded("".join(pieces), tuple(breaks), tuple(origins))


def _note_break(breaks: list[int], origins: list[int], length: int, size: int, place: int) -> int:
    for offset in range(1, size):  # every letter of "oe" points at the one "œ"
        breaks.append(length + offset)
        origins.append(place)
    breaks.append(length + size)
    origins.append(place + 1)
    return length + size


@lru_cache(maxsize=4_096)
def fold_character(character: str) -> str:
    """What one character folds to: usually one, sometimes none (a combining mark) or two ("œ")."""
    lowered = unicodedata.normalize("NFKD", character).casefold()
    kept = "".join(_LETTERS.get(one, one) for one in lowered if not _is_invisible(one))
    return " " if kept.isspace() and kept != "\n" else kept


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Cf")
