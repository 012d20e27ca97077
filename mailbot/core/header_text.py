"""Header fields of a mail or of a part: cut, unfolded, decoded. Nothing here raises on hostile input."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from mailbot.core.charset import decode

MAX_HEADER_BYTES = 1 << 20
"""No honest header is near 1 MiB; what lies beyond is read as body."""
MAX_FIELDS = 2_000
"""Enough for the longest Received chains; more is an attack on whoever loops over fields."""
MAX_DECODED_VALUE = 64 << 10
"""Encoded words are looked for in this many characters of one value."""
MAX_PARAMETERS = 100

_FIELD = re.compile(r"([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)\n?")
_BLANK = re.compile(r"\r*\n|\r*\Z")
_HEADER_END = re.compile(rb"\n\r*\n")
_MBOX_LINE = re.compile(r">?From [ \t]*(?![ \t:])[^\n]*\n")  # "From : x" is a From field, however odd
_FOLD = re.compile(r"\r*\n")
_KNOWN_FIELD = re.compile(
    r"(?:from|to|cc|subject|date|message-id|mime-version|content-[a-z-]+|received|return-path|reply-to"
    r"|x-[a-z-]+)[ \t]*:",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_WORD_START = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?")
_PARAMETER = re.compile(r';\s*+([^\s=;"]{1,60})\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^;]*+))', re.DOTALL)
_CONTINUED = re.compile(r"(.+?)\*(\d{1,3})(\*)?\Z")


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """Fields as (lower-cased name, unfolded raw value), top first; `body` is the byte offset after them."""

    fields: tuple[tuple[str, str], ...]
    body: int
    defects: tuple[str, ...]

    def first(self, name: str) -> str:
        """The topmost value of `name` (lower case), or an empty string."""
        return next((value for key, value in self.fields if key == name), "")


def read_header(raw: bytes, start: int, end: int) -> HeaderBlock:
    """The header block that begins at `start`, without reading past `end`. Offsets count bytes of `raw`."""
    limit = min(end, start + MAX_HEADER_BYTES)
    found = _HEADER_END.search(raw, start, limit)
    block = raw[start : found.end() if found else limit].decode("latin-1")  # one character a byte
    return _HeaderReader(block, start).read()


class _HeaderReader:
    def __init__(self, block: str, start: int) -> None:
        self.block = block
        self.start = start
        self.fields: list[tuple[str, str]] = []
        self.defects: list[str] = []

    def read(self) -> HeaderBlock:
        position = self._skip_mbox_line()
        while True:
            match = _FIELD.match(self.block, position)
            if match is None:
                following = self._after_odd_line(position)
                if following is None:
                    return self._finish(position)
                position = following
            elif len(self.fields) >= MAX_FIELDS:
                self.defects.append("from: too many header fields to be sure of the sender")
                return self._finish(position)
            else:
                self._keep(match)
                position = match.end()

    def _skip_mbox_line(self) -> int:
        match = _MBOX_LINE.match(self.block)
        return match.end() if match else 0

    def _keep(self, match: re.Match[str]) -> None:
        value = match[2]
        if "\n" in value:
            value = _FOLD.sub("", value)
        name = match[1].lower()
        if self.defects and name == "from":
            self.defects.append("from: stands below a broken header line")
        self.fields.append((name, _readable(value.strip(" \t\r"))))

    def _after_odd_line(self, position: int) -> int | None:
        """Where to read on after a line that is no field, or None where the header ends."""
        if position >= len(self.block) or _BLANK.match(self.block, position):
            return None
        line_end = self.block.find("\n", position) + 1
        if not line_end or not self.fields or not _KNOWN_FIELD.match(self.block, line_end):
            return None
        self.defects.append("a header line without a field name")
        return line_end

    def _finish(self, position: int) -> HeaderBlock:
        blank = _BLANK.match(self.block, position)
        if blank:
            position = blank.end()
        elif self.fields:
            self.defects.append("no blank line between header and body")
        return HeaderBlock(tuple(self.fields), self.start + position, tuple(self.defects))


def _readable(value: str) -> str:
    """A value whose raw 8-bit bytes (as Latin-1 characters) are read as the text they most likely are."""
    return value if value.isascii() else decode(value.encode("latin-1"))


def decode_words(value: str) -> str:
    """`value` with RFC 2047 encoded words decoded, also broken ones and characters split between two words."""
    if "=?" not in value:
        return _CONTROL.sub(" ", value).strip() if _CONTROL.search(value) else value.strip()
    return _CONTROL.sub(" ", "".join(_word_pieces(value[:MAX_DECODED_VALUE]))).strip()


def _word_pieces(value: str) -> list[str]:
    pieces: list[str] = []
    pending, pending_charset = b"", ""
    position = 0
    while (word := _next_word(value, position)) is not None:
        start, end, charset, data = word
        between = value[position:start]
        if between.strip() or position == 0 or charset != pending_charset:
            pieces.append(decode(pending, pending_charset))
            pending = b""
            # White space between two encoded words is not part of the text (RFC 2047 §6.2).
            pieces.append(between if between.strip() or position == 0 else "")
        pending, pending_charset = pending + data, charset
        position = end
    pieces.extend((decode(pending, pending_charset), value[position:]))
    return pieces


def _next_word(value: str, position: int) -> tuple[int, int, str, bytes] | None:
    match = _WORD_START.search(value, position)
    if match is None:
        return None
    end = value.find("?=", match.end())
    # "=?utf-8?q?=41?=": the payload itself may begin with "=".
    if end < 0:
        return None
    charset = match[1].partition("*")[0].lower()
    data = _word_bytes(value[match.end() : end], match[2])
    return match.start(), end + 2, charset, data


def _word_bytes(payload: str, encoding: str) -> bytes:
    data = payload.encode("utf-8", "replace")
    if encoding in "bB":
        return decode_base64(data)
    return binascii.a2b_qp(data.replace(b"\n", b""), header=True)


_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


def decode_base64(data: bytes) -> bytes:
    """The bytes of base64 text; wrong padding and foreign characters are forgiven. Never raises."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        clean = _NOT_BASE64.sub(b"", data)
        usable = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
        return binascii.a2b_base64(usable + b"=" * (-len(usable) % 4))


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """`Content-Type` or `Content-Disposition`: lower-cased main value, parameters by lower-cased name."""

    main: str
    parameters: dict[str, str]


def read_parameters(value: str) -> ParameterValue:
    """A structured value with its parameters, RFC 2231 pieces joined and decoded; the first of equal names counts."""
    main, separator, _ = value.partition(";")
    main = main.partition("(")[0].strip().strip('"').lower()
    if not separator:
        return ParameterValue(main, {})
    found = _PARAMETER.finditer(value[:MAX_DECODED_VALUE], len(value) - len(value.partition(";")[2]) - 1)
    plain: dict[str, str] = {}
    continued: dict[str, dict[int, tuple[str, bool]]] = {}
    for _, match in zip(range(MAX_PARAMETERS), found, strict=False):
        _keep_parameter(match, plain, continued)
    for name, pieces in continued.items():
        plain[name] = _join_pieces(pieces)
    return ParameterValue(main, plain)


def _keep_parameter(
    match: re.Match[str], plain: dict[str, str], continued: dict[str, dict[int, tuple[str, bool]]]
) -> None:
    name = match[1].lower()
    text = match[3].strip() if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
    piece = _CONTINUED.match(name)
    if piece:
        continued.setdefault(piece[1], {}).setdefault(int(piece[2]), (text, bool(piece[3])))
    elif name.endswith("*"):
        continued.setdefault(name[:-1], {}).setdefault(0, (text, True))
    else:
        plain.setdefault(name, text)


def _join_pieces(pieces: dict[int, tuple[str, bool]]) -> str:
    """RFC 2231 §4: the first piece names the charset, encoded pieces are percent-encoded bytes of it."""
    charset, data = "", b""
    for number, (text, encoded) in sorted(pieces.items()):
        if encoded and number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace")
    return decode(data, charset)
