"""Address fields read strictly: what could mean two things to two readers is no address at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailbot.core.header_text import decode_words
from mailbot.core.message import Address, NamedAddress

MAX_ADDRESSES = 1_000
"""Of one field; no letter to a privacy mailbox has more recipients."""
MAX_FIELD_LENGTH = 128 << 10
MAX_COMMENT_DEPTH = 20
MAX_LOCAL_LENGTH = 64  # RFC 5321 §4.5.3.1.1
MAX_ADDRESS_LENGTH = 254  # RFC 5321 §4.5.3.1.3

_TOKEN = re.compile(
    r'(?P<space>[ \t]++)|(?P<word>=\?[^?\s<>"]{1,60}\?[bBqQ]\?[^?\s<>"]*+\?=)'
    r'|"(?P<quoted>(?:[^"\\\x00-\x1f]|\\[ -~])*+)"'
    r'|(?P<special>[<>,;:@])|(?P<atom>[^\s<>,;:@"()\[\]\\\x00-\x1f\x7f]++)'
)
_LOCAL_ATOM = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+)*"
)
_LOCAL_QUOTED = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-. ]+")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,62})(?<!-)\.)*[^\W_](?:[\w-]{0,62})(?<!-)")


@dataclass(frozen=True, slots=True)
class AddressField:
    """What one address field says; `problem` is empty when every bit of it was understood."""

    addresses: tuple[NamedAddress, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


class _BadAddressError(Exception):
    """The field breaks the grammar; the text says how. Never leaves this module."""


def read_addresses(value: str) -> AddressField:
    """Every mailbox of an address field (RFC 5322 §3.4), unfolded. Never raises.

    A mailbox that breaks the grammar is left out and named in `problem`; the others stay.
    """
    if len(value) > MAX_FIELD_LENGTH:
        return AddressField((), "field too long")
    try:
        tokens = _tokens(value)
    except _BadAddressError as problem:
        return AddressField((), str(problem))
    return _mailboxes(tokens)


def _tokens(value: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(value):
        if value[position] == "(":
            comment, position = _comment(value, position)
            tokens.append(_Token("comment", comment))
            continue
        match = _TOKEN.match(value, position)
        if match is None:
            raise _BadAddressError("a character that may not stand there")
        kind = match.lastgroup or "space"
        tokens.append(_Token(kind, match[kind]))
        position = match.end()
    return tokens


def _comment(value: str, start: int) -> tuple[str, int]:
    depth, position = 0, start
    while position < len(value):
        character = value[position]
        if character == "\\":
            position += 1
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        position += 1
        if depth == 0:
            return value[start + 1 : position - 1], position
        if depth > MAX_COMMENT_DEPTH:
            break
    raise _BadAddressError("a comment without an end")


def _mailboxes(tokens: list[_Token]) -> AddressField:
    addresses: list[NamedAddress] = []
    problem = ""
    for piece in _split(tokens):
        if isinstance(piece, str):
            problem = problem or piece
            continue
        try:
            found = _mailbox(piece)
        except _BadAddressError as trouble:
            problem = problem or str(trouble)
            continue
        if found is not None:
            addresses.append(found)
        if len(addresses) >= MAX_ADDRESSES:
            return AddressField(tuple(addresses), "too many addresses")
    return AddressField(tuple(addresses), problem)


def _split(tokens: list[_Token]) -> list[list[_Token] | str]:
    """Mailboxes between commas; a group's name and end are replaced by a note that there was one."""
    pieces: list[list[_Token] | str] = [[]]
    current: list[_Token] = []
    in_angle = False
    for token in tokens:
        mark = token.text if token.kind == "special" else ""
        if mark in ("<", ">"):
            in_angle = mark == "<"
        if in_angle or mark not in (",", ":", ";"):
            current.append(token)
            continue
        if mark == ":":
            pieces.append("group syntax")
        else:
            pieces.append(current)
        current = []
    pieces.append(current)
    return pieces


def _mailbox(tokens: list[_Token]) -> NamedAddress | None:
    """One mailbox, or None where there is nothing between two commas."""
    comments = [token.text for token in tokens if token.kind == "comment"]
    marks = [token.text for token in tokens if token.kind == "special"]
    if all(token.kind in ("space", "comment") for token in tokens):
        return None
    if "<" not in marks and ">" not in marks:
        name = comments[-1] if comments else ""
        return NamedAddress(decode_words(name), _addr_spec(tokens))
    if marks.count("<") != 1 or marks.count(">") != 1:
        raise _BadAddressError("more than one angle bracket")
    opening = next(n for n, token in enumerate(tokens) if token == _Token("special", "<"))
    closing = next(n for n, token in enumerate(tokens) if token == _Token("special", ">"))
    rest = [token for token in tokens[closing + 1 :] if token.kind not in ("space", "comment")]
    if closing < opening or rest:
        raise _BadAddressError("text after the address")
    return NamedAddress(
        _name(tokens[:opening]) or decode_words(" ".join(comments)), _addr_spec(tokens[opening + 1 : closing])
    )


def _name(tokens: list[_Token]) -> str:
    """The display name as the person would read it; another address in it stays in it."""
    text = "".join(
        re.sub(r"\\(.)", r"\1", token.text) if token.kind == "quoted" else token.text
        for token in tokens
        if token.kind != "comment"
    )
    return decode_words(text)


def _addr_spec(tokens: list[_Token]) -> Address:
    kept = [token for token in tokens if token.kind != "comment"]
    while kept and kept[0].kind == "space":
        kept.pop(0)
    while kept and kept[-1].kind == "space":
        kept.pop()
    if len(kept) != 3 or kept[1] != _Token("special", "@"):
        raise _BadAddressError("not one plain address")
    local = _local(kept[0])
    domain = kept[2].text
    if kept[2].kind != "atom" or not _DOMAIN.fullmatch(domain):
        raise _BadAddressError("a domain that cannot be")
    if len(local) + 1 + len(domain) > MAX_ADDRESS_LENGTH:
        raise _BadAddressError("an address too long to be")
    return Address(f"{local}@{domain.lower()}")


def _local(token: _Token) -> str:
    if len(token.text) > MAX_LOCAL_LENGTH or "=?" in token.text:
        raise _BadAddressError("a local part that cannot be")
    if token.kind == "atom" and _LOCAL_ATOM.fullmatch(token.text):
        return token.text
    if token.kind == "quoted" and _LOCAL_QUOTED.fullmatch(token.text):
        return f'"{token.text}"'
    raise _BadAddressError("a local part that cannot be")
