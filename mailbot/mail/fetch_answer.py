"""The answer to FETCH as imaplib hands it over, read strictly: what is odd is left out, never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

Item = bytes | tuple[bytes, bytes] | None
"""imaplib's shape: a line, or a line that ends in a literal together with that literal."""

_START = re.compile(rb"^\d+ \((.*)$", re.DOTALL)
_LITERAL = re.compile(rb"(?:BODY\[(?:HEADER)?\](?:<0>)?) ~?\{(\d+)\}$", re.IGNORECASE)
_FLAGS = re.compile(rb"FLAGS \([^)]*\)", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)
_DATE = re.compile(
    rb'\bINTERNALDATE "([ \d]?\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"',
    re.IGNORECASE,
)
_MONTHS = {
    name: number
    for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)
}


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes of one mail (whole, or its beginning), and when the server got it (None: it did not say)."""

    octets: bytes
    internal_date: datetime | None


def read_sizes(items: Sequence[Item]) -> dict[int, int]:
    """RFC822.SIZE for each UID, in bytes."""
    sizes = {}
    for line, _ in _answers(items):
        uid, size = _UID.search(line), _SIZE.search(line)
        if uid and size:
            sizes[int(uid[1])] = int(size[1])
    return sizes


def read_bodies(items: Sequence[Item]) -> dict[int, Body]:
    """The one literal of each answer, by UID. Answers without a literal (flag news) are passed over."""
    bodies = {}
    for line, literal in _answers(items):
        uid = _UID.search(line)
        if uid and literal is not None:
            bodies[int(uid[1])] = Body(literal, read_date(line))
    return bodies


def read_date(line: bytes) -> datetime | None:
    """INTERNALDATE (RFC 9051 §2.3.3) in UTC."""
    found = _DATE.search(line)
    month = found and _MONTHS.get(found[2].lower())
    if not found or not month:
        return None
    offset = timedelta(hours=int(found[8]), minutes=int(found[9])) * (-1 if found[7] == b"-" else 1)
    day, year, hour, minute, second = (int(found[i]) for i in (1, 3, 4, 5, 6))
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _answers(items: Sequence[Item]) -> Iterator[tuple[bytes, bytes | None]]:
    """Attributes (before and after the literal, flags cut out) and literal of each answer."""
    line, literal = b"", None
    for item in items:
        head, more = item if isinstance(item, tuple) else (item or b"", None)
        start = _START.match(head)
        if start:
            if line:
                yield line, literal
            line, literal = start[1], None
        else:
            line += b" " + head
        if more is not None:
            cut = _LITERAL.search(line)
            # A literal that is not the one body asked for, or not as long as announced: not ours to read.
            known = cut is not None and literal is None and int(cut[1]) == len(more)
            line, literal = (line[: cut.start()], more) if cut and known else (b"", None)
        line = _FLAGS.sub(b"", line)
    if line:
        yield line, literal


def compact(uids: Sequence[int]) -> str:
    """An IMAP sequence set of exactly these UIDs (ascending): neighbours become ranges, gaps stay gaps."""
    parts: list[str] = []
    start = previous = -1
    for uid in [*uids, -1]:
        if uid == previous + 1 and start >= 0:
            previous = uid
            continue
        if start >= 0:
            parts.append(str(start) if start == previous else f"{start}:{previous}")
        start = previous = uid
    return ",".join(parts)


def expand(sequence_set: bytes) -> list[int]:
    """The UIDs of a sequence set, in its order; ranges may be written either way round."""
    uids: list[int] = []
    for part in sequence_set.split(b","):
        first, _, last = part.partition(b":")
        low, high = sorted((int(first), int(last or first)))
        uids.extend(range(low, high + 1))
    return uids
