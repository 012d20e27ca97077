"""The DMARC record that governs a From domain (RFC 7489, RFC 9091, DMARCbis)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from mailbot.core.dns_answer import DnsFailure, NoTxt, TxtLookup, TxtRecords, is_askable
from mailbot.core.domains import organisation, public_suffix, same_organisation
from mailbot.core.tag_list import read_tags

_LONGEST_RECORD = 8192
_VERSION = re.compile(rb"\s*v\s*=\s*DMARC1\s*(?:;|$)")


class Policy(StrEnum):
    """What the domain asks to be done with mail that fails."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Record:
    """A published record. `subdomains` and `missing` are sp= and np= with their fall-backs already taken."""

    policy: Policy
    subdomains: Policy
    missing: Policy
    strict: bool
    """adkim=s: only a signature of the very same domain is aligned."""
    testing: bool
    """t=y (DMARCbis): the policy is to be taken one step milder."""
    for_suffix: bool
    """psd=y: published by a public suffix for all under it."""
    for_organisation: bool
    """psd=n: the domain is an organisation of its own, whatever the public suffix list says."""


@dataclass(frozen=True, slots=True)
class Published:
    """The record that governs the From domain, found at `domain`, and the policy that follows from it."""

    domain: str
    policy: Policy
    strict: bool


@dataclass(frozen=True, slots=True)
class NotPublished:
    """No record governs the From domain: it asks for nothing, and alignment is relaxed."""


Discovery = Published | NotPublished | DnsFailure


def aligned(signer: str, from_domain: str, strict: bool) -> bool:
    """True when a signature of `signer` speaks for `from_domain` (RFC 7489 §3.1.1). Both in A-labels."""
    return signer == from_domain if strict else same_organisation(signer, from_domain)


def discover(from_domain: str, lookup: TxtLookup) -> Discovery:
    """The record of `from_domain` itself, else of its organisation, else of a public suffix that says psd=y."""
    own_organisation = organisation(from_domain)
    for domain in dict.fromkeys((from_domain, own_organisation, public_suffix(from_domain))):
        if domain is None:
            continue
        found = _record_at(domain, lookup)
        if isinstance(found, DnsFailure):
            return found
        counts = domain in (from_domain, own_organisation) or (found is not None and found.for_suffix)
        if found is not None and counts:
            return _published(found, domain, from_domain, lookup)
    return NotPublished()


def _record_at(domain: str, lookup: TxtLookup) -> Record | DnsFailure | None:
    name = f"_dmarc.{domain}"
    if not is_askable(name):
        return None
    match lookup(name):
        case TxtRecords(records):
            ours = [record for record in records if _VERSION.match(record)]
            return read_record(ours[0]) if len(ours) == 1 else None
        case NoTxt():
            return None
        case DnsFailure() as failure:
            return failure


def read_record(text: bytes) -> Record | None:
    """The record in one TXT record; None when it is to be ignored (RFC 7489 §6.6.3). pct= is taken as 100."""
    tags = read_tags(text) if len(text) <= _LONGEST_RECORD and _VERSION.match(text) else None
    if tags is None:
        return None
    policy = _policy(tags, "p", Policy.NONE if b"mailto:" in tags.get("rua", b"") else None)
    if policy is None:
        return None
    subdomains = _policy(tags, "sp", policy) or policy
    return Record(
        policy=policy,
        subdomains=subdomains,
        missing=_policy(tags, "np", subdomains) or subdomains,
        strict=tags.get("adkim", b"r").lower() == b"s",
        testing=tags.get("t", b"n").lower() == b"y",
        for_suffix=tags.get("psd", b"u").lower() == b"y",
        for_organisation=tags.get("psd", b"u").lower() == b"n",
    )


def _policy(tags: dict[str, bytes], name: str, absent: Policy | None) -> Policy | None:
    value = tags.get(name, b"").decode("latin-1").lower()
    return Policy(value) if value in set(Policy) else absent


def _published(record: Record, domain: str, from_domain: str, lookup: TxtLookup) -> Published | DnsFailure:
    policy = record.policy if domain == from_domain else record.subdomains
    if domain != from_domain and record.missing != record.subdomains:
        existence = lookup(from_domain)
        if isinstance(existence, DnsFailure):
            return existence
        if existence == NoTxt(name_exists=False):
            policy = record.missing
    strict = record.strict or _narrows(record, domain, from_domain)
    return Published(domain, _milder(policy) if record.testing else policy, strict)


def _narrows(record: Record, domain: str, from_domain: str) -> bool:
    """True when psd= makes the organisation smaller than the public suffix list does; then only the very same
    domain is taken for aligned."""
    if record.for_suffix:
        return domain != from_domain
    return record.for_organisation and domain == from_domain != organisation(from_domain)


def _milder(policy: Policy) -> Policy:
    return Policy.QUARANTINE if policy is Policy.REJECT else Policy.NONE
