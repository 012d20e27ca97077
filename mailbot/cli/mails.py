"""The mails behind a path: one file, a text, an mbox, a folder, standard input. One at a time in memory."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mailbot.core.charset import decode

STDIN = "-"
MAIL, TEXT, MBOX = "mail", "text", "mbox"
_BY_SUFFIX = {".eml": MAIL, ".txt": TEXT, ".mbox": MBOX, ".mbx": MBOX}
_LOOKED_AT_BYTES = 4096
_FIELD = re.compile(rb"[!-9;-~]{1,76}[ \t]*:")
_MAILS_FIELDS = re.compile(
    rb"^(?:from|to|received|date|message-id|return-path|delivered-to|mime-version|content-type|subject"
    rb"|reply-to|x-[\w-]+|dkim-signature|arc-[\w-]+|authentication-results)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_FROM_LINE = re.compile(rb"From [^\r\n]*\d\d:\d\d[^\r\n]*\d{4}")
"""As every program writes it: the time of delivery at its end (RFC 4155)."""
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RawMail:
    """A mail's bytes; where it was found: a path, or "path:N" for the Nth mail of an mbox (from 1)."""

    path: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class PlainText:
    """A letter without a mail around it."""

    path: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A file that cannot be read, or is larger than any mail that is taken in."""

    path: str
    reason: str


Found = RawMail | PlainText | Unavailable


def mails_in(path: str, most_bytes: int) -> Iterator[Found]:
    """Every mail behind `path`, files of a folder in order of their names."""
    if path == STDIN:
        yield from _of_stdin(sys.stdin.buffer, most_bytes)
    elif Path(path).is_dir():
        for file, kind in _mails_of_folder(path):
            yield from _of_file(file, kind, most_bytes)
    else:
        yield from _of_file(path, _BY_SUFFIX.get(Path(path).suffix.lower()), most_bytes)


def _mails_of_folder(folder: str) -> Iterator[tuple[str, str | None]]:
    """Files that are mails by name, or by what stands in them (Maildir names have no suffix)."""
    for place, below, files in os.walk(folder):
        below.sort()
        for name in sorted(files):
            file = os.path.join(place, name)  # noqa: PTH118  # str: paths that are no UTF-8 stay as they are
            kind = _BY_SUFFIX.get(Path(name).suffix.lower())
            if not name.startswith(".") and Path(file).is_file() and (kind or _looks_like_mail(file)):
                yield file, kind


def _of_file(path: str, kind: str | None, most_bytes: int) -> Iterator[Found]:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # as above
            yield from _of_kind(path, file, kind or _kind_of(file.peek(_LOOKED_AT_BYTES)), most_bytes)
    except OSError as error:
        yield Unavailable(path, f"cannot be opened: {error.strerror or type(error).__name__}")


def _of_kind(path: str, file: Iterable[bytes], kind: str, most_bytes: int) -> Iterator[Found]:
    if kind == MBOX:
        yield from _of_mbox(path, file, most_bytes)
        return
    raw = _joined(file, most_bytes)
    if raw is None:
        yield _too_large(path, most_bytes)
    elif kind == TEXT:
        yield _plain(path, raw)
    else:
        yield RawMail(path, raw)


def _of_stdin(stream: IO[bytes], most_bytes: int) -> Iterator[Found]:
    """What comes in by a pipe has no name: its first bytes say what it is. Plain words are a letter."""
    lines = iter(stream)
    first: list[bytes] = []
    for line in lines:
        first.append(line)
        if sum(map(len, first)) >= _LOOKED_AT_BYTES:
            break
    head = b"".join(first)
    kind = _kind_of(head)
    if kind == MAIL and b"\0" not in head and not _has_header(head):
        kind = TEXT
    yield from _of_kind(STDIN, _chained(first, lines), kind, most_bytes)


def _kind_of(head: bytes) -> str:
    return MBOX if head.startswith(b"From ") else MAIL


def _looks_like_mail(file: str) -> bool:
    try:
        with open(file, "rb") as opened:  # noqa: PTH123  # as above
            head = opened.read(_LOOKED_AT_BYTES)
    except OSError:
        return False
    return _FROM_LINE.match(head) is not None or _has_header(head)


def _has_header(head: bytes) -> bool:
    """A block of fields, one of them beside Subject a mail's: "Subject: …" alone may begin a plain letter."""
    block = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    names = {found.group().rstrip(b" \t:").lower() for found in _MAILS_FIELDS.finditer(block)}
    return _FIELD.match(block) is not None and bool(names - {b"subject"})


def _of_mbox(path: str, lines: Iterable[bytes], most_bytes: int) -> Iterator[Found]:
    for number, mail in enumerate(_mbox_mails(lines, most_bytes), 1):
        where = f"{path}:{number}"
        if mail is None:
            yield _too_large(where, most_bytes)
        else:
            yield RawMail(where, _QUOTED_FROM.sub(rb"\1", mail))


def _mbox_mails(lines: Iterable[bytes], most_bytes: int) -> Iterator[bytes | None]:
    """The bytes of each mail; None for one above the limit, whose lines are not kept."""
    kept: list[bytes] = []
    size, number, after_blank, is_dated = 0, 0, True, True
    for line in lines:
        if number == 0:
            is_dated = _FROM_LINE.match(line) is not None
        if after_blank and _begins_mail(line, is_dated):
            if number:
                yield _mail_of(kept, size, most_bytes)
            kept, size, number = [], 0, number + 1
        else:
            number = number or 1
            size += len(line)
            if size <= most_bytes:
                kept.append(line)
        after_blank = line in (b"\n", b"\r\n")
    if number:
        yield _mail_of(kept, size, most_bytes)


def _begins_mail(line: bytes, is_dated: bool) -> bool:
    """`is_dated`: this mbox writes the time on its From lines, so that "From now on …" is none."""
    return _FROM_LINE.match(line) is not None if is_dated else line.startswith(b"From ")


def _mail_of(lines: list[bytes], size: int, most_bytes: int) -> bytes | None:
    if size > most_bytes:
        return None
    if lines and lines[-1] in (b"\n", b"\r\n"):  # belongs to the mbox, not to the mail
        lines = lines[:-1]
    return b"".join(lines)


def _plain(path: str, raw: bytes) -> PlainText:
    text = decode(raw.removeprefix(b"\xef\xbb\xbf"))
    first, _, rest = text.partition("\n")
    name, colon, subject = first.partition(":")
    if colon and name.strip().lower() == "subject":
        return PlainText(path, subject.strip(), rest.lstrip("\r\n"))
    return PlainText(path, "", text)


def _joined(chunks: Iterable[bytes], most_bytes: int) -> bytes | None:
    kept: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most_bytes:
            return None
        kept.append(chunk)
    return b"".join(kept)


def _chained(first: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from first
    yield from rest


def _too_large(path: str, most_bytes: int) -> Unavailable:
    return Unavailable(path, f"larger than {most_bytes} bytes: nothing so large is taken in")
