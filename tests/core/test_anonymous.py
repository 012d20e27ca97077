"""An example tells nobody who wrote it, and still reads as a letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.anonymous import without_person
from mailbot.core.request import FieldChange

KNOWN = ("Alice Martin", "alice.martin@users.example")


@pytest.mark.parametrize(
    ("written", "secret"),
    [
        ("Delete my account alice.martin@users.example please.", "users.example"),
        ("Call me: +33 4 72 00 11 22.", "72 00 11"),
        ("Ma date de naissance est le 12 mars 1985.", "1985"),
        ("Born 12.03.1985, customer 4451902.", "12.03"),
        ("Customer number 4451902", "4451902"),
        ("Our VAT number is LT123456715.", "LT123456715"),
        ("See https://www.linkedin.com/in/alicem?x=1", "linkedin"),
        ("I am alice and I want out", "alice"),
        ("Bitte löschen.\n\nViele Grüße\nJonas Weidner", "Weidner"),
        ("Please remove me.\nThanks,\nJoe", "Joe"),
        ("My colleague Anna Kowalska uses this account now.", "Kowalska"),
        ("I live at 14 Baker Street, London.", "Baker"),
        ("Я Олена Шевченко, видаліть мене. Прошу Олену Шевченко не чіпати.", "Шевченко"),
    ],
)
def test_what_tells_who_wrote_is_gone(written: str, secret: str) -> None:
    bare = without_person("", written, (), (*KNOWN, "Олена Шевченко"))
    assert secret.casefold() not in bare.text.casefold()
    assert bare.replaced > 0


def test_the_wish_stays_as_it_was_written() -> None:
    wish = "Hello, please delete my account at MyOwnConference and stop the newsletter. Thank you!"
    assert without_person("Account", wish, (), KNOWN, ("MyOwnConference",)).text == wish


def test_a_correction_keeps_its_old_and_new_value_apart() -> None:
    """The same invented value stands in the letter and in the label."""
    text = "Please change alice.martin@users.example to alice.moore@users.example. Alice"
    change = FieldChange("email", "alice.martin@users.example", "alice.moore@users.example")
    bare = without_person("", text, (change,), KNOWN)
    (field,) = bare.fields
    assert field.old != field.new
    assert field.old is not None
    assert field.old in bare.text
    assert field.new in bare.text
    assert "users.example" not in f"{bare.text}{bare.fields}"


@given(
    st.text(max_size=120), st.sampled_from(["alice.martin@users.example", "Alice Martin", "+33 472001122"])
)
def test_known_things_are_gone_from_any_letter(around: str, secret: str) -> None:
    text = f"{around} {secret} {around}"
    assert secret not in without_person("", text, (), (*KNOWN, "+33 472001122")).text
