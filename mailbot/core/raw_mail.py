"""A raw mail cut into header fields and body, byte for byte, and canonicalised for signatures (RFC 6376 §3.4)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property

LONGEST_HEADER_BYTES = 1 << 18
_FIELD_START = re.compile(rb"([\x21-\x39\x3b-\x7e]+)[ \t]*:")
# NUL and the characters at which one program or another ends a line: what they split, others join.
_SPLITTING = b"\x00\r\x0b\x0c\x1c\x1d\x1e"
_SPLITTING_UTF8 = ("\u0085".encode(), "\u2028".encode(), "\u2029".encode())


@dataclass(frozen=True, slots=True)
class Field:
    """One header field. `name` in lower case; `written` as in the mail with CRLF folds, without the last CRLF."""

    name: bytes
    written: bytes
    colon: int
    """Offset of the colon in `written`."""

    @property
    def value(self) -> bytes:
        """What follows the colon, folds included."""
        return self.written[self.colon + 1 :]

    @property
    def spaced(self) -> bool:
        """True when white space stands before the colon (obsolete; programs differ on what it means)."""
        return self.colon != len(self.name)

    def relaxed(self) -> bytes:
        """The field in relaxed form, without CRLF (RFC 6376 §3.4.2)."""
        return self.name + b":" + relax_value(self.value)


@dataclass(frozen=True)
class RawMail:
    """Fields top first; `body` as received. `defects`: why the header cannot be read one way only, in words."""

    fields: tuple[Field, ...]
    body: bytes
    defects: tuple[str, ...]
    _hashes: dict[tuple[bool, int | None], bytes] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def by_name(self) -> dict[bytes, tuple[Field, ...]]:
        """Every field under its lower-case name, top first."""
        found: dict[bytes, list[Field]] = {}
        for one in self.fields:
            found.setdefault(one.name, []).append(one)
        return {name: tuple(fields) for name, fields in found.items()}

    def named(self, name: bytes) -> tuple[Field, ...]:
        """The fields called `name` (lower case), top first."""
        return self.by_name.get(name, ())

    @cached_property
    def _crlf_body(self) -> bytes:
        return with_crlf(self.body)

    def body_hash(self, relaxed: bool, length: int | None = None) -> bytes:
        """SHA-256 of the canonical body, of its first `length` bytes where given; computed once for each kind."""
        key = (relaxed, length)
        if key not in self._hashes:
            self._hashes[key] = _hash(
                relaxed_text(self._crlf_body) if relaxed else self._crlf_body, relaxed, length
            )
        return self._hashes[key]


def _hash(text: bytes, relaxed: bool, length: int | None) -> bytes:
    """SHA-256 of `text` with its final empty lines as one CRLF (none when relaxed and empty), without copying it."""
    end = _end_without_empty_lines(text)
    digest = hashlib.sha256(memoryview(text)[:end][:length])
    if end or not relaxed:
        digest.update(b"\r\n" if length is None else b"\r\n"[: max(0, length - end)])
    return digest.digest()


def split_mail(raw: bytes) -> RawMail:
    """`raw` cut at the first empty line. Lines may end in CRLF or LF; a first mbox "From " line is dropped."""
    head_end, body_start = _header_end(raw)
    if head_end > LONGEST_HEADER_BYTES:
        return RawMail((), b"", ("the header is longer than 256 KiB",))
    header = raw[:head_end].replace(b"\r\n", b"\n").removesuffix(b"\n")
    defects = []
    is_split = len(header.translate(None, _SPLITTING)) != len(header)
    if is_split or any(sign in header for sign in _SPLITTING_UTF8):
        defects.append("the header has control characters that split lines for some programs")
    fields, odd = _fields(header.split(b"\n"))
    return RawMail(fields, raw[body_start:], (*defects, *odd))


def _header_end(raw: bytes) -> tuple[int, int]:
    """(end of the last header line with its line end, start of the body)."""
    if raw.startswith((b"\n", b"\r\n")):
        return 0, raw.index(b"\n") + 1
    crlf = raw.find(b"\n\r\n")
    bare = raw.find(b"\n\n", 0, crlf + 1 if crlf >= 0 else len(raw))
    if bare >= 0:
        return bare + 1, bare + 2
    return (crlf + 1, crlf + 3) if crlf >= 0 else (len(raw), len(raw))


def _fields(lines: list[bytes]) -> tuple[tuple[Field, ...], tuple[str, ...]]:
    fields: list[Field] = []
    defects: dict[str, None] = {}
    current: list[bytes] = []
    for number, line in enumerate(lines):
        if line[:1] in (b" ", b"\t"):
            if not current:
                defects["a header line continues nothing"] = None
            elif not line.strip(b" \t\r"):
                defects["a header line is only white space, which some programs take for the end"] = None
            current.append(line)
            continue
        _close(current, fields, defects)
        # "From : x" in the first line is a From field, however odd, and no mbox separator.
        is_mbox_line = number == 0 and line.startswith(b"From ") and not _FIELD_START.match(line)
        current = [] if is_mbox_line else [line]
    _close(current, fields, defects)
    return tuple(fields), tuple(defects)


def _close(lines: list[bytes], fields: list[Field], defects: dict[str, None]) -> None:
    if not lines or lines == [b""]:
        return
    start = _FIELD_START.match(lines[0])
    if start is None:
        defects["a header line has no field name"] = None
        return
    fields.append(Field(start[1].lower(), b"\r\n".join(lines), start.end() - 1))


def with_crlf(text: bytes) -> bytes:
    """`text` with every line end as CRLF."""
    if text.count(b"\n") == text.count(b"\r\n"):
        return text
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def relax_value(value: bytes) -> bytes:
    """A field value unfolded, each run of white space one space, none at the ends (RFC 6376 §3.4.2)."""
    return _one_space(value.replace(b"\r\n", b"")).strip(b" ")


def relaxed_text(text: bytes) -> bytes:
    """`text` (CRLF lines) with runs of white space as one space and none at line ends (RFC 6376 §3.4.4)."""
    text = _one_space(text)
    if b" " in text and b" \r\n" in text:
        text = text.replace(b" \r\n", b"\r\n")
    return text.removesuffix(b" ")


def _one_space(text: bytes) -> bytes:
    """Tabs as spaces, then runs halved until single: replace() runs in C, a regular expression would not."""
    if b"\t" in text:
        text = text.replace(b"\t", b" ")
    if b" " in text:
        while b"  " in text:
            text = text.replace(b"  ", b" ")
    return text


def _end_without_empty_lines(body: bytes) -> int:
    """Offset behind the last line's text. A CR without LF is text: only whole CRLF pairs at the end go."""
    tail_start = len(body.rstrip(b"\r\n"))
    tail = body[tail_start:]
    if tail.endswith(b"\r"):
        return len(body)
    return tail_start + tail.rfind(b"\r\r") + 1
