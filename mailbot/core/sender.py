"""Who sent a mail, as far as the From domain vouches: proven, unproven or forged, with the reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from mailbot.core.arc import ChainBelieved, ChainIgnored, judge_chain
from mailbot.core.auth_results import AuthenticationResults, own_verdict
from mailbot.core.dkim import BadSignature, Signature, SignatureResult, State, read_signatures, verify
from mailbot.core.dmarc import Discovery, NotPublished, Policy, Published, aligned, discover
from mailbot.core.dns_answer import BoundedLookup, DnsFailure, TxtLookup, is_askable
from mailbot.core.domains import same_organisation
from mailbot.core.from_field import FromReading, MalformedFrom, read_from
from mailbot.core.lookalikes import look_alike
from mailbot.core.message import Address, ParsedMail
from mailbot.core.raw_mail import RawMail, split_mail

MOST_LOOKUPS = 12
MOST_SIGNATURES = 8
"""Signatures verified for one mail, of the first `_MOST_READ` that it carries."""
_MOST_READ = 64
_SINGLE_FIELDS = (
    *(
        b"date",
        b"sender",
        b"reply-to",
        b"to",
        b"cc",
        b"message-id",
        b"in-reply-to",
        b"references",
        b"subject",
    ),
    *(b"mime-version", b"content-type", b"content-transfer-encoding", b"content-disposition"),
)
"""RFC 5322 §3.6, RFC 2045: a signature covers one of two, and programs show either."""


class Verdict(StrEnum):
    """Whether the From domain vouches for the mail."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    FORGED = "forged"


@dataclass(frozen=True)
class SenderVerdict:
    """What is known of the sender.

    `method`: "dkim", "authentication-results" or "arc", by which it was proven or refuted. `domain`: the From
    domain in A-labels. `address`: the one address in From when it can be read one way only, else None. `retry`:
    DNS failed for now, so this is not yet known.
    """

    verdict: Verdict
    method: str | None
    domain: str | None
    reasons: tuple[str, ...]
    address: Address | None
    retry: bool = False


@dataclass(frozen=True)
class SenderSettings:
    """Whom we believe besides signatures checked here. Names are compared without case.

    `authserv_ids`: ids under which our own mail servers write Authentication-Results; `arc_sealers`: domains of
    forwarders whose ARC seal we believe; `own_hosts`: further hosts of ours that write Received; `own_domains`: ours
    and our platform's, in A-labels, for which nobody else's may be taken.
    """

    authserv_ids: frozenset[str]
    arc_sealers: frozenset[str]
    own_hosts: frozenset[str] = frozenset()
    own_domains: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Case:
    mail: RawMail
    domain: str
    settings: SenderSettings
    now: datetime


@dataclass(frozen=True)
class _Finding:
    """A verdict on the way, before what is odd about From is added."""

    verdict: Verdict
    method: str | None
    reasons: tuple[str, ...]
    retry: bool = False


def judge_sender(
    mail: ParsedMail, raw: bytes, lookup_txt: TxtLookup | None, settings: SenderSettings, now: datetime
) -> SenderVerdict:
    """The verdict on `mail`, whose bytes are `raw`. `lookup_txt` None: DNS is not to be asked. Never raises."""
    cut = split_mail(raw)
    reading = read_from(mail, cut)
    if isinstance(reading, MalformedFrom):
        return SenderVerdict(Verdict.FORGED, None, None, (reading.reason,), None)
    finding = _find(reading, cut, lookup_txt, settings, now)
    return _with_doubts(finding, _seen_beside(reading, settings.own_domains), _doubts(cut))


def _seen_beside(reading: FromReading, ours: frozenset[str]) -> FromReading:
    """The reading; a domain that people take for one of ours gives no address to act on."""
    own = look_alike(reading.domain, sorted(ours)) if reading.domain else None
    if own is None:
        return reading
    doubt = f"the From domain looks like {own} and is another"
    return replace(reading, address=None, doubts=(*reading.doubts, doubt))


def _find(
    reading: FromReading, cut: RawMail, lookup_txt: TxtLookup | None, settings: SenderSettings, now: datetime
) -> _Finding:
    if reading.domain is None:
        return _Finding(Verdict.UNPROVEN, None, ())
    case = _Case(cut, reading.domain, settings, now)
    if lookup_txt is None:
        not_asked = _Finding(Verdict.UNPROVEN, None, ("DNS was not asked",))
        return _by_own_server(case, NotPublished()) or not_asked
    return _judge(case, BoundedLookup(lookup_txt, MOST_LOOKUPS))


def _doubts(cut: RawMail) -> tuple[str, ...]:
    """Why nothing in this header can prove a sender, in words."""
    twice = any(len(cut.named(name)) > 1 for name in _SINGLE_FIELDS)
    repeated = ("a header field that may come once comes twice",) if twice else ()
    return (*cut.defects, *repeated)


def _with_doubts(finding: _Finding, reading: FromReading, defects: tuple[str, ...]) -> SenderVerdict:
    doubts = (*reading.doubts, *defects)
    doubtful = finding.verdict is Verdict.PROVEN and bool(doubts)
    return SenderVerdict(
        verdict=Verdict.UNPROVEN if doubtful else finding.verdict,
        method=None if doubtful else finding.method,
        domain=reading.domain,
        reasons=(*doubts, *finding.reasons),
        address=reading.address,
        retry=finding.retry,
    )


def _judge(case: _Case, lookup: TxtLookup) -> _Finding:
    results = _verify_signatures(case, lookup)
    exact = _first_valid(results, case.domain, strict=True)
    if exact is not None:
        return _proven_by(exact)
    policy = discover(case.domain, lookup)
    relaxed = _first_valid(results, case.domain, strict=isinstance(policy, Published) and policy.strict)
    if relaxed is not None and not isinstance(policy, DnsFailure):
        return _proven_by(relaxed)
    return _without_signature(case, results, policy, lookup)


def _without_signature(
    case: _Case, results: tuple[SignatureResult, ...], policy: Discovery, lookup: TxtLookup
) -> _Finding:
    """The finding when no aligned signature proves the mail."""
    own = _by_own_server(case, policy)
    if own is not None and own.verdict is Verdict.PROVEN:
        return own
    sealers = case.settings.arc_sealers
    chain = (
        judge_chain(case.mail, sealers, lookup, case.now) if sealers else ChainIgnored("no sealer is trusted")
    )
    if isinstance(chain, DnsFailure):
        return _Finding(Verdict.UNPROVEN, None, (f"DNS failed: {chain.reason}",), retry=True)
    strict = isinstance(policy, Published) and policy.strict
    return _by_chain(case, chain, policy) or own or _by_policy(_aligned(results, case.domain, strict), policy)


def _verify_signatures(case: _Case, lookup: TxtLookup) -> tuple[SignatureResult, ...]:
    """The signatures that could speak for From, the domain's very own first, until one of those is valid."""
    read = read_signatures(case.mail, _MOST_READ)
    candidates = [
        one for one in read if is_askable(one.domain) and same_organisation(one.domain, case.domain)
    ]
    candidates.sort(key=lambda one: one.domain != case.domain)
    results: list[SignatureResult] = []
    for candidate in candidates[:MOST_SIGNATURES]:
        results.append(_verified(candidate, case, lookup))
        if results[-1].state is State.VALID and candidate.domain == case.domain:
            break
    return tuple(results)


def _verified(candidate: Signature | BadSignature, case: _Case, lookup: TxtLookup) -> SignatureResult:
    if isinstance(candidate, BadSignature):
        return SignatureResult(candidate.domain, State.INVALID, (candidate.reason,))
    return verify(candidate, case.mail, lookup, case.now)


def _aligned(results: Iterable[SignatureResult], domain: str, strict: bool) -> tuple[SignatureResult, ...]:
    return tuple(result for result in results if aligned(result.domain, domain, strict))


def _first_valid(results: Iterable[SignatureResult], domain: str, strict: bool) -> SignatureResult | None:
    return next((one for one in _aligned(results, domain, strict) if one.state is State.VALID), None)


def _proven_by(result: SignatureResult) -> _Finding:
    return _Finding(Verdict.PROVEN, "dkim", (f"signed by {result.domain}", *result.notes))


def _by_own_server(case: _Case, policy: Discovery) -> _Finding | None:
    """What our own mail server said when it took the mail in, if it said anything clear."""
    found = own_verdict(case.mail.fields, case.settings.authserv_ids, case.settings.own_hosts)
    match _dmarc_result(found, case.domain):
        case "pass":
            return _Finding(Verdict.PROVEN, "authentication-results", ("our mail server says dmarc=pass",))
        case "fail" if not _asks_for_nothing(policy, found):
            return _Finding(Verdict.FORGED, "authentication-results", ("our mail server says dmarc=fail",))
    return None


def _asks_for_nothing(policy: Discovery, found: AuthenticationResults | None) -> bool:
    """True when the domain's policy is none, by DNS or by the remark of our server: failing it forges nothing."""
    if isinstance(policy, Published):
        return policy.policy is Policy.NONE
    remarks = " ".join(result.remark for result in found.of("dmarc")) if found else ""
    return any(said in remarks.split() for said in ("p=none", "policy=none"))


def _dmarc_result(found: AuthenticationResults | None, domain: str) -> str | None:
    """The DMARC result about `domain`; None when there is none, or several, or it is about another domain."""
    results = found.of("dmarc") if found else ()
    if len(results) != 1:
        return None
    named = {value.rpartition("@")[2] for value in results[0].values("header.from")}
    return results[0].result if named == {domain} else None


def _by_chain(case: _Case, chain: ChainBelieved | ChainIgnored, policy: Discovery) -> _Finding | None:
    if isinstance(chain, ChainIgnored):
        return None
    result = _dmarc_result(chain.results, case.domain)
    if result == "pass" or (
        not chain.results.of("dmarc") and _saw_signature(chain.results, case.domain, policy)
    ):
        return _Finding(Verdict.PROVEN, "arc", (f"sealed by {chain.sealer}, who saw it pass",))
    return None


def _saw_signature(results: AuthenticationResults, domain: str, policy: Discovery) -> bool:
    """True when `results` tell of a valid signature aligned with `domain`."""
    strict = not isinstance(policy, NotPublished) and not (
        isinstance(policy, Published) and not policy.strict
    )
    signers = (
        value.rpartition("@")[2]
        for result in results.of("dkim")
        if result.result == "pass"
        for value in result.values("header.d") or result.values("header.i")
    )
    return any(aligned(signer, domain, strict) for signer in signers)


def _by_policy(results: tuple[SignatureResult, ...], policy: Discovery) -> _Finding:
    """Forged when the domain asks for failing mail to be held or refused, and nothing is left that could pass it.

    `results`: of the aligned signatures, none of them valid.
    """
    notes = tuple(note for result in results for note in result.notes) or ("no signature of the From domain",)
    states = {result.state for result in results}
    if isinstance(policy, DnsFailure):
        return _Finding(Verdict.UNPROVEN, None, (*notes, f"DNS failed: {policy.reason}"), retry=True)
    if isinstance(policy, NotPublished) or policy.policy is Policy.NONE:
        none = "the From domain publishes no policy against forgery"
        return _Finding(Verdict.UNPROVEN, None, (*notes, none), retry=State.UNKNOWN in states)
    if states & {State.UNKNOWN, State.WEAK}:
        return _Finding(Verdict.UNPROVEN, None, notes, retry=State.UNKNOWN in states)
    reason = (
        f"{policy.domain} asks that mail which fails be treated as p={policy.policy}; this mail has no valid aligned "
        "signature, and no trusted server says that it passed (SPF alone cannot be seen from here)"
    )
    return _Finding(Verdict.FORGED, None, (reason, *notes))
