"""What stands in a letter's attachments, and what of it counts: never as much as the letter itself."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mailbot.core.fold import fold
from mailbot.core.header_text import decode_base64
from mailbot.core.message import Attachment
from mailbot.core.mime import ENCRYPTED, PACKED, is_cms
from mailbot.core.request import SERVING_ORDER, Asked, Kind, Opinion, Understanding

SERVED = frozenset(
    {
        Kind.UNSUBSCRIBE,
        Kind.OBJECTION,
        Kind.RESTRICTION,
        Kind.CORRECTION,
        Kind.ACCESS,
        Kind.PORTABILITY,
        Kind.DELETION,
    }
)
"""Kinds that ask for something to be done; a letter with none of them asks nothing by itself."""
SURE_OF_LETTER = 0.42
"""A kind that is less likely is a guess at a letter that asks nothing."""
SURE_OF_MORE = 0.7
"""From this confidence on an attachment that nobody spoke of asks for more than the letter."""
COVER_NOTE_WORDS = 4
"""A letter of so few words that asks nothing ("Kind regards, Alice Martin") covers what is attached."""
SNIFFED_BYTES = 4_096

ASKS_MORE = "An attached file that the letter does not speak of asks for {kind}, too."
CANNOT_BE_READ = "An attached {kind} cannot be read: {reason}."
CUT = "An attached {kind} is longer than what is read."
FOREIGN = (
    "An attached mail was written by somebody else; only a person can tell what the sender wants with it."
)
LETTER_ENCRYPTED = "The letter is encrypted: only a person with the key can read it."
LETTER_PACKED = "The letter is packed into a signed file that cannot be read: {reason}."
WITHDRAWS = "An attached file takes an earlier request back."

_TNEF = b"\x78\x9f\x3e\x22"
_ZIP = b"PK\x03\x04"
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_UNICODE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_SILENT_TYPES = frozenset(
    {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-keys",
        "text/calendar",
        "application/ics",
        "text/vcard",
        "text/x-vcard",
        "text/directory",
    }
)
_SEALED_TYPES = ("multipart/encrypted", "application/pgp-encrypted")
"""The letter itself, of which the mail says that it is encrypted."""
_PICTURES = ("image/", "audio/", "video/")


class FileKind(StrEnum):
    """What an attachment is, by its content first, since names and types lie."""

    PDF = "PDF"
    DOCX = "DOCX"
    MAIL = "mail"
    TEXT = "text file"
    PICTURE = "picture or recording"
    TNEF = "winmail.dat"
    SILENT = "signature, key or card"
    OTHER = "file"


READ_KINDS = frozenset({FileKind.PDF, FileKind.DOCX, FileKind.MAIL, FileKind.TEXT})


class Reason(StrEnum):
    """Why an attachment is not read."""

    KIND = "files of this kind are not read"
    MISLABELLED = "its content is not what its name or type says"
    TOO_LARGE = "it is larger than what is read"
    TOO_MANY = "there are more files than are read"
    TOO_SLOW = "reading it took too long"
    TOO_MUCH_MEMORY = "reading it took too much memory"
    PROTECTED = "it is protected by a password"
    ENCRYPTED = "it is encrypted"
    BROKEN = "it is broken"
    HOSTILE = "it refers to things outside itself, as no honest file does"
    NO_TEXT = "there is no text in it, as in a scan"
    FAILED = "reading it failed"


@dataclass(frozen=True, slots=True)
class AttachedText:
    """What stands in an attachment. `own` is False for a mail that somebody else wrote (law 8)."""

    text: str
    is_cut: bool = False
    own: bool = True


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """One attachment of a mail: `name` can be shown, `size` is in bytes, decoded; `said` is its text, why there is
    none, or None where nobody looked (a picture, a signature)."""

    name: str
    content_type: str
    size: int
    kind: FileKind
    said: AttachedText | Reason | None = None
    understanding: Understanding | None = None


class ReferringWords:
    """Words by which a letter speaks of what is attached to it, in all languages; "*" ends one that may go on."""

    def __init__(self, words: Iterable[str]) -> None:
        pieces = [re.escape(fold(word).text).replace(r"\*", r"\w*") for word in words]
        self._pattern = re.compile(rf"\b(?:{'|'.join(pieces)})(?!\w)") if pieces else None

    def in_text(self, text: str) -> bool:
        """The letter speaks of an attachment."""
        return self._pattern is not None and bool(self._pattern.search(fold(text).text))


def content_of(raw: bytes, attachment: Attachment, limit: int | None = None) -> bytes:
    """The attachment decoded, at least its first `limit` bytes; as it stands where its encoding is broken."""
    end = attachment.end if limit is None else min(attachment.end, attachment.start + 2 * limit)
    body = raw[attachment.start : end]
    if attachment.encoding == "base64":
        return decode_base64(body)
    return binascii.a2b_qp(body) if attachment.encoding == "quoted-printable" else body


def size_of(attachment: Attachment) -> int:
    """About how many bytes it has decoded, without decoding it."""
    encoded = attachment.end - attachment.start
    return encoded * 73 // 100 if attachment.encoding == "base64" else encoded


def kind_of(head: bytes, content_type: str, filename: str) -> FileKind | Reason:
    """What an attachment is, by its first bytes, then by what is said of it; Reason where both contradict."""
    ending = filename.lower().rpartition(".")[2] if "." in filename else ""
    if content_type in (*_SILENT_TYPES, *_SEALED_TYPES) or is_cms(content_type, filename):
        return FileKind.SILENT
    if ending in ("asc", "sig", "p7s", "vcf", "ics"):
        return FileKind.SILENT
    if b"%PDF-" in head[:1_024]:
        return FileKind.PDF
    if head.startswith(_TNEF) or (ending == "dat" and "tnef" in content_type):
        return FileKind.TNEF
    if head.startswith(_ZIP):
        return FileKind.DOCX if ending == "docx" or "wordprocessingml" in content_type else FileKind.OTHER
    if content_type.startswith(_PICTURES):
        return FileKind.PICTURE
    if ending in ("pdf", "docx") or content_type == "application/pdf" or "wordprocessingml" in content_type:
        return Reason.MISLABELLED
    return _kind_of_text(head, content_type, ending)


def _kind_of_text(head: bytes, content_type: str, ending: str) -> FileKind | Reason:
    is_text = not _BINARY.search(head) or head.startswith(_UNICODE_MARKS)
    if content_type == "message/rfc822" or ending == "eml":
        return FileKind.MAIL if is_text else Reason.MISLABELLED
    if content_type == "text/plain" or ending in ("txt", "text", "md"):
        return FileKind.TEXT if is_text else Reason.MISLABELLED
    return FileKind.OTHER


_NAME_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069/\\:*?\"<>|%;]+")


def safe_name(filename: str, number: int) -> str:
    """A file name that cannot leave its folder, hide its ending or break a header."""
    name = _NAME_UNSAFE.sub("_", filename).strip(" ._")[-120:]
    return name or f"attachment-{number}"


def doubts_of_letter(defects: Sequence[str]) -> tuple[str, ...]:
    """Why the letter of a mail with these defects was not read at all."""
    packed = (one for one in defects if one.startswith(PACKED))
    reasons = (one.partition(": ")[2] or Reason.KIND.value for one in packed)
    sealed = [LETTER_ENCRYPTED] if ENCRYPTED in defects else []
    return (*sealed, *(LETTER_PACKED.format(reason=reason) for reason in reasons))


def with_attached(
    letter: Understanding, files: Sequence[AttachedFile], new_text: str, *, refers: bool, certainty: float
) -> Understanding:
    """What letter and attachments ask together.

    The letter's own words come first. Where it speaks of its attachments (`refers`) or asks nothing by itself, what
    they ask counts, with its confidence multiplied by `certainty` (0..1), and marked; what could not be read of them
    is a doubt. Else an attachment asks nothing, but a request that only stands there is a doubt: nothing is lost.
    """
    asks = any(one.kind in SERVED and one.confidence >= SURE_OF_LETTER for one in letter.asked)
    if asks and not refers:
        doubts = [ASKS_MORE.format(kind=kind.value) for kind in _more(letter, files)]
        return replace(letter, doubts=_once(letter.doubts, doubts))
    joined = _joined(letter, files, refers=refers, asks=asks)
    found = _found(letter, files, certainty)
    is_brief = len(new_text.split()) <= COVER_NOTE_WORDS
    is_cover_note = refers or (is_brief and all(map(_is_guess, letter.asked)))
    unspoken = [ASKS_MORE.format(kind=kind.value) for kind in found] if not is_cover_note else []
    kept = [one for one in letter.asked if one.kind not in found and not (found and _is_guess(one))]
    return replace(
        joined,
        asked=tuple(sorted((*kept, *found.values()), key=lambda one: SERVING_ORDER[one.kind])),
        doubts=_once(joined.doubts, unspoken),
        opinions=_opinions(letter, files, found),
    )


def _more(letter: Understanding, files: Sequence[AttachedFile]) -> list[Kind]:
    asked = {one.kind for one in letter.asked}
    return [
        one.kind
        for file in files
        if file.kind is not FileKind.MAIL and file.understanding is not None
        for one in file.understanding.asked
        if one.kind in SERVED - asked and one.evidence and one.confidence >= SURE_OF_MORE
    ]


def _joined(
    letter: Understanding, files: Sequence[AttachedFile], *, refers: bool, asks: bool
) -> Understanding:
    """The letter with all that is said of its attachments beside what they ask."""
    read = [file.understanding for file in files if file.understanding]
    return replace(
        letter,
        doubts=_once(letter.doubts, *(_doubts(file, refers=refers, asks=asks) for file in files)),
        formal=letter.formal or any(one.formal for one in read),
    )


def _found(letter: Understanding, files: Sequence[AttachedFile], certainty: float) -> dict[Kind, Asked]:
    """What only the attachments ask; of two that ask the same, the first."""
    own = {one.kind: one for one in letter.asked}
    found: dict[Kind, Asked] = {}
    for file in files:
        for one in file.understanding.asked if file.understanding else ():
            if one.kind is not Kind.OTHER and _adds(one, own.get(one.kind)):
                found.setdefault(one.kind, _marked(one, file.name, certainty))
    return found


def _opinions(
    letter: Understanding, files: Sequence[AttachedFile], found: Mapping[Kind, Asked]
) -> tuple[Opinion, ...]:
    """On each kind, what is said of the text in which it is asked."""
    own = [one for one in letter.opinions if one.kind not in found]
    of_files = (
        one
        for file in files
        if file.understanding
        for one in file.understanding.opinions
        if one.kind in found and found[one.kind].attachment == file.name
    )
    return (*own, *of_files)


def _is_guess(asked: Asked) -> bool:
    return asked.kind is Kind.OTHER or asked.confidence < SURE_OF_LETTER


def _adds(found: Asked, own: Asked | None) -> bool:
    """The letter's own words win, but a correction may leave its fields to a form."""
    has_fields = found.kind is Kind.CORRECTION and bool(found.fields)
    return own is None or _is_guess(own) or (has_fields and not own.fields)


def _marked(asked: Asked, name: str, certainty: float) -> Asked:
    evidence = tuple(replace(one, attachment=name) for one in asked.evidence)
    confidence = round(asked.confidence * certainty, 4)
    return replace(asked, confidence=confidence, evidence=evidence, attachment=name)


def _doubts(file: AttachedFile, *, refers: bool, asks: bool) -> list[str]:
    """Where the letter asks by itself, a picture or a scan (an identity card) beside it is no riddle."""
    match file.said:
        case AttachedText(own=False):
            return [] if asks else [FOREIGN]
        case AttachedText(is_cut=is_cut):
            return [*([CUT.format(kind=file.kind.value)] if is_cut else []), *_doubts_of_text(file)]
        case Reason.NO_TEXT | None if asks:
            return []
        case Reason() as reason:
            return [CANNOT_BE_READ.format(kind=file.kind.value, reason=reason.value)]
        case None:
            is_riddle = refers and file.kind is FileKind.PICTURE
            return (
                [CANNOT_BE_READ.format(kind=file.kind.value, reason=Reason.KIND.value)] if is_riddle else []
            )


def _doubts_of_text(file: AttachedFile) -> list[str]:
    if file.understanding is None:
        return []
    return [*file.understanding.doubts, *([WITHDRAWS] if file.understanding.withdraws else [])]


def _once(*doubts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for some in doubts for one in some))
