"""Values of corrected fields checked and brought to their usual form, or refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import phonenumbers
from babel import Locale
from email_validator import EmailNotValidError, validate_email

from mailbot.core.field_forms import EMAIL
from mailbot.core.fold import fold
from mailbot.core.request import Language

_PHONE = re.compile(r"\+?\(?\d[\d\s().\-–/]{5,24}\d")
_NAME = re.compile(r"[^\W\d_][^\d@!?;:\n]{0,80}")
_SKYPE = re.compile(r"(?:live:)?[A-Za-z][\w.,:-]{2,40}")
_PLACE = re.compile(r"[^\W\d_][^\d;:!?\n]{1,60}")
_TEXT = re.compile(r"[^\n;!?]{2,80}")
_EDGES = " \t\r\n\"'“”„«»‘’`.,;:()[]<>*-–—→=>"
_PLAIN_EDGES = " \t\r\n,;:[]<>*–—→="
_LONGEST_VALUE = 200
_ADDRESS_LINES = 4
_PLAIN_FORM = re.compile(r"(?<![\w.])(?!lt?da\.)\w{2,}\.$", re.IGNORECASE)
_COMPANY = re.compile(
    r"(?<!\w)(?:sp\.? ?z ?o\.? ?o\.?|s\. ?a|s\. ?l|s\.p\.a|s\.?r\.?l\.?|snc|ltda|lda|ltd|llc|llp|inc|plc|gmbh|kg|ohg"
    r"|ag|ug|eg|e\. ?v\.|sarl|sas|sasu|eurl|bv|b\.v\.|nv|vof|uab|mb|всі|vši|тов|ооо|зао|оао|ип|co|& co|studio)(?!\w)"
)


def clean_value(field: str, segment: str) -> str | None:
    """The value of `field` that `segment` is, trimmed: addresses of mail normalised by email-validator,
    phone numbers checked by phonenumbers where they tell their country, and left as written: the person sees
    the value on the confirm page. None when there is none that could be right."""
    return _CLEANERS[field](segment[:_LONGEST_VALUE])


def is_company(text: str) -> bool:
    """Whether the name carries a legal form."""
    return _COMPANY.search(text.lower()) is not None


def is_country(text: str, language: Language) -> bool:
    """Whether `text` is a country's name in that language or in English (Unicode CLDR)."""
    folded = fold(text).text.strip()
    return folded in _countries(language) or folded in _countries(Language("en"))


@lru_cache
def _countries(language: Language) -> frozenset[str]:
    names = Locale(language).territories
    return frozenset(fold(name).text for code, name in names.items() if len(code) == 2 and code != "EU")


def _clean_email(segment: str) -> str | None:
    found = EMAIL.search(segment)
    if found is None:
        return None
    try:
        return validate_email(
            found.group().strip(".'-"), check_deliverability=False, test_environment=True
        ).normalized
    except EmailNotValidError:
        return None


def _clean_phone(segment: str) -> str | None:
    found = _PHONE.search(segment)
    if found is None:
        return None
    text = " ".join(found.group().split())
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return text if 6 <= sum(map(str.isdigit, text)) <= 15 else None
    return text if phonenumbers.is_possible_number(number) else None


def _clean_vat_number(segment: str) -> str | None:
    text = re.sub(r"[\s.\-–/]", "", segment).upper()
    return text if text.isalnum() and 8 <= len(text) <= 16 and sum(map(str.isdigit, text)) >= 6 else None


def _clean_by(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def clean(segment: str) -> str | None:
        edges = _PLAIN_EDGES + ("" if "(" in segment.lstrip(" (") else "()")
        found = pattern.fullmatch(_unquoted(segment.strip(edges)))
        return found.group().strip(" -") or None if found else None

    return clean


def _unquoted(text: str) -> str:
    return text[1:-1].strip() if len(text) > 2 and text[0] in '"“„«' and text[-1] in '"“”»' else text


def _clean_company(segment: str) -> str | None:
    """A full stop stays in "S.A.", "Sp. z o.o." and "Lda."; after "Ltd" it ends the sentence."""
    text = _clean_by(_TEXT)(segment)
    return text.rstrip(".") if text and _PLAIN_FORM.search(text) else text


def _clean_address(segment: str) -> str | None:
    lines = [line.strip(_EDGES) for line in segment.strip(_EDGES).split("\n")[:_ADDRESS_LINES]]
    joined = ", ".join(line for line in lines if line)
    return joined if any(map(str.isdigit, joined)) and any(map(str.isalpha, joined)) else None


def _clean_skype(segment: str) -> str | None:
    found = _SKYPE.fullmatch(segment.strip(_EDGES))
    return found.group() if found else None


_CLEANERS: dict[str, Callable[[str], str | None]] = {
    "email": _clean_email,
    "phone": _clean_phone,
    "vat_number": _clean_vat_number,
    "name": _clean_by(_NAME),
    "first_name": _clean_by(_NAME),
    "last_name": _clean_by(_NAME),
    "address": _clean_address,
    "skype": _clean_skype,
    "company": _clean_company,
    "job_title": _clean_by(_PLACE),
    "city": _clean_by(_PLACE),
    "country": _clean_by(_PLACE),
}
