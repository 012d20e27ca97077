"""The attachments of one mail, read as far as the limits go; letters that are signed and packed, unpacked."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from mailbot.attachments.protocol import Extracted, Limits
from mailbot.attachments.sandbox import Sandbox
from mailbot.core.attached import (
    READ_KINDS,
    SNIFFED_BYTES,
    AttachedFile,
    AttachedText,
    FileKind,
    Reason,
    content_of,
    kind_of,
    safe_name,
    size_of,
)
from mailbot.core.charset import decode
from mailbot.core.message import Attachment, ParsedMail, Unreadable
from mailbot.core.mime import ENCRYPTED, PACKED, is_cms
from mailbot.core.newest_text import newest_text
from mailbot.core.parse import parse
from mailbot.core.quote_marks import STANDARD, QuoteMarks

_MOST_LAYERS = 3
"""A letter that is signed, encrypted and signed again has three."""


@dataclass(slots=True)
class _Budget:
    """What is left of one mail's files and seconds. `clock` counts seconds from anywhere."""

    files: int
    ends_at: float
    clock: Callable[[], float]

    def seconds(self) -> float:
        return self.ends_at - self.clock()


@dataclass(frozen=True, slots=True)
class Opened:
    """A mail whose letter can be read; `files` stand in the bytes `content`: the mail itself, or what was unpacked."""

    mail: ParsedMail
    files: tuple[Attachment, ...]
    content: bytes
    budget: _Budget


class AttachmentReader:
    """Reads attachments; starts a process for those that need one, and none before."""

    def __init__(
        self, limits: Limits, marks: QuoteMarks = STANDARD, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits, self._marks, self._clock = limits, marks, clock
        self._sandbox = Sandbox(limits)

    def open(self, mail: ParsedMail, raw: bytes) -> Opened:
        """The mail, with the letter that was signed and packed into it if one was (RFC 8551 §3.5.2)."""
        ends_at = self._clock() + self._limits.seconds
        opened = Opened(mail, mail.attachments, raw, _Budget(self._limits.max_files, ends_at, self._clock))
        for _ in range(_MOST_LAYERS):
            packed = next((one for one in opened.files if is_cms(one.content_type, one.filename)), None)
            if PACKED not in opened.mail.defects or packed is None:
                return opened
            opened = self._unpacked(opened, packed)
        return opened

    def _unpacked(self, opened: Opened, packed: Attachment) -> Opened:
        mail = opened.mail
        found = self._extracted("cms", opened, packed)
        inner = parse(found.content) if isinstance(found, Extracted) else None
        outside = tuple(one for one in mail.defects if one != PACKED)
        if not isinstance(found, Extracted) or not isinstance(inner, ParsedMail):
            reason = found if isinstance(found, Reason) else Reason.BROKEN
            defect = ENCRYPTED if reason is Reason.ENCRYPTED else f"{PACKED}: {reason.value}"
            return replace(opened, mail=replace(mail, defects=(*outside, defect)))
        inside = (one for one in inner.defects if not one.startswith("from:"))
        text = "\n".join(one for one in (inner.text, mail.text) if one)
        letter = replace(mail, text=text, html=inner.html or mail.html, defects=(*outside, *inside))
        return Opened(letter, inner.attachments, found.content, opened.budget)

    def read(self, opened: Opened) -> tuple[AttachedFile, ...]:
        """Every attachment, those that can be read with their text."""
        return tuple(self._file(opened, one, number) for number, one in enumerate(opened.files, 1))

    def _file(self, opened: Opened, file: Attachment, number: int) -> AttachedFile:
        head = content_of(opened.content, file, SNIFFED_BYTES)
        kind = kind_of(head, file.content_type, file.filename)
        name, size = safe_name(file.filename, number), size_of(file)
        if isinstance(kind, Reason):
            return AttachedFile(name, file.content_type, size, FileKind.OTHER, kind)
        said = self._said(opened, file, kind)
        return AttachedFile(name, file.content_type, size, kind, said)

    def _said(self, opened: Opened, file: Attachment, kind: FileKind) -> AttachedText | Reason | None:
        if kind not in READ_KINDS:
            return None if kind in (FileKind.PICTURE, FileKind.SILENT) else Reason.KIND
        opened.budget.files -= 1
        if opened.budget.files < 0:
            return Reason.TOO_MANY
        match kind:
            case FileKind.MAIL:
                return self._mail(opened, file)
            case FileKind.TEXT:
                return self._text(opened, file)
            case _:
                found = self._extracted(kind.name.lower(), opened, file)
                return found if isinstance(found, Reason) else _as_text(found)

    def _extracted(self, form: str, opened: Opened, file: Attachment) -> Extracted | Reason:
        if size_of(file) > self._limits.max_bytes:
            return Reason.TOO_LARGE
        seconds = opened.budget.seconds()
        if seconds <= 0:
            return Reason.TOO_SLOW
        return self._sandbox.read(form, content_of(opened.content, file), seconds)

    def _text(self, opened: Opened, file: Attachment) -> AttachedText | Reason:
        """As much as is read of it, here: nothing is unpacked and nothing parsed."""
        most = self._limits.max_characters
        text = _decoded(content_of(opened.content, file, 4 * most)).replace("\r\n", "\n")
        return AttachedText(text[:most], len(text) > most) if text.strip() else Reason.NO_TEXT

    def _mail(self, opened: Opened, file: Attachment) -> AttachedText | Reason:
        """What was written anew in an attached mail; by the same hands as this one, or not (law 8)."""
        if size_of(file) > self._limits.max_bytes:
            return Reason.TOO_LARGE
        inner = parse(content_of(opened.content, file))
        if isinstance(inner, Unreadable):
            return Reason.BROKEN
        if ENCRYPTED in inner.defects or PACKED in inner.defects:
            return Reason.ENCRYPTED
        most = self._limits.max_characters
        text, own = newest_text(inner.text, self._marks), _is_same_sender(opened.mail, inner)
        return AttachedText(text[:most], len(text) > most, own) if text else Reason.NO_TEXT


def _decoded(data: bytes) -> str:
    is_utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return decode(data, "utf-16" if is_utf_16 else "").lstrip("\ufeff").replace("\x00", "")


def _as_text(found: Extracted) -> AttachedText:
    return AttachedText(found.content.decode("utf-8", "replace"), found.is_cut)


def _is_same_sender(outer: ParsedMail, inner: ParsedMail) -> bool:
    """Both name one and the same address, one way only. That the inner one is true nobody vouches for; whoever made
    it up asks in their own name."""
    names = [[one.address.lower() for one in mail.from_] for mail in (outer, inner)]
    defects = (one for mail in (outer, inner) for one in mail.defects)
    return len(names[0]) == 1 and names[0] == names[1] and not any(one.startswith("from:") for one in defects)
