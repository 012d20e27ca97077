"""What a DNS question for TXT records came to; the asking itself is done outside the core."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_NAME = 253
_LABELS = r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+"
# The last label has a letter, else it is an address written in numbers.
_NAME = re.compile(_LABELS + r"(?=[0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class TxtRecords:
    """The TXT records of a name, each with its character-strings joined (RFC 7208 §3.3)."""

    records: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class NoTxt:
    """The name has no TXT record. `name_exists` is False after NXDOMAIN: nothing is at or below it (RFC 8020)."""

    name_exists: bool = True


@dataclass(frozen=True, slots=True)
class DnsFailure:
    """Nobody knows yet: the servers failed or were silent. To be asked again later."""

    reason: str


TxtAnswer = TxtRecords | NoTxt | DnsFailure
TxtLookup = Callable[[str], TxtAnswer]


def is_askable(name: str) -> bool:
    """True when `name` (ASCII, no final dot) is a host-like name worth a question (RFC 1035 §2.3.4)."""
    return len(name) <= LONGEST_NAME and _NAME.fullmatch(name.lower()) is not None


class BoundedLookup:
    """Asks each name once and no more than `most` names in all, so that one mail cannot make us flood DNS."""

    def __init__(self, lookup: TxtLookup, most: int) -> None:
        self._lookup = lookup
        self._left = most
        self._known: dict[str, TxtAnswer] = {}

    def __call__(self, name: str) -> TxtAnswer:
        """The answer for `name`; names that cannot exist or come after the limit are answered `NoTxt`."""
        key = name.lower()
        if key not in self._known:
            self._known[key] = self._ask(key)
        return self._known[key]

    def _ask(self, name: str) -> TxtAnswer:
        if self._left <= 0 or not is_askable(name):
            return NoTxt()
        self._left -= 1
        return self._lookup(name)
