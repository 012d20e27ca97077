"""ARC chains (RFC 8617): what a forwarder whom we trust saw before it changed the mail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from mailbot.core.auth_results import AuthenticationResults, read_authentication_results
from mailbot.core.dkim import BadSignature, Signature, State, find_key, own_field, read_signature_tags, verify
from mailbot.core.dkim_key import DkimKey
from mailbot.core.dns_answer import DnsFailure, TxtLookup
from mailbot.core.raw_mail import Field, RawMail
from mailbot.core.tag_list import read_base64, read_number, read_tags

MOST_SETS = 50
_LONGEST_FIELD = 16_384
_RESULTS, _MESSAGE, _SEAL = b"arc-authentication-results", b"arc-message-signature", b"arc-seal"
_INSTANCE = re.compile(rb"\s*i\s*=\s*(\d{1,2})\s*;")


@dataclass(frozen=True, slots=True)
class ChainBelieved:
    """The whole chain is valid, and its newest sealer is trusted: `results` are what that sealer saw."""

    sealer: str
    results: AuthenticationResults


@dataclass(frozen=True, slots=True)
class ChainIgnored:
    """No chain, a broken one, or one sealed by a stranger."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Set:
    """One instance: its three fields and their tags."""

    results: Field
    message: Field
    seal: Field
    message_tags: dict[str, bytes]
    seal_tags: dict[str, bytes]

    @property
    def sealer(self) -> str:
        return self.seal_tags.get("d", b"").decode("latin-1").lower()


def judge_chain(
    mail: RawMail, sealers: frozenset[str], lookup: TxtLookup, now: datetime
) -> ChainBelieved | ChainIgnored | DnsFailure:
    """What the chain of `mail` tells, believed only from `sealers` (RFC 8617 §5.2)."""
    sets = _read_sets(mail)
    if isinstance(sets, ChainIgnored):
        return sets
    newest, trusted = sets[-1], {name.lower() for name in sealers}
    if newest.sealer not in trusted:
        return ChainIgnored("its newest ARC seal is not of a trusted forwarder")
    broken = _check_newest_message(newest, mail, trusted, lookup, now) or _check_seals(sets, lookup)
    if broken is not None:
        return broken
    results = _read_results(newest.results)
    return (
        ChainBelieved(newest.sealer, results) if results else ChainIgnored("the ARC results cannot be read")
    )


def _read_sets(mail: RawMail) -> tuple[_Set, ...] | ChainIgnored:
    kinds = tuple(_by_instance(mail, name) for name in (_RESULTS, _MESSAGE, _SEAL))
    if any(kind is None for kind in kinds):
        return ChainIgnored("the ARC chain is malformed")
    results, messages, seals = (kind or {} for kind in kinds)
    instances = range(1, len(seals) + 1)
    if not seals:
        return ChainIgnored("there is no ARC chain")
    if any(set(kind) != set(instances) for kind in (results, messages, seals)):
        return ChainIgnored("the ARC chain is incomplete")
    sets = tuple(_read_set(results[i], messages[i], seals[i]) for i in instances)
    whole = tuple(one for one in sets if one is not None)
    if len(whole) != len(sets) or any(_status(one) != _expected(i) for i, one in enumerate(whole)):
        return ChainIgnored("the ARC chain says itself that it is broken")
    return whole


def _by_instance(mail: RawMail, name: bytes) -> dict[int, Field] | None:
    """The fields called `name` by instance; None when one has no instance, or two have the same."""
    found: dict[int, Field] = {}
    fields = mail.named(name)
    if len(fields) > MOST_SETS or any(len(field.written) > _LONGEST_FIELD for field in fields):
        return None
    for field in fields:
        instance = _instance(field)
        if instance is None or instance in found:
            return None
        found[instance] = field
    return found


def _instance(field: Field) -> int | None:
    if field.name == _RESULTS:
        start = _INSTANCE.match(field.value)
        return int(start[1]) if start else None
    return read_number((read_tags(field.value) or {}).get("i", b""))


def _read_set(results: Field, message: Field, seal: Field) -> _Set | None:
    message_tags, seal_tags = read_tags(message.value), read_tags(seal.value)
    if message_tags is None or seal_tags is None or "h" in seal_tags:
        return None
    return _Set(results, message, seal, message_tags, seal_tags)


def _status(one: _Set) -> bytes:
    return one.seal_tags.get("cv", b"").lower()


def _expected(number: int) -> bytes:
    return b"none" if number == 0 else b"pass"


def _check_newest_message(
    newest: _Set, mail: RawMail, trusted: set[str], lookup: TxtLookup, now: datetime
) -> ChainIgnored | DnsFailure | None:
    """Why the mail is not as the newest sealer left it, or None."""
    signature = _message_signature(newest)
    if (
        isinstance(signature, BadSignature)
        or "arc-seal" in signature.names
        or signature.domain not in trusted
    ):
        return ChainIgnored("the newest ARC message signature cannot be believed")
    result = verify(signature, mail, lookup, now)
    if result.state is State.UNKNOWN:
        return DnsFailure("; ".join(result.notes))
    if result.state is not State.VALID:
        return ChainIgnored(f"the newest ARC message signature proves nothing: {'; '.join(result.notes)}")
    return None


def _message_signature(newest: _Set) -> Signature | BadSignature:
    # i= is the instance here, not an identity.
    tags = {name: value for name, value in newest.message_tags.items() if name != "i"}
    return read_signature_tags(newest.message, tags | {"c": tags.get("c", b"relaxed/relaxed")})


def _check_seals(sets: tuple[_Set, ...], lookup: TxtLookup) -> ChainIgnored | DnsFailure | None:
    """The first seal, newest first, that does not hold; None when all do."""
    for count in range(len(sets), 0, -1):
        broken = _check_seal(sets[:count], lookup)
        if broken is not None:
            return broken
    return None


def _check_seal(sets: tuple[_Set, ...], lookup: TxtLookup) -> ChainIgnored | DnsFailure | None:
    tags = sets[-1].seal_tags
    signature = read_base64(tags.get("b", b""))
    key = find_key(tags.get("s", b"").decode("latin-1").lower(), sets[-1].sealer, lookup)
    if isinstance(key, DnsFailure):
        return key
    holds = (
        isinstance(key, DkimKey)
        and signature is not None
        and key.algorithm.encode() == tags.get("a")
        and key.verifies(signature, _sealed_text(sets))
    )
    return None if holds else ChainIgnored(f"ARC seal {len(sets)} does not hold")


def _sealed_text(sets: tuple[_Set, ...]) -> bytes:
    """Every set oldest first, each as results, message signature, seal; the last seal with b= emptied (§5.1.1)."""
    lines: list[bytes] = []
    for one in sets:
        lines += [one.results.relaxed(), one.message.relaxed(), one.seal.relaxed()]
    lines[-1] = own_field(sets[-1].seal, relaxed=True)
    return b"\r\n".join(lines)


def _read_results(field: Field) -> AuthenticationResults | None:
    """The results in an ARC-Authentication-Results field: what stands behind its instance."""
    start = _INSTANCE.match(field.value)
    return read_authentication_results(field.value[start.end() :].decode("latin-1")) if start else None
