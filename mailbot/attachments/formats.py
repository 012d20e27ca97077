"""PDF, DOCX and CMS files become text or bytes. Runs only in the process that can be killed (reading_process)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO

from asn1crypto.cms import ContentInfo
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser
from pypdf import PdfReader

from mailbot.attachments.protocol import Extracted, Limits
from mailbot.core.attached import Reason

_DOCUMENT = "word/document.xml"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_ENCRYPTED_PART = 0x1
_MOST_XML_BYTES = 64 << 20
_CHUNK = 1 << 16
_HYPHENATED = re.compile(r"(?<=[^\W\d_])[-\u00ad]\n(?=[^\W\d_])(?=\S*[a-zß-ÿа-яёіїєґ])")


def read_pdf(data: bytes, limits: Limits) -> Extracted | Reason:
    """The text of the first pages, one paragraph a page."""
    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):  # many are "protected" by an empty password
        return Reason.PROTECTED
    pages: list[str] = []
    length = 0
    for number, page in enumerate(reader.pages):
        if number >= limits.max_pages or length > limits.max_characters:
            return _text("\n\n".join(pages), limits, is_cut=True)
        pages.append(page.extract_text().strip())
        length += len(pages[-1])
    return _text("\n\n".join(pages), limits)


def read_docx(data: bytes, limits: Limits) -> Extracted | Reason:
    """The text of the document's body, one line a paragraph; deleted and hidden words are none."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            part = archive.getinfo(_DOCUMENT)
            if part.flag_bits & _ENCRYPTED_PART:
                return Reason.PROTECTED
            words = _words_of(archive, part, limits)
    except DefusedXmlException:
        return Reason.HOSTILE
    return _text("".join(words.pieces), limits, is_cut=words.is_full)


def _words_of(archive: zipfile.ZipFile, part: zipfile.ZipInfo, limits: Limits) -> _Words:
    """Read as a stream, so that a file that unpacks to gigabytes costs no memory."""
    words = _Words(limits.max_characters)
    parser = DefusedXMLParser(target=words, forbid_dtd=True)
    read = 0
    with archive.open(part) as stream:
        while not words.is_full and (chunk := stream.read(_CHUNK)):
            read += len(chunk)
            if read > _MOST_XML_BYTES:
                words.is_full = True
                break
            parser.feed(chunk)
    if not words.is_full:
        parser.close()
    return words


class _Words:
    """What an XML parser tells of a word processor's document (ECMA-376 part 1, §17)."""

    def __init__(self, most: int) -> None:
        self.pieces: list[str] = []
        self.is_full = False
        self._left = most
        self._in_text = self._is_hidden = False
        self._fallbacks = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if tag == _FALLBACK:  # the same words again, for older programs
            self._fallbacks += 1
        elif tag == _WORD + "t":
            self._in_text = True
        elif tag == _WORD + "r":
            self._is_hidden = False
        elif tag == _WORD + "vanish":
            self._is_hidden = attributes.get(_WORD + "val", "true") not in ("false", "0", "off")
        elif tag in (_WORD + "tab", _WORD + "br", _WORD + "cr"):
            self.pieces.append("\t" if tag.endswith("tab") else "\n")

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag == _FALLBACK:
            self._fallbacks -= 1
        elif tag == _WORD + "t":
            self._in_text = False
        elif tag == _WORD + "p" and not self._fallbacks:
            self.pieces.append("\n")

    def data(self, text: str) -> None:
        """Characters."""
        if self._in_text and not self._is_hidden and not self._fallbacks:
            self.pieces.append(text)
            self._left -= len(text)
            self.is_full = self._left < 0


def unpack_signed(data: bytes, _: Limits) -> Extracted | Reason:
    """The MIME entity inside a signed CMS message (RFC 8551 §3.5.2). The signature is not checked: it proves nothing
    here, only what was signed is read."""
    message = ContentInfo.load(data)
    match message["content_type"].native:
        case "signed_data":
            content = message["content"]["encap_content_info"]["content"].native
            return Extracted(content) if content else Reason.NO_TEXT
        case "enveloped_data" | "encrypted_data" | "authenticated_enveloped_data":
            return Reason.ENCRYPTED
        case _:
            return Reason.KIND


def _text(text: str, limits: Limits, *, is_cut: bool = False) -> Extracted | Reason:
    whole = _HYPHENATED.sub("", text.replace("\x00", "").replace("\r", "\n")).strip()
    if not whole:
        return Reason.NO_TEXT
    kept = whole[: limits.max_characters]
    return Extracted(kept.encode("utf-8", "replace"), is_cut or len(kept) < len(whole))


FORMATS: Mapping[str, Callable[[bytes, Limits], Extracted | Reason]] = {
    "pdf": read_pdf,
    "docx": read_docx,
    "cms": unpack_signed,
}
