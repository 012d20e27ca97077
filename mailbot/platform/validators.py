"""Values asked for in corrections: as they will be written, or not acceptable."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import chain

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.languages import get_official_languages
from email_validator import EmailNotValidError, validate_email

from mailbot.core.data_map import Validator

LONGEST = 200
HAS_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
VAT = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}")


def accepted(validator: Validator, value: str) -> str | None:
    """`value` as it will be written, or None when it cannot be what it should be.

    Texts are NFC with single spaces, at most 200 characters, without control characters; e-mail addresses
    normalised without asking the DNS; phone numbers kept as the person writes them.
    """
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if (
        not text
        or len(text) > LONGEST
        or any(unicodedata.category(sign) in ("Cc", "Cs", "Co") for sign in text)
    ):
        return None
    return CHECKS[validator](text)


def _text(text: str) -> str | None:
    return text


def _name(text: str) -> str | None:
    """A name has letters and is no advertisement."""
    bad = HAS_LINK.search(text) or "<" in text or ">" in text or not any(sign.isalpha() for sign in text)
    return None if bad else text


def _email(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def _phone(text: str) -> str | None:
    """National numbers are accepted as they are: the platform does not know in which country."""
    if not text.startswith("+"):
        return text if re.fullmatch(r"[0-9 ()./-]{4,25}", text) else None
    try:
        return text if phonenumbers.is_possible_number(phonenumbers.parse(text)) else None
    except phonenumbers.NumberParseException:
        return None


def _country_code(text: str) -> str | None:
    folded = text.casefold()
    return next((codes[folded] for codes in map(_codes, _languages()) if folded in codes), None)


@cache
def _languages() -> tuple[str, ...]:
    """The official languages of all countries, those of most countries first (Unicode CLDR)."""
    official = (get_official_languages(country) for country in get_global("territory_languages"))
    return tuple(language for language, _ in Counter(chain.from_iterable(official)).most_common())


@cache
def _codes(language: str) -> dict[str, str]:
    """Every country's code and its name in `language`, case-folded → code."""
    try:
        territories = Locale.parse(language).territories
    except (UnknownLocaleError, ValueError):
        return {}
    countries = {code: name for code, name in territories.items() if len(code) == 2 and code.isalpha()}
    return {
        word.casefold(): code for code, name in countries.items() if code != "ZZ" for word in (code, name)
    }


def _vat_number(text: str) -> str | None:
    compact = re.sub(r"[ .-]", "", text).upper()
    return compact if VAT.fullmatch(compact) else None


CHECKS: dict[Validator, Callable[[str], str | None]] = {
    Validator.TEXT: _text,
    Validator.NAME: _name,
    Validator.EMAIL: _email,
    Validator.PHONE: _phone,
    Validator.COUNTRY: _name,
    Validator.COUNTRY_CODE: _country_code,
    Validator.VAT_NUMBER: _vat_number,
}
