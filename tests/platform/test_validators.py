"""Corrected values are written tidily, or not at all."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.core.data_map import Validator
from mailbot.platform.validators import accepted


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Validator.NAME, "  Rūta \n Kazlauskaitė ", "Rūta Kazlauskaitė"),
        (Validator.NAME, "O'Brien-Łoś", "O'Brien-Łoś"),
        (Validator.NAME, "Олена Шевченко", "Олена Шевченко"),
        (Validator.NAME, "12345", None),
        (Validator.NAME, "see www.pills.example", None),
        (Validator.NAME, "<b>x</b>", None),
        (Validator.EMAIL, "New.One@Example.ORG", "New.One@example.org"),
        (Validator.EMAIL, "two@x.org, three@x.org", None),
        (Validator.EMAIL, "x@x.org\nBcc: y@y.org", None),
        (Validator.PHONE, "+33 2 40 00 31 07", "+33 2 40 00 31 07"),
        (Validator.PHONE, "02 40 00 31 07", "02 40 00 31 07"),
        (Validator.PHONE, "+1", None),
        (Validator.VAT_NUMBER, "de 136 695 976", "DE136695976"),
        (Validator.COUNTRY_CODE, "Belgique", "BE"),
        (Validator.COUNTRY_CODE, "lietuva", "LT"),
        (Validator.COUNTRY_CODE, "Niemcy", "DE"),
        (Validator.COUNTRY_CODE, "fr", "FR"),
        (Validator.COUNTRY_CODE, "Atlantis", None),
        (Validator.TEXT, "a\x00b", None),
        (Validator.TEXT, "", None),
    ],
)
def test_values(kind: Validator, value: str, expected: str | None) -> None:
    assert accepted(kind, value) == expected


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(list(Validator)), st.text(max_size=300))
def test_what_is_accepted_is_tidy_and_accepted_again_as_it_is(kind: Validator, value: str) -> None:
    written = accepted(kind, value)
    if written is not None:
        assert written == " ".join(unicodedata.normalize("NFC", written).split()) and len(written) <= 200
        assert accepted(kind, written) == written
