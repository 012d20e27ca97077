"""Values found in a letter by how they look, wherever they stand and whatever the language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """How a value looks."""

    EMAIL = "email"
    VAT_NUMBER = "vat_number"
    ADDRESS = "address"
    NUMBER = "number"
    HANDLE = "handle"
    QUOTED = "quoted"
    NAME = "name"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Found:
    """A value as written, at the places `start` to `end` of the text."""

    form: Form
    text: str
    start: int
    end: int


def _upper_letters() -> str:
    codes = (*range(0x41, 0x250), *range(0x400, 0x530), *range(0x1E00, 0x1F00))
    return "".join(re.escape(chr(code)) for code in codes if chr(code).isupper())


_U = f"[{_upper_letters()}]"
_PARTICLE = (
    r"(?:van|von|vom|der|den|des|dem|de|del|della|delle|dei|da|di|do|dos|das|du|le|la|les|lo|el|los|las|y|e|i|ir"
    r"|und|and|en|et|zu|zum|ter|ten|te|op|of|the|sur|au|aux|à|al|bin|ibn|и|та|і|з|на|af|av|d['’]|l['’])"
)
_CAPITALISED = rf"{_U}(?:[\w'’ʼ`-]|\.(?=\w))*"
EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")
_VAT_COUNTRY = (
    "AT|BE|BG|CHE|CH|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|NO|PL|PT|RO|SE|SI|SK|UA|XI"
)
_VAT_NUMBER = re.compile(
    rf"(?<![\w@.])(?:(?:{_VAT_COUNTRY})[ .-]?(?=[A-Z0-9]*\d)[A-Z0-9]{{2,14}}"
    rf"(?:[ .-](?=[A-Z]?\d)[A-Z0-9]{{2,10}}){{0,5}}"
    rf"|(?i:{_VAT_COUNTRY})(?=[a-z]?\d)[a-z0-9]{{8,14}})(?![\w@])"
)
_NUMBER = re.compile(r"(?<![\w@.+/-])\+?\(?\d[\d \u00a0\u202f().\-–/]{5,24}\d(?![\w@])")
_DATE = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-](?:\d{2}|\d{4})|\d{4}-\d\d-\d\d|\d{4}\s?[-–/]\s?\d{4}|\d{4}/\d{3}"
)
"""Dates, spans of years, and numbers of acts of law ("2016/679")."""
_QUOTED = re.compile(
    r"[“„«‟]\s*([^”“»«„\n]{1,80}(?:„[^”“»\n]{1,40}[“”])?[^”“»«„\n]{0,40})\s*[”“»]"
    r"|\"\s*([^\"\n]{1,80}?)\s*\"|(?<!\w)['‘‚]([^'‘’\n]{2,60})['’‘](?!\w)"
)
_WATERS = (
    r"(?:Main|Rhein|Neckar|Inn|See|Lech|Ammersee|Bodensee|Harz|Saale|Donau|Oder|Havel|Spree|Elbe|Weser|Aller|Leine|Ruhr"
    r"|Lahn|Mosel|Isar|Ilm|Weinstraße|Weinstrasse|Bergstraße|Breisgau|Trent|Sea|Thames|Avon|Wye|Tyne|Tees|Lyme|Rijn|Zee"
    r"|IJssel|Amstel|Lek|Maas|Hudson)"
)
_STATE = (
    r"(?:A[LKZRBL]|BC|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOTB]|N[EVHJMYCDBSLT]|O[HKRN]|P[AE]|QC|RI|S[CDK]|T[NX]"
    r"|UT|V[TA]|W[AVIY]|YT)"
)
_TOWN_END = (
    rf"(?:[ ](?:am|an der|im|upon|under|on|aan|aan den|aan de|op)[ ]{_WATERS}(?!\w)|[ ]?\({_WATERS}\)"
    rf"|,[ ]{_STATE}(?!\w))"
)
"""What belongs to a town's name: "am Main", "(Oder)", "upon Tyne", "aan den Rijn", ", ME"."""
_NAME = re.compile(
    rf"(?:(?:Dr|Prof|St|Sp|{_U})\.\s)?{_CAPITALISED}"
    rf"(?:(?:\s?&\s?|[ \u00a0])(?:{_PARTICLE}[ ]?){{0,2}}(?:{_U}\.[ ](?={_U}))?{_CAPITALISED}){{0,6}}{_TOWN_END}?"
)
_HANDLE = re.compile(
    r"(?<![\w@.:/])(?:live:[\w.,:-]{2,40}\w|[A-Za-z][A-Za-z0-9]*(?:[._-]?[A-Za-z0-9]+){0,6})(?![\w@])"
)
_NO_HANDLE = re.compile(
    r"(?:[A-Za-z]\.)+[A-Za-z]?|\w+-(?:id|name|naam|mail|adres)|e-mail\w*|skype", re.IGNORECASE
)
_SUFFIX = re.compile(
    r"(?:,?\s(?:Sp\.?\s?z\s?o\.?\s?o\.?|S\.?\s?A\.?(?:\s?S\.?)?|S\.?\s?L\.?(?:\s?U\.?)?|S\.?p\.?A\.?|[Ss]\.?\s?[Rr]\.?\s?[Ll]\.?[Ss]?|snc|sas|S\.?[Nn]\.?[Cc]|S\.[Aa]\.[Ss]"
    r"|Ltda|Lda|Ltd|LLC|LLP|Inc|plc|PLC|GmbH(?: & Co\.? KG)?|KG|OHG|AG|UG|eG|e\.\s?V\.|e\.\s?K\.|SARL|SAS|SASU|EURL|SA"
    r"|BV|B\.V\.|bv|NV|VOF|vof|vzw|BVBA|UAB|MB|VšĮ|ТОВ|ФОП|ООО|ЗАО|ОАО|АО)(?!\w)\.?)+"
)
_FULL_STOP = re.compile(r"\w{3}\.(?!\s?[,;)/]|\n|\s[^\W\d_A-Z])")
"""It ends the sentence and is not of the legal form ("Lda.")."""
_PREFIX = (
    r"(?:UAB|MB|VšĮ|IĮ|AB|ТОВ|ТзОВ|ФОП|ПП|ПрАТ|ГО|ООО|ПАО|ЗАО|ОАО|АО|АНО|ОДО|ЧУП|ТОО|ОсОО|ИП|ЧП|SARL|SAS|SA)"
)
_PREFIXED = re.compile(
    rf"(?<!\w){_PREFIX}[ ](?:[„«\"“][^”“»\"\n]{{1,60}}[”“»\"]|{_CAPITALISED}(?:[ ]{_CAPITALISED}){{0,3}})"
)

_HOUSE = (
    r"(?:(?:s\.?n\.?c|s/n)(?!\w)|(?:n[.º°ro]{0,3}\s?|(?:immeuble|imm|bloc|bloque|bloco|edificio|edif|lote|lotto|torre|km)\.?\s"
    r"|(?:д|дом|буд|будинок|№)\.?\s?)?\d{1,5}(?:\s?[A-Za-zА-Я](?!\w))?"
    r"(?:\s?[-/]\s?(?:\d{1,4}\w?|[A-Z]{1,3}(?!\w))){0,2}(?:\s?#\s?\d{1,4}\w?(?:\s?-\s?\d{1,4})?)?"
    r"(?:\s(?:boîte|bte|bus|apt|apto|lok|kv|app|piso|int)\.?\s?\d{1,4}\w?)?(?![\w@]))"
)
_STREET_BEFORE = (
    r"(?:via|viale|salita|calata|borgo|località|résidence|residence|lotissement|quartier|urbanización|urb|glorieta|pasaje|corso|piazza|piazzale|vicolo|largo|strada|contrada|rua|avenida|avda|av|travessa|praça|praca|praceta"
    r"|estrada|alameda|rodovia|beco|calle|camino|carrera|calzada|paseo|plaza|ronda|callejón|jirón|ul|ulica|aleja|aleje"
    r"|al|os|pl|plac|osiedle|rynek|вул|вулиця|ул|улица|пр|просп|проспект|пр-т|пров|провулок|пер|переулок|бул|бульвар"
    r"|б-р|пл|площадь|площа|наб|набережная|набережна|шоссе|rue|avenue|boulevard"
    r"|chemin|place|route|allée|quai|impasse|am|an der|an den|auf dem|auf der|im|in der|zum|zur|unter den"
    r"|hinter der|alter|alte|neuer)"
)
_STREET_END = (
    r"(?:straße|strasse|str\.|weg|allee|platz|gasse|ring|damm|ufer|chaussee|steig|stieg|graben|hof|straat|laan|plein"
    r"|gracht|kade|singel|pad|dreef|steeg|dijk|markt|hof|lei|g\.|gatvė|gatve|al\.|alėja|pr\.|prospektas|pl\.|aikštė|skg\.)"
)
_STREET_AFTER_NUMBER = (
    r"(?:rue|avenue|av\.?|boulevard|bd|bld|allée|allee|allées|impasse|place|chemin|quai|cours|route|square|passage|ruelle"
    r"|sentier|faubourg|résidence|residence|villa|montée|traverse|esplanade|rang|côte|clos|venelle|voie)"
)
_STREET_ENGLISH = (
    r"(?:Street|St|Road|Rd|Lane|Ln|Avenue|Ave|Drive|Dr|Court|Ct|Close|Place|Pl|Way|Blvd|Boulevard|Terrace|Row|Steps"
    r"|Park|Square|Sq|Gardens|Grove|Crescent|Hill|Mews|Quay|Walk|Parade|Highway|Hwy|Green|View|Yard|Wharf|House|Mill)"
)
_W = r"[\w'’.-]{1,40}"
_STREETS = (
    re.compile(rf"(?<![\w@])(?:{_U}[\w'’.-]{{0,40}}[ -]){{0,3}}[\w.-]{{0,40}}{_STREET_END},?\s?{_HOUSE}"),
    re.compile(rf"(?<![\w@.])\d{{1,5}}(?:\s?(?:bis|ter|[A-Za-z]))?,?\s(?i:{_STREET_AFTER_NUMBER})(?:"
               rf"(?:\s(?:{_PARTICLE}\s?){{0,2}}(?:l['’]|d['’])?{_CAPITALISED}){{1,5}}"
               rf"|(?:\s[^\W\d_]{{1,30}}){{1,4}}(?=[,.\n]|$))"),
    re.compile(rf"(?<![\w@.])(?:(?:Unit|Suite|Flat|Apt|Apartment|Floor|Office|Studio|Room|Block)\.?\s)?\d{{1,5}}[A-Za-z]?,?\s"
               rf"(?:{_U}[\w'’-]{{0,40}}\s){{1,4}}{_STREET_ENGLISH}(?!\w)", re.IGNORECASE),
    re.compile(rf"(?<![\w@])(?:{_STREET_BEFORE}\b\.?|c/)\s?(?:(?=[^\W\d])|\d{{1,2}}°?\sd[ei]\s)(?:{_W}\s){{0,4}}?{_W},?\s{_HOUSE}",
               re.IGNORECASE),
)  # fmt: skip
_LOOSE_STREETS = (
    re.compile(rf"(?<![\w@]){_U}[\w'’.-]{{0,40}}(?:[ \u00a0]{_W}){{0,4}}?,?[ \u00a0]{_HOUSE}"),
    re.compile(
        rf"(?<![\w@.])\d{{1,4}}[A-Za-z]?,?[ \u00a0]{_U}[\w'’-]{{1,40}}(?:[ \u00a0]{_U}[\w'’-]{{1,40}}){{0,3}}"
    ),
)
_CITY = (
    rf"(?:(?:St|Ste|Bad|Sankt)\.?[ ])?{_U}[\w'’-]{{1,30}}(?:[ ](?:{_PARTICLE}[ ])?{_U}[\w'’-]{{1,30}}){{0,3}}"
)
_BRITISH_POSTCODE = r"[A-Z]{1,2}\d[\dA-Z]?\s\d[A-Z]{2}(?!\w)"
_AFTER_STREET = re.compile(
    rf"(?:,\s?|\s?\n\s?(?=(?:[A-Z]{{1,2}}-)?\d{{2,5}}|{_CITY},?\s{_BRITISH_POSTCODE}|{_CITY},?\s?\n\s?(?:\d{{4,6}}|[A-Z]{{1,2}}\d))|\s-\s(?={_U}[^,.\n]{{1,30}},)|\s(?=\d{{2,5}}-?\d{{0,3}}\s{_U}))(?:"
    rf"(?:[A-Z]{{1,2}}-)?\d{{2,5}}(?:[ -][\dA-Z]{{2,3}})?(?:\s{_CITY})?"
    rf"|{_CITY}\s{_BRITISH_POSTCODE}"
    rf"|{_U}[\w'’-]{{1,30}}(?:[ -](?:{_PARTICLE}[ ])?(?:{_U}[\w'’-]{{1,30}}|\d{{1,5}}\w?)){{0,3}}(?![\w@])"
    rf"|\d{{1,2}}(?:\.?[ºª°]|e|er|ère|ème)(?:\s?\w{{1,6}}\.?)?(?=[,.\s]|$)"
    rf"|[^\W\d_]{{1,10}}\.?\s?\d{{1,4}}[A-Za-zА-Яа-я]?(?![\w@]|\.\d)"
    rf"|(?i:корп|корпус|стр|строение|лит|літ|літера|секція|секция|блок|bl|blok|klatka|korp)\.?\s?{_U}(?!\w)|[A-Z]{{1,2}}\d\w?\s\d[A-Z]{{2}})"
    rf"|(?<=\d)\s\d[A-Z]{{2}}(?!\w)|(?<=\d[A-Z])\s\d[A-Z]{{2}}(?!\w)"
)
_MOST_PARTS = 6
_BEFORE_STREET = re.compile(
    rf"(?:(?:\d{{4,6}}|(?:г|м)\.\s?{_U}[\w-]{{1,30}}|{_U}[\w-]{{1,30}}(?:\s\d{{1,3}})?),\s?){{1,3}}$"
)


def find_values(text: str, *, addresses: bool, handles: bool) -> list[Found]:
    """Every value that stands in `text`, in its order, without overlaps; the stricter form wins. `addresses`
    allows streets of any name before a number, `handles` words that may be Skype names."""
    kept: list[Found] = []
    taken = bytearray(len(text))
    for found in _all(text, addresses, handles):
        if not any(taken[found.start : found.end]):
            taken[found.start : found.end] = b"\x01" * (found.end - found.start)
            kept.append(found)
    return sorted(kept, key=lambda found: found.start)


def _all(text: str, addresses: bool, handles: bool) -> Iterator[Found]:
    for match in EMAIL.finditer(text):
        yield _found(Form.EMAIL, text, match.start(), match.end(), ".'-")
    yield from _vat_numbers(text)
    if any(map(str.isdigit, text)):
        yield from _addresses(text, _STREETS)
        if addresses:
            yield from _addresses(text, _LOOSE_STREETS)
        yield from _numbers(text)
    for match in _PREFIXED.finditer(text):
        yield Found(Form.QUOTED, match.group(), match.start(), match.end())
    yield from _quoted(text)
    if handles:
        yield from _handles(text)
    for match in _NAME.finditer(text):
        yield _found(Form.NAME, text, match.start(), _legal_form_end(text, match), "-`")


def _legal_form_end(text: str, name: re.Match[str]) -> int:
    """Where the name ends together with a legal form that begins in it or after it ("Zorza Sp. z o.o.")."""
    ends = (
        suffix.end() - bool(_FULL_STOP.match(text, suffix.end() - 4))
        for suffix in _SUFFIX.finditer(text, name.start(), name.end() + 20)
        if suffix.start() <= name.end()
    )
    return max((name.end(), *ends))


def _found(form: Form, text: str, start: int, end: int, edges: str) -> Found:
    written = text[start:end].rstrip(edges)
    return Found(form, written, start, start + len(written))


def _vat_numbers(text: str) -> Iterator[Found]:
    for match in _VAT_NUMBER.finditer(text):
        digits = sum(map(str.isdigit, match.group()))
        if digits >= 6:
            yield Found(Form.VAT_NUMBER, match.group(), match.start(), match.end())


def _numbers(text: str) -> Iterator[Found]:
    for match in _NUMBER.finditer(text):
        digits = sum(map(str.isdigit, match.group()))
        if 7 <= digits <= 15 and not _DATE.fullmatch(match.group()):
            yield Found(Form.NUMBER, match.group(), match.start(), match.end())


def _quoted(text: str) -> Iterator[Found]:
    for match in _QUOTED.finditer(text):
        group = next(index for index in (1, 2, 3) if match[index] is not None)
        written = match[group].strip()
        if any(map(str.isalnum, written)):
            start = match.start(group) + match[group].index(written)
            yield Found(Form.QUOTED, written, start, start + len(written))


def _handles(text: str) -> Iterator[Found]:
    """Words with a mark or a digit within, and in other scripts all Latin words."""
    is_latin = sum(one.isascii() for one in text if one.isalpha()) * 2 > len(text)
    for match in _HANDLE.finditer(text):
        word = match.group()
        is_odd = any(one in "._:" or one.isdigit() for one in word) or ("-" in word[1:-1] and word.islower())
        if (is_odd or not is_latin) and len(word) >= 4 and not _NO_HANDLE.fullmatch(word):
            yield Found(Form.HANDLE, word, match.start(), match.end())


def _addresses(text: str, streets: Sequence[re.Pattern[str]]) -> Iterator[Found]:
    for street in streets:
        for match in street.finditer(text):
            start, end = match.start(), match.end()
            for _ in range(_MOST_PARTS):
                further = _AFTER_STREET.match(text, end)
                if further is None:
                    break
                end = further.end()
            before = _BEFORE_STREET.search(text, max(0, start - 60), start)
            start = before.start() if before else start
            yield Found(Form.ADDRESS, text[start:end], start, end)
