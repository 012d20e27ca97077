"""Addresses compared: one normal form, so that one person is one hash."""

from __future__ import annotations

import unicodedata


def normalise(address: str) -> str:
    """`address` in the form in which it is hashed and compared: NFKC, lower case, domain as A-labels.

    The local part is lower-cased although RFC 5321 §2.4 lets it be case-sensitive: no mailbox provider
    makes use of that, and two cases of one address must never be two people.
    """
    local, at, domain = unicodedata.normalize("NFKC", address).strip().lower().rpartition("@")
    return local + at + _ascii_domain(domain)


def domain_of(address: str) -> str:
    """The domain of `address`, lower case."""
    return address.rpartition("@")[2].lower()


def masked(address: str) -> str:
    """`address` as it may be shown before a person opens the case: first letter and domain's end."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@…{domain[domain.rfind('.') :]}" if domain else "…"


def _ascii_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain
