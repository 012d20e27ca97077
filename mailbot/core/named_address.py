"""Which address a letter names as the one of the account, when it was written from another."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from mailbot.core.address import domain_of, normalise
from mailbot.core.domains import ascii_domain
from mailbot.core.lookalikes import skeleton
from mailbot.core.request import Asked, Capacity, FieldChange, Kind

_ADDRESS = re.compile(r"[A-Za-z0-9\u0080-\U0010ffff][\w.!#$%&'*+/=?^`{|}~-]*@[\w-]+(?:\.[\w-]+)+")


def named_address(
    new_text: str, sender: str, ours: Collection[str], changes: Iterable[FieldChange]
) -> str | None:
    """The one address in `new_text` that is neither the sender's nor ours nor one asked for by a correction; None
    when there is none, or several: then nobody can say which is meant."""
    wanted = {normalise(change.new) for change in changes if "@" in change.new}
    passed_over = {normalise(sender), *map(normalise, ours), *wanted}
    found = {normalise(one.rstrip(".")) for one in _ADDRESS.findall(new_text)} - passed_over
    named = [one for one in found if ascii_domain(domain_of(one))]
    return named[0] if len(named) == 1 else None


def about(asked: Asked, new_text: str, sender: str | None, ours: Collection[str]) -> Asked:
    """The request with whom it is about; the one address in a host's letter is their visitor's, and no value to be
    written. `sender` is None where nobody can say who wrote."""
    if sender is None or asked.kind == Kind.UNSUBSCRIBE:
        return replace(asked, named=None)
    if asked.capacity != Capacity.HOST:
        return replace(asked, named=named_address(new_text, sender, ours, asked.fields))
    visitor = named_address(new_text, sender, ours, ())
    fields = tuple(one for one in asked.fields if normalise(one.new) != visitor)
    return replace(asked, named=visitor, fields=fields)


def imitates(sender: str, named: str) -> bool:
    """True when people would take the two for one address, and they are not."""
    return normalise(sender) != normalise(named) and skeleton(sender) == skeleton(named)
