"""Values of corrected fields stand in the nominative, in whatever case the sentence puts them."""

from __future__ import annotations

import time

import pytest

from mailbot.core.nominative import is_first_name, nominative
from mailbot.core.request import Language
from tests.core.letter_sets import rulebook

_CASES = [
    ("ru", "city", "Гомеле", "Гомель"),
    ("ru", "city", "Нижнем Новгороде", "Нижний Новгород"),
    ("ru", "city", "Набережных Челнах", "Набережные Челны"),
    ("ru", "city", "Алма-Ату", "Алма-Ата"),
    ("ru", "country", "Молдове", "Молдова"),
    ("ru", "name", "Елены Громовой", "Елена Громова"),
    ("ru", "name", "Елену Цай", "Елена Цай"),
    ("ru", "last_name", "Громову", "Громова"),
    ("ru", "job_title", "директором по продажам", "директор по продажам"),
    ("ru", "job_title", "старшего инженера", "старший инженер"),
    ("uk", "city", "Львові", "Львів"),
    ("uk", "city", "Івано-Франківську", "Івано-Франківськ"),
    ("uk", "name", "Володимиру Гаю", "Володимир Гай"),
    ("uk", "last_name", "Ковальчука", "Ковальчук"),
    ("uk", "job_title", "головною бухгалтеркою", "головна бухгалтерка"),
    ("pl", "city", "Zielonej Górze", "Zielona Góra"),
    ("pl", "city", "Łodzi", "Łódź"),
    ("pl", "country", "Czechach", "Czechy"),
    ("pl", "name", "Jadwigę Kłos", "Jadwiga Kłos"),
    ("pl", "last_name", "Wiśniewską-Nowak", "Wiśniewska-Nowak"),
    ("pl", "job_title", "głównym specjalistą", "główny specjalista"),
    ("pl", "job_title", "dyrektora handlowego", "dyrektor handlowy"),
    ("lt", "city", "Druskininkuose", "Druskininkai"),
    ("lt", "city", "Kauną", "Kaunas"),
    ("lt", "city", "Palangą", "Palanga"),
    ("lt", "city", "Alytaus", "Alytus"),
    ("lt", "last_name", "Balytę", "Balytė"),
]


@pytest.mark.parametrize(("language", "field", "written", "called"), _CASES)
def test_an_inflected_name_is_brought_to_its_nominative(
    language: Language, field: str, written: str, called: str
) -> None:
    assert nominative(field, written, language, rulebook(language).endings) == called


@pytest.mark.parametrize(
    ("language", "field", "written"),
    [
        *((language, field, called) for language, field, _, called in _CASES),
        ("ru", "last_name", "Сушкова"),
        ("ru", "name", "Пётр Сушков"),
        ("uk", "name", "Лілія Орел-Мазепа"),
        ("pl", "name", "Wojciech Lato"),
        ("ru", "company", "Номад Софт"),
        ("en", "city", "Leeds"),
    ],
)
def test_a_nominative_stays_as_it_is(language: Language, field: str, written: str) -> None:
    assert nominative(field, written, language, rulebook(language).endings) == written


def test_first_names_are_known_to_the_dictionary() -> None:
    assert is_first_name("Ольгу", Language("uk"))
    assert not is_first_name("Громова", Language("ru"))


def test_a_word_of_many_parts_costs_no_time() -> None:
    began = time.perf_counter()
    nominative("last_name", "-".join(["Nowaka"] * 40), Language("pl"), {})
    assert time.perf_counter() - began < 2
