"""A case: whom it is for, what it is called, and how its parts are kept as JSON."""

from __future__ import annotations

from dataclasses import dataclass

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_BYTES = 5


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote, as the mail says. `address` is None where the sender cannot be read one way only."""

    address: str | None
    name: str = ""
    subject: str = ""
    message_id: str = ""
    references: tuple[str, ...] = ()


def spell_reference(random: bytes) -> str:
    """A case reference of 5 random bytes, such as K7Q2-9MXF: for people to say aloud, proves nothing."""
    number = int.from_bytes(random[:REFERENCE_BYTES], "big")
    letters = "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(35, -1, -5))
    return f"{letters[:4]}-{letters[4:]}"
