"""Domains of senders: comparable form, organisation (public suffix list), alignment."""

from __future__ import annotations

from functools import cache, lru_cache

import idna
from publicsuffixlist import PublicSuffixList

from mailbot.core.dns_answer import is_askable


@cache
def _suffixes() -> PublicSuffixList:
    """The packaged list with its private section: tenants of pages.dev are strangers to one another."""
    return PublicSuffixList()


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str | None:
    """`domain` in lower-case A-labels, or None when it is no host name of at least two labels.

    IDNA 2008 without mapping: under the older rules straße.de and strasse.de would be the same domain.
    """
    name = domain.lower()
    if not name.isascii():
        try:
            name = idna.encode(name).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    return name if is_askable(name) else None


@lru_cache(maxsize=4096)
def organisation(domain: str) -> str | None:
    """The organisational domain of an A-label `domain` (RFC 7489 §3.2); None for a public suffix itself."""
    found = _suffixes().privatesuffix(domain)
    return found if isinstance(found, str) else None


@lru_cache(maxsize=4096)
def public_suffix(domain: str) -> str | None:
    """The public suffix that `domain` lies under."""
    found = _suffixes().publicsuffix(domain)
    return found if isinstance(found, str) else None


def same_organisation(one: str, other: str) -> bool:
    """Relaxed alignment (RFC 7489 §3.1): equal, or of one organisation."""
    return one == other or (organisation(one) is not None and organisation(one) == organisation(other))
