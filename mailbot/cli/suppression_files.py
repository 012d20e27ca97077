"""Suppression lists as files: read into the store, written from it."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO

from mailbot.core.ledger import Entry
from mailbot.store import ledger, suppressions
from mailbot.store.database import Store

BATCH_LINES = 500
TELL_EVERY_LINES = 10_000
MOST_BAD_KEPT = 10_000
_ADDRESS = re.compile(
    r"[^\s@<>,;:\"()\[\]\x00-\x20\x7f\ufffd]{1,64}@(?=.{1,253}$)[^\s@<>,;:\"()\x00-\x20\x7f/]+"
)
_COLUMNS = frozenset(
    {"email", "e-mail", "mail", "address", "e-mail address", "email address", "email_address"}
)
_DELIMITERS = ",;\t|"
_HASH_LETTERS = 16
_HEAD = ("address_hash", "since", "how", "by")


@dataclass(slots=True)
class Imported:
    """What an import did. `bad` holds line numbers and reasons, never values; at most 10,000 of them."""

    by: str
    lines: int = 0
    added: int = 0
    already: int = 0
    bad_count: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)

    def note_bad(self, line: int, reason: str) -> None:
        """A line that could not be used."""
        self.bad_count += 1
        if len(self.bad) < MOST_BAD_KEPT:
            self.bad.append((line, reason))


def is_address(text: str) -> bool:
    """Whether `text` can be an e-mail address at all: lists from elsewhere hold odd but real ones."""
    return _ADDRESS.fullmatch(text) is not None


def import_file(store: Store, file: Path, now: datetime, tell: Callable[[int], None]) -> Imported:
    """Every address of `file` is on the list, some hundred in each transaction; `tell` hears of progress."""
    done = Imported(f"import:{_digest(file)}")
    with file.open(encoding="utf-8-sig", errors="replace") as opened:
        rows = _addresses(opened)
        while batch := list(islice(rows, BATCH_LINES)):
            _import_batch(store, batch, done, now)
            if done.lines // TELL_EVERY_LINES > (done.lines - len(batch)) // TELL_EVERY_LINES:
                tell(done.lines)
    _note(store, done, now)
    return done


def write_list(store: Store, file: Path | None) -> int:
    """Everybody on the list now is in `file` (standard output when None) as CSV; returns how many."""
    count = 0
    with _written(file) as opened, store.read() as tx:
        rows = csv.writer(opened, lineterminator="\n")
        rows.writerow(_HEAD)
        for row in suppressions.current(tx):
            count += 1
            rows.writerow((row.address_hash.hex(), row.since.isoformat(), row.how, row.by))
        opened.flush()
    return count


def _import_batch(store: Store, batch: Sequence[tuple[int, str]], done: Imported, now: datetime) -> None:
    with store.begin() as tx:
        for line, address in batch:
            done.lines += 1
            if not is_address(address):
                done.note_bad(line, "no address" if address else "empty")
            elif suppressions.suppress(tx, address, how="import", by=done.by, now=now):
                done.added += 1
            else:
                done.already += 1


def _addresses(opened: IO[str]) -> Iterator[tuple[int, str]]:
    """Line number and address of each line that is not blank. Each line is read for itself: a quote that is
    never closed would else take all lines after it for one."""
    delimiter, column = ",", 0
    for number, line in enumerate(opened, 1):
        if number == 1:
            delimiter = max(_DELIMITERS, key=line.count)
            column, has_head = _column(_cells(line, delimiter))
            if has_head:
                continue
        cells = _cells(line, delimiter)
        if any(cells):
            yield number, cells[column] if column < len(cells) else ""


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return ["?"]


def _column(first: Sequence[str]) -> tuple[int, bool]:
    """Which column holds the addresses, and whether the first row only names columns."""
    for number, name in enumerate(first):
        if name.strip().strip("\ufeff").lower() in _COLUMNS:
            return number, True
    return 0, False


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:_HASH_LETTERS]


def _note(store: Store, done: Imported, now: datetime) -> None:
    with store.begin() as tx:
        counts: dict[str, str | int] = {"added": done.added, "already": done.already, "bad": done.bad_count}
        ledger.append(tx, Entry(now, "suppressions_imported", done.by, "", "", "", counts))


@contextmanager
def _written(file: Path | None) -> Iterator[IO[str]]:
    if file is None:
        yield sys.stdout
        return
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened:
        yield opened
