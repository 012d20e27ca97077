"""Bytes of a mail become text, whatever charset they claim to be in."""

from __future__ import annotations

import codecs
import re

_CHARSET_NAME = re.compile(
    r"(?:utf[-_]?(?:8|16|32)(?:[-_]?[lb]e)?|(?:iso[-_]?)?8859[-_]?\d{1,2}|iso[-_]8859[-_]\d{1,2}(?:[-_:].{1,6})?"
    r"|latin[-_]?\d{1,2}|(?:windows|cp|ibm|x-cp)[-_]?\d{3,5}|koi8[-_]?[rut]|gb2312|gbk|gb18030|hz(?:-gb-2312)?"
    r"|big5(?:[-_]?hkscs)?|euc[-_]?(?:jp|kr)|iso-2022-(?:jp(?:-\w{1,4})?|kr)|(?:x-)?s(?:hift)?[-_]?jis"
    r"|ks_c_5601-1987|tis-620|x-mac-\w{5,12}|macintosh|(?:us-)?ascii|ansi_x3\.4-1968)",
    re.IGNORECASE,
)
"""Only names of text encodings reach `codecs.lookup`: a hostile name could otherwise load any module of
`encodings` or grow its cache without end. utf-7 is left out because it hides text from every filter."""

_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz-gb-2312": "hz",
    "iso-8859-1": "windows-1252",
    "latin-1": "windows-1252",
    "latin1": "windows-1252",
    "iso-8859-8-i": "iso-8859-8",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
}
"""Labels that senders use for a wider set (WHATWG Encoding Standard §4.2)."""

_ASCII = ("us-ascii", "ascii", "ansi_x3.4-1968")
_STATEFUL = ("iso-2022-", "hz")
"""7-bit encodings: their bytes are valid ASCII, so only the label tells."""

MIN_CYRILLIC = 4
MIN_CYRILLIC_AGAINST_LABEL = 20
"""High bytes that it takes to read a text as Cyrillic: "été" is mostly high bytes too."""
_MOSTLY_FOREIGN = 0.5
"""Above this share of high bytes among letters a text cannot be in a Latin alphabet."""


def known_charset(label: str) -> str:
    """The Python codec for a charset label, or an empty string for an unknown or refused one."""
    name = label.strip().strip("\"'").lower()
    if not _CHARSET_NAME.fullmatch(name):
        return ""
    if name in _ASCII:
        return ""  # it says nothing about the bytes above 127
    name = _WIDER.get(name, name)
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""


def decode(data: bytes, label: str = "") -> str:
    """Text of `data`: UTF-8 where it is valid UTF-8, else as declared, else the likeliest 8-bit set. Never raises."""
    codec = known_charset(label) if label else ""
    if data.isascii() and not codec.startswith(("utf-16", "utf-32", "utf_16", "utf_32")):
        return _decode_ascii(data, codec)
    if codec.replace("_", "-").startswith(("utf-16", "utf-32")):
        return data.decode(codec, "replace").removeprefix("\ufeff")
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return _decode_high(data, codec)


def _decode_ascii(data: bytes, codec: str) -> str:
    stateful = codec.replace("_", "-").replace("iso2022", "iso-2022").startswith(_STATEFUL)
    if stateful and (b"\x1b" in data or b"~{" in data):
        return data.decode(codec, "replace")
    return data.decode("ascii")


def _decode_high(data: bytes, codec: str) -> str:
    if codec and codec not in ("utf-8", "cp1252"):
        return data.decode(codec, "replace")
    if _is_broken_utf8(data):
        return data.decode("utf-8", "replace")
    enough = MIN_CYRILLIC_AGAINST_LABEL if codec == "cp1252" else MIN_CYRILLIC
    return data.decode(_likely_8bit(data, enough), "replace")


def _is_broken_utf8(data: bytes) -> bool:
    """Mostly valid UTF-8 that was cut or has a few bad bytes."""
    text = data[:20_000].decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = sum(1 for character in text if character > "\x7f" and character != "\ufffd")
    return good > bad * 2


def _likely_8bit(data: bytes, enough: int) -> str:
    """windows-1252, unless so many letters are high bytes that it must be Cyrillic."""
    sample = data[:20_000]
    high = [byte for byte in sample if byte >= 0xC0]
    latin = sum(1 for byte in sample if 65 <= (byte & 0xDF) <= 90)
    if len(high) < enough or len(high) <= _MOSTLY_FOREIGN * (len(high) + latin):
        return "cp1252"
    # Small letters are most of any text: upper half in windows-1251, lower half in KOI8.
    small_in_koi8 = sum(1 for byte in high if byte < 0xE0)
    return "koi8-u" if small_in_koi8 * 2 > len(high) else "cp1251"
