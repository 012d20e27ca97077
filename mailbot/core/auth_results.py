"""Authentication-Results (RFC 8601): reading any server's form, and believing only our own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.core.raw_mail import Field

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([;=])|([^\s;="()]+)|\s+', re.DOTALL)
_RECEIVED_BY = re.compile(r"(?:^|\s)by\s+([^\s;()\[\]]+)", re.IGNORECASE)
_LONGEST_FIELD = 16_384


@dataclass(frozen=True, slots=True)
class Result:
    """One method's result, all in lower case; `properties` like ("header.from", "example.org"); `remark`: comments."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...]
    remark: str

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of property `name`."""
        return tuple(value for key, value in self.properties if key == name)


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """A field read. `authserv_id` is None where the server wrote none, as Microsoft's does."""

    authserv_id: str | None
    results: tuple[Result, ...]

    def of(self, method: str) -> tuple[Result, ...]:
        """The results of one method."""
        return tuple(result for result in self.results if result.method == method)


def read_authentication_results(value: str) -> AuthenticationResults | None:
    """The field's value read tolerantly; None when quotes or brackets do not close, or it is not such a field."""
    if len(value) > _LONGEST_FIELD or "\x00" in value:
        return None
    parts = _parts(value)
    if not parts:
        return None
    first, rest = parts[0], parts[1:]
    named = "=" not in first.tokens
    if named and not 1 <= len(first.tokens) <= 2:
        return None
    results = tuple(filter(None, map(_result, rest if named else parts)))
    return AuthenticationResults(first.tokens[0].lower() if named else None, results)


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands between two semicolons: its tokens ("=" one of its own) and its comments."""

    tokens: tuple[str, ...]
    remark: str


def _parts(value: str) -> list[_Part] | None:
    tokens: list[str] = []
    remarks: list[str] = []
    parts: list[_Part] = []
    position = 0
    while position < len(value):
        if value[position] == "(":
            end = _comment_end(value, position)
            remarks.append(value[position + 1 : end - 1].lower())
        else:
            end = _next_token(value, position, tokens)
        if end <= position:
            return None
        position = end
        if tokens[-1:] == [";"]:
            parts.append(_Part(tuple(tokens[:-1]), " ".join(remarks)))
            tokens, remarks = [], []
    parts.append(_Part(tuple(tokens), " ".join(remarks)))
    return [part for part in parts if part.tokens]


def _next_token(value: str, position: int, tokens: list[str]) -> int:
    """Offset behind the token at `position`, which is added to `tokens`; 0 when there is none."""
    found = _TOKEN.match(value, position)
    if found is None:
        return 0
    if found[1] is not None:
        # A quoted ";" or "=" is text: mark it so that it is never taken for the sign.
        tokens.append(f'"{found[1]}"' if found[1] in (";", "=") else found[1])
    elif found[2] or found[3]:
        tokens.append(found[2] or found[3])
    return found.end()


def _comment_end(value: str, start: int) -> int:
    """Offset behind the comment that begins at `start` (comments nest); 0 when it never closes."""
    depth = 0
    position = start
    while position < len(value):
        sign = value[position]
        depth += (sign == "(") - (sign == ")")
        position += 2 if sign == "\\" else 1
        if depth == 0:
            return position
    return 0


def _result(part: _Part) -> Result | None:
    """The result in `part`; None for "none" and for what is no result."""
    tokens = part.tokens
    if len(tokens) < 3 or tokens[1] != "=":
        return None
    method = tokens[0].lower().partition("/")[0]
    return Result(method, tokens[2].lower(), tuple(_properties(tokens[3:])), part.remark)


def _properties(tokens: Sequence[str]) -> list[tuple[str, str]]:
    """name=value pairs; an "=" that ends an unquoted base64 value is passed over."""
    found = []
    for number, sign in enumerate(tokens[:-1]):
        if sign == "=" and number > 0 and tokens[number - 1] != "=":
            found.append((tokens[number - 1].lower(), tokens[number + 1].lower()))
    return found


def own_verdict(
    fields: Sequence[Field], authserv_ids: frozenset[str], own_hosts: frozenset[str]
) -> AuthenticationResults | None:
    """The topmost Authentication-Results field, if one of our own servers wrote it; else None.

    Only that one field: a filter that writes DKIM results leaves a forged dmarc=pass standing right below its
    own field. And only above the first Received that none of our hosts wrote: what is below came with the mail.
    `fields` are top first. RFC 8601 §4.1, §5.
    """
    ids = {name.lower() for name in authserv_ids}
    hosts = ids | {name.lower() for name in own_hosts}
    for field in fields:
        if field.name == b"received" and not _is_ours(field.value.decode("latin-1"), hosts):
            return None
        if field.name == b"authentication-results":
            found = read_authentication_results(field.value.decode("latin-1"))
            return found if found is not None and found.authserv_id in ids else None
    return None


def _is_ours(received: str, hosts: set[str]) -> bool:
    by = _RECEIVED_BY.search(_without_comments(received[:_LONGEST_FIELD]))
    if by is None:
        return False
    host = by[1].lower().rstrip(".")
    return any(host == ours or host.endswith(f".{ours}") for ours in hosts)


def _without_comments(value: str) -> str:
    depth = 0
    kept = []
    for sign in value:
        depth += sign == "("
        if depth == 0:
            kept.append(sign)
        depth -= sign == ")" and depth > 0
    return "".join(kept)
