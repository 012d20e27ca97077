"""Tokens: what they look like, where they are found, what they are compared by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.token import TOKEN_BYTES, address_with, digest, spell, token_in

PRIVACY = "privacy@myownconference.com"
RANDOM = st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES)


@given(RANDOM)
def test_a_token_survives_an_address_whatever_a_server_does_to_its_case(random: bytes) -> None:
    token = spell(random)
    assert token_in(address_with(PRIVACY, token), PRIVACY) == token
    assert token_in(address_with(PRIVACY, token).upper(), PRIVACY) == token
    assert digest(token.upper()) == digest(token)


@given(RANDOM, RANDOM)
def test_different_tokens_have_different_digests(one: bytes, two: bytes) -> None:
    assert (digest(spell(one)) == digest(spell(two))) == (one == two)


@given(st.text(max_size=60))
def test_whatever_is_not_a_token_has_no_digest_and_is_in_no_address(text: str) -> None:
    if digest(text) is not None:
        assert len(text.strip()) == 32
    token_in(text, PRIVACY)


def test_the_digest_does_not_hold_the_token() -> None:
    token = spell(bytes(range(TOKEN_BYTES)))
    assert token.encode() not in (digest(token) or b"")


@pytest.mark.parametrize(
    "recipient",
    [
        PRIVACY,
        "privacy+@myownconference.com",
        f"privacy+{'a' * 31}@myownconference.com",
        f"privacy+{'a' * 32}@evil.example",
        f"other+{'a' * 32}@myownconference.com",
        f"privacy+{'a' * 32}x@myownconference.com",
        f"privacy+{'1' * 32}@myownconference.com",
        f"privacy+{'a' * 32}\n@myownconference.com",
    ],
)
def test_only_our_own_address_with_a_whole_token_counts(recipient: str) -> None:
    assert token_in(recipient, PRIVACY) is None


def test_a_token_is_made_of_enough_randomness_or_not_at_all() -> None:
    assert TOKEN_BYTES * 8 >= 128
    with pytest.raises(ValueError, match="random bytes"):
        spell(b"short")
