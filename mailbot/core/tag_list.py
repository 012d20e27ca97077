"""Tag lists, `a=b; c=d`: the form of DKIM signatures, keys, DMARC records and ARC fields (RFC 6376 §3.2)."""

from __future__ import annotations

import base64
import binascii
import re

_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]*")
_SPACE = b" \t\r\n"


def read_tags(text: bytes) -> dict[str, bytes] | None:
    """Tag name to value (as written, outer white space off), in order; None when malformed or a tag comes twice."""
    specs = text.strip(_SPACE).split(b";")
    if not specs[-1].strip(_SPACE):
        specs.pop()
    tags: dict[str, bytes] = {}
    for spec in specs:
        name, equals, value = spec.partition(b"=")
        name = name.strip(_SPACE)
        if not equals or not _NAME.fullmatch(name) or (key := name.decode("ascii")) in tags:
            return None
        tags[key] = value.strip(_SPACE)
    return tags


def without_value(text: bytes, tag: bytes) -> bytes:
    """`text` with the value of `tag`, white space around it included, taken out; the rest untouched (§3.7)."""
    specs = text.split(b";")
    for number, spec in enumerate(specs):
        name, equals, _ = spec.partition(b"=")
        if equals and name.strip(_SPACE) == tag:
            specs[number] = name + b"="
    return b";".join(specs)


def read_words(value: bytes) -> tuple[str, ...]:
    """A colon-separated list, white space off, in lower case."""
    return tuple(word.strip(_SPACE).decode("latin-1").lower() for word in value.split(b":"))


def read_base64(value: bytes) -> bytes | None:
    """The bytes of a base64 value with folding white space in it; None when it is not base64 or empty."""
    try:
        return base64.b64decode(value.translate(None, _SPACE), validate=True) or None
    except binascii.Error:
        return None


def read_number(value: bytes) -> int | None:
    """A decimal number of at most 12 digits (seconds until the year 33658), or None."""
    return int(value) if value.isdigit() and len(value) <= 12 else None
