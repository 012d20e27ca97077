"""TXT records asked from DNS, with time-outs, and kept for as long as they may be."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from dns import rdatatype
from dns.exception import DNSException, Timeout
from dns.message import Message
from dns.nameserver import Do53Nameserver
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TXT import TXT
from dns.resolver import NXDOMAIN, Answer, NoNameservers, NoResolverConfiguration, Resolver

from mailbot.core.dns_answer import DnsFailure, NoTxt, TxtAnswer, TxtRecords, is_askable

MOST_KEPT = 10_000
LONGEST_KEPT_SECONDS = 3600.0
NEGATIVE_KEPT_SECONDS = 300.0
"""At most, and where the answer does not say (RFC 2308)."""
FAILURE_KEPT_SECONDS = 15.0
_EDNS_BYTES = 1232
_NAMESERVER = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?|([0-9.]+)(?::(\d{1,5}))?|([0-9A-Fa-f:]+)")


class Dns:
    """Asks `nameservers` ("127.0.0.1:5300", "[::1]:53"; none: the system's), at most `timeout_seconds` a question.

    Any number of threads may share one. Raises ValueError for a nameserver that is no address.
    """

    def __init__(
        self,
        nameservers: Sequence[str],
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._servers = [_nameserver(text) for text in nameservers]
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, TxtAnswer]] = OrderedDict()
        self._resolver: Resolver | None = None

    def txt(self, name: str) -> TxtAnswer:
        """The TXT records of `name` (no final dot needed), from memory while they hold. Never raises."""
        key = name.lower().removesuffix(".")
        if not is_askable(key):
            return NoTxt()
        kept = self._from_memory(key)
        if kept is not None:
            return kept
        answer, seconds = self._ask(key)
        self._keep(key, answer, seconds)
        return answer

    def check(self) -> str | None:
        """Why DNS cannot be asked at all, in words, or None when a server answers."""
        answer, _ = self._ask("example.com")
        return f"DNS: {answer.reason}" if isinstance(answer, DnsFailure) else None

    def _from_memory(self, key: str) -> TxtAnswer | None:
        with self._lock:
            ends, answer = self._kept.get(key, (0.0, None))
            if answer is None or ends <= self._clock():
                return None
            self._kept.move_to_end(key)
            return answer

    def _keep(self, key: str, answer: TxtAnswer, seconds: float) -> None:
        with self._lock:
            self._kept[key] = (self._clock() + seconds, answer)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    def _ask(self, name: str) -> tuple[TxtAnswer, float]:
        """The answer and for how many seconds it may be kept."""
        try:
            found = self._configured().resolve(
                f"{name}.",
                rdatatype.TXT,
                raise_on_no_answer=False,
                lifetime=self._timeout_seconds,
                search=False,
            )
            return _read(found)
        except NXDOMAIN as missing:
            return NoTxt(name_exists=False), _negative_seconds(list(missing.kwargs["responses"].values()))
        except Timeout:
            return DnsFailure("no nameserver answered in time"), FAILURE_KEPT_SECONDS
        except NoNameservers:
            return DnsFailure("the nameservers could not answer"), FAILURE_KEPT_SECONDS
        except NoResolverConfiguration:
            return DnsFailure("this system has no nameserver configured"), FAILURE_KEPT_SECONDS
        except (DNSException, OSError, ValueError) as trouble:
            return DnsFailure(
                f"the answer could not be used ({type(trouble).__name__})"
            ), FAILURE_KEPT_SECONDS

    def _configured(self) -> Resolver:
        # Made late: reading the system's configuration may fail, and that is an answer, not a crash at start.
        if self._resolver is None:
            resolver = Resolver(configure=not self._servers)
            if self._servers:
                resolver.nameservers = self._servers
            # Below 1232 bytes answers are not fragmented; longer ones are fetched again by TCP.
            resolver.use_edns(0, 0, _EDNS_BYTES)
            self._resolver = resolver
        return self._resolver


def _nameserver(text: str) -> Do53Nameserver:
    found = _NAMESERVER.fullmatch(text.strip())
    host = (found[1] or found[3] or found[5]) if found else ""
    port = int(found[2] or found[4] or 53) if found else 53
    try:
        return Do53Nameserver(str(ip_address(host)), port)
    except ValueError:
        raise ValueError(f"not the address of a nameserver: {text!r} (127.0.0.1:53 or [::1]:53)") from None


def _read(found: Answer) -> tuple[TxtAnswer, float]:
    if found.rrset is None:
        return NoTxt(), _negative_seconds([found.response])
    records = tuple(sorted(b"".join(data.strings) for data in found.rrset if isinstance(data, TXT)))
    return TxtRecords(records), min(max(found.expiration - time.time(), 1.0), LONGEST_KEPT_SECONDS)


def _negative_seconds(responses: Sequence[Message]) -> float:
    """How long "there is none" holds: the zone's own figure within bounds (RFC 2308 §5)."""
    figures = [
        float(min(rrset.ttl, data.minimum))
        for response in responses
        for rrset in response.authority
        if rrset.rdtype == rdatatype.SOA
        for data in rrset
        if isinstance(data, SOA)
    ]
    return max(1.0, min([NEGATIVE_KEPT_SECONDS, *figures]))
