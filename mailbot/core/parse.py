"""The raw bytes of one mail become a ParsedMail, in one lean walk that skips attachments."""

from __future__ import annotations

import re

from mailbot.core.addresses import read_addresses
from mailbot.core.header_text import HeaderBlock, decode_words, read_header
from mailbot.core.html_text import html_to_text
from mailbot.core.message import Attachment, NamedAddress, ParsedMail, Unreadable
from mailbot.core.mime import ENCRYPTED, MimeScan, content_type_of, read_letter

MAX_SUBJECT_LENGTH = 2_000
"""RFC 5322 lines end at 998; a longer subject is an attack on whoever shows or searches it."""
MAX_REFERENCES = 200
"""Threads of more mails do not need every one of them to be found."""
MAX_LEADING_BYTES = 1_000
"""Blank lines and byte order marks that some gateways put before the first field."""

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,990}>")
_LEADING = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n \t]*")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_RECIPIENT_FIELDS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
_ARMOR = "-----BEGIN PGP "
_ENCRYPTED = re.compile(r"^-----BEGIN PGP MESSAGE-----", re.MULTILINE)
_SIGNED = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Za-z]+:[^\n]*\n)*(?:[ \t]*\n)?", re.MULTILINE
)
_SIGNATURE = re.compile(r"^-----BEGIN PGP SIGNATURE-----", re.MULTILINE)
_SIGNATURE_END = "-----END PGP SIGNATURE-----"
_DASH_ESCAPED = re.compile(r"^- ", re.MULTILINE)


def parse(raw: bytes) -> ParsedMail | Unreadable:
    """One mail as plain data, or why it cannot be read. Never raises, for any bytes.

    Message-IDs keep their angle brackets. Attachment offsets count bytes of `raw`.
    """
    try:
        return _parse(raw)
    except Exception as trouble:  # noqa: BLE001 - a mail nobody foresaw must reach a person, not stop the intake
        return Unreadable(f"internal: {type(trouble).__name__} while reading the mail")


def _parse(raw: bytes) -> ParsedMail | Unreadable:
    if not raw.strip():
        return Unreadable("the mail is empty")
    raw = _with_line_feeds(raw)
    header = read_header(raw, _first_field(raw), len(raw))
    if not header.fields and _looks_binary(raw):
        return Unreadable("no header, and binary data where the text should be")
    return _mail(raw, header)


def _with_line_feeds(raw: bytes) -> bytes:
    """Lines that end in a bare CR get LF, byte for byte, so that offsets stay true."""
    first_cr = raw.find(b"\r", 0, 2_000)
    if first_cr < 0 or b"\n" in raw[:2_000]:
        return raw
    return raw.replace(b"\r", b"\n")


def _first_field(raw: bytes) -> int:
    match = _LEADING.match(raw, 0, MAX_LEADING_BYTES)
    return match.end() if match else 0


def _looks_binary(raw: bytes) -> bool:
    sample = raw[:4_000]
    return len(_BINARY.findall(sample)) * 20 > len(sample)


def _mail(raw: bytes, header: HeaderBlock) -> ParsedMail:
    scan = MimeScan(raw, defects=list(dict.fromkeys(header.defects)))
    if not header.fields:
        scan.defect("no header")
    pieces = read_letter(scan, header, len(raw))
    text, html = _letter(scan, pieces)
    return ParsedMail(
        message_id=_first_id(header.first("message-id")),
        subject=decode_words(header.first("subject"))[:MAX_SUBJECT_LENGTH],
        from_=_senders(header, scan),
        reply_to=_mailboxes(header, ("reply-to",)),
        recipients=_mailboxes(header, _RECIPIENT_FIELDS),
        in_reply_to=_first_id(header.first("in-reply-to")),
        references=tuple(_MESSAGE_ID.findall(header.first("references"))[-MAX_REFERENCES:]),
        text=text,
        html=html,
        attachments=_kept(scan),
        headers=header.fields,
        content_type=content_type_of(header)[0],
        defects=tuple(scan.defects),
    )


def _letter(scan: MimeScan, pieces: list[tuple[bool, str]]) -> tuple[str, str | None]:
    html = "\n".join(text for is_html, text in pieces if is_html) or None
    text = "\n".join(html_to_text(text) if is_html else text for is_html, text in pieces)
    return (_without_armor(scan, text) if _ARMOR in text else text), html


def _without_armor(scan: MimeScan, text: str) -> str:
    """A clear-signed letter without the signature's frame (RFC 9580 §7); an encrypted one stays as it is."""
    if _ENCRYPTED.search(text):
        scan.defect(ENCRYPTED)
    pieces, position = [], 0
    while signed := _SIGNED.search(text, position):
        signature = _SIGNATURE.search(text, signed.end())
        if signature is None:
            break
        letter = _DASH_ESCAPED.sub("", text[signed.end() : signature.start()])
        end = text.find(_SIGNATURE_END, signature.end())
        pieces += [text[position : signed.start()], letter]
        position = end + len(_SIGNATURE_END) if end >= 0 else len(text)
    return "".join((*pieces, text[position:]))


def _kept(scan: MimeScan) -> tuple[Attachment, ...]:
    return tuple(scan.attachments)


def _first_id(value: str) -> str:
    match = _MESSAGE_ID.search(value)
    return match[0] if match else value[:990].strip()


def _senders(header: HeaderBlock, scan: MimeScan) -> tuple[NamedAddress, ...]:
    """Every address of every From field; whatever is odd about them is a defect that begins with "from:"."""
    values = [value for name, value in header.fields if name == "from"]
    if not values:
        scan.defect("from: missing")
    if len(values) > 1:
        scan.defect("from: several fields")
    found: list[NamedAddress] = []
    for value in values:
        read = read_addresses(value)
        found.extend(read.addresses)
        if read.problem:
            scan.defect(f"from: {read.problem}")
        elif not read.addresses:
            scan.defect("from: no address")
    return tuple(found)


def _mailboxes(header: HeaderBlock, names: tuple[str, ...]) -> tuple[NamedAddress, ...]:
    found = [
        address
        for name, value in header.fields
        if name in names
        for address in read_addresses(value).addresses
    ]
    return tuple(dict.fromkeys(found))
