"""The parts of a mail: which of them are the letter, which are attachments. Only text parts are decoded."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field

from mailbot.core.charset import decode
from mailbot.core.header_text import HeaderBlock, decode_base64, decode_words, read_header, read_parameters
from mailbot.core.message import Attachment

MAX_DEPTH = 30
"""Mail programs nest five or six deep; what lies deeper is kept as an attachment, unread."""
MAX_PARTS = 500
"""Parts of one mail; the rest is kept as one attachment, unread."""
MAX_TEXT_BYTES = 1 << 20
"""Of one text part, still encoded. A longer letter is read up to here, with a defect that sends it to a person."""
MAX_LETTER_PARTS = 50
"""Text parts that make up one letter."""
MAX_BOUNDARY_LENGTH = 200
"""RFC 2046 §5.1.1 allows 70."""

_CONTENT_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_DELIMITER_REST = re.compile(rb"(--)?[ \t]*\r*(?:\n|\Z)")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]")
_STUB = re.compile(r"\bHTML\b", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
ENCRYPTED = "encrypted"
PACKED = "signed and packed"
"""Defects: the letter stands inside a CMS message (RFC 8551 §3.5.2), which only the reader of attachments opens."""
_CMS_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_ENCRYPTING = ("enveloped-data", "authenveloped-data")
MAX_STUB_LENGTH = 300
"""Longer plain text that speaks of HTML is a letter about HTML."""


@dataclass(slots=True)
class MimeScan:
    """What one walk over a mail has found so far."""

    raw: bytes
    attachments: list[Attachment] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    spare: list[tuple[bool, str]] = field(default_factory=list)
    """Inline text with a file name: the letter only where there is no other."""
    parts: int = 0

    def defect(self, text: str) -> None:
        """The defect is noted once."""
        if text not in self.defects:
            self.defects.append(text)


@dataclass(frozen=True, slots=True)
class _Part:
    header: HeaderBlock
    content_type: str
    parameters: dict[str, str]
    start: int
    end: int


def content_type_of(header: HeaderBlock, default: str = "text/plain") -> tuple[str, dict[str, str]]:
    """Lower-cased type and its parameters; a missing or broken type is `default` (RFC 2045 §5.2)."""
    value = header.first("content-type")
    if not value:
        return default, {}
    read = read_parameters(value)
    return (read.main if _CONTENT_TYPE.fullmatch(read.main) else default), read.parameters


def read_letter(scan: MimeScan, header: HeaderBlock, end: int) -> list[tuple[bool, str]]:
    """The pieces of the letter, (is it HTML?, text) in order; attachments and defects are added to `scan`."""
    pieces = _read_part(scan, header, end, "text/plain", 0)
    return pieces or scan.spare[:1]


def _read_part(
    scan: MimeScan, header: HeaderBlock, end: int, default: str, depth: int
) -> list[tuple[bool, str]]:
    scan.parts += 1
    content_type, parameters = content_type_of(header, default)
    part = _Part(header, content_type, parameters, header.body, end)
    if depth >= MAX_DEPTH or scan.parts > MAX_PARTS:
        scan.defect("more parts or deeper nesting than is read")
        return _attach(scan, part)
    if content_type.startswith("multipart/"):
        return _read_multipart(scan, part, depth)
    if is_cms(content_type, _name_of(part)):
        scan.defect(ENCRYPTED if parameters.get("smime-type", "").lower() in _ENCRYPTING else PACKED)
        return _attach(scan, part)
    if content_type in ("text/plain", "text/html"):
        return _read_text(scan, part)
    return _attach(scan, part)


def is_cms(content_type: str, filename: str) -> bool:
    """The part is a CMS message, also where a gateway has forgotten its type and left its name."""
    named = content_type == "application/octet-stream" and filename.lower().endswith(".p7m")
    return content_type in _CMS_TYPES or named


def _name_of(part: _Part) -> str:
    disposition = read_parameters(part.header.first("content-disposition"))
    return decode_words(disposition.parameters.get("filename") or part.parameters.get("name", ""))


def _attach(scan: MimeScan, part: _Part) -> list[tuple[bool, str]]:
    start, end = min(part.start, part.end), part.end
    name, encoding = _name_of(part), _encoding_of(part.header)
    scan.attachments.append(Attachment(name, part.content_type, start, end, encoding))
    return []


def _read_text(scan: MimeScan, part: _Part) -> list[tuple[bool, str]]:
    disposition = read_parameters(part.header.first("content-disposition"))
    if disposition.main == "attachment":
        return _attach(scan, part)
    if disposition.parameters.get("filename") or part.parameters.get("name"):
        if not scan.spare:
            scan.spare.append(_decode_part(scan, part))
        return _attach(scan, part)
    return [_decode_part(scan, part)]


def _decode_part(scan: MimeScan, part: _Part) -> tuple[bool, str]:
    data = scan.raw[part.start : min(part.end, part.start + MAX_TEXT_BYTES)]
    if part.end - part.start > MAX_TEXT_BYTES:
        scan.defect("letter too long: only its beginning was read")
    text = decode(_transfer_decode(scan, data, part.header), _charset(scan, part))
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    is_html = part.content_type == "text/html"
    if not is_html and part.parameters.get("format", "").lower() == "flowed":
        text = unflow(text, part.parameters.get("delsp", "").lower() == "yes")
    return is_html, text


def _charset(scan: MimeScan, part: _Part) -> str:
    label = part.parameters.get("charset", "").strip()
    if label.lower().replace("_", "-") in ("utf-7", "unicode-1-1-utf-7"):
        scan.defect("charset utf-7 is refused")
    return label


def _encoding_of(header: HeaderBlock) -> str:
    return header.first("content-transfer-encoding").partition(";")[0].strip(" \t\"'").lower()


def _transfer_decode(scan: MimeScan, data: bytes, header: HeaderBlock) -> bytes:
    encoding = _encoding_of(header)
    if encoding == "base64":
        return _unbase64(scan, data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    if encoding not in ("", "7bit", "8bit", "binary", "7-bit", "8-bit"):
        scan.defect("unknown content-transfer-encoding")
    return data


def _unbase64(scan: MimeScan, data: bytes) -> bytes:
    foreign = len(_NOT_BASE64.findall(data, 0, 4_000))
    if foreign * 20 > min(len(data), 4_000):
        scan.defect("base64 was declared but is not there")
        return data
    stripped = data.rstrip(b"= \t\r\n")
    if b"=" in stripped and not foreign:
        scan.defect("base64 goes on after its end")
        return b"".join(decode_base64(piece) for piece in stripped.split(b"="))
    return decode_base64(data)


def unflow(text: str, delete_space: bool) -> str:
    """format=flowed text with its soft line breaks undone (RFC 3676 §4); quote marks stay."""
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        bare = bare.removeprefix(" ")
        flows = bare.endswith(" ") and bare != "-- "
        content = bare[:-1] if flows and delete_space else bare
        if depth == open_depth and bare != "-- ":
            lines[-1] += content
        else:
            lines.append(f"{'>' * depth} {content}" if depth else content)
        open_depth = depth if flows else -1
    return "\n".join(lines)


def _read_multipart(scan: MimeScan, part: _Part, depth: int) -> list[tuple[bool, str]]:
    subtype = part.content_type.partition("/")[2]
    if subtype == "encrypted":
        scan.defect(ENCRYPTED)
        return _attach(scan, part)
    spans = _spans(scan, part)
    if not spans:
        scan.defect("a multipart without parts")
        return [_decode_part(scan, part)]
    if subtype == "digest":
        return _attach(scan, part)
    children = spans[:1] if subtype in ("related", "signed") else spans
    read = [
        _read_part(scan, read_header(scan.raw, *span), span[1], "text/plain", depth + 1) for span in children
    ]
    for span in spans[len(children) :]:
        _attach_span(scan, span)
    if subtype == "alternative":
        return _choose(read)
    return _joined(read) if subtype != "report" else read[0]


def _attach_span(scan: MimeScan, span: tuple[int, int]) -> None:
    scan.parts += 1
    header = read_header(scan.raw, *span)
    content_type, parameters = content_type_of(header)
    _attach(scan, _Part(header, content_type, parameters, header.body, span[1]))


def _joined(read: list[list[tuple[bool, str]]]) -> list[tuple[bool, str]]:
    return [piece for pieces in read for piece in pieces][:MAX_LETTER_PARTS]


def _choose(read: list[list[tuple[bool, str]]]) -> list[tuple[bool, str]]:
    """The plainest version that says something: a plain part with real words, else the HTML."""
    versions = [pieces for pieces in read if pieces]
    html = [pieces for pieces in versions if any(is_html for is_html, _ in pieces)]
    for pieces in versions:
        if pieces not in html and _has_words(pieces, bool(html)):
            return pieces
    return next(iter(html or versions), [])


def _has_words(pieces: list[tuple[bool, str]], has_other: bool) -> bool:
    text = "".join(text for _, text in pieces).strip()
    is_stub = has_other and len(text) < MAX_STUB_LENGTH and bool(_STUB.search(text))
    return bool(_LETTER.search(text)) and not is_stub


def _spans(scan: MimeScan, part: _Part) -> list[tuple[int, int]]:
    """Byte ranges of the parts between the delimiters of `part` (RFC 2046 §5.1)."""
    boundary = part.parameters.get("boundary", "").rstrip()
    if not boundary or len(boundary) > MAX_BOUNDARY_LENGTH:
        return []
    delimiter = b"--" + boundary.encode("utf-8", "replace")
    spans: list[tuple[int, int]] = []
    opened, position = -1, part.start
    while len(spans) <= MAX_PARTS:
        found = scan.raw.find(delimiter, position, part.end)
        if found < 0:
            break
        position = found + len(delimiter)
        rest = _DELIMITER_REST.match(scan.raw, position, part.end)
        if rest is None or (found > part.start and scan.raw[found - 1] not in b"\r\n"):
            continue
        if opened >= 0:
            spans.append((opened, _before_line_end(scan.raw, opened, found)))
        opened, position = (-1 if rest[1] else rest.end()), rest.end()
        if rest[1]:
            return spans
    if opened >= 0:
        scan.defect("a multipart without its end")
        spans.append((opened, part.end))
    return spans


def _before_line_end(raw: bytes, start: int, end: int) -> int:
    """The line break before a delimiter belongs to the delimiter."""
    if end > start and raw[end - 1] == 10:
        end -= 1
    if end > start and raw[end - 1] == 13:
        end -= 1
    return end
