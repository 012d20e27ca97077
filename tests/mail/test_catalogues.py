"""Every sentence is translated, and dates, numbers and lists are written as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages import Catalog
from babel.messages.pofile import PoFileError

from mailbot.mail.catalogues import (
    Catalogues,
    city_of,
    country_in_words,
    date_in_words,
    list_in_words,
    number_in_words,
    read_catalogue,
    time_in_words,
)
from mailbot.mail.completeness import Gap, extract, gaps, po_bytes, updated

ROOT = Path(__file__).parents[2]
LOCALE = ROOT / "locale"
LANGUAGES = sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/mailbot.po"))
HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def write_po(folder: Path, language: str, body: str) -> Path:
    path = folder / language / "LC_MESSAGES" / "mailbot.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + body, encoding="utf-8")
    return path


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_mailbot_is_translated(language: str) -> None:
    """Mails, web pages and code: each sentence has a translation, with the same placeholders."""
    catalogue = read_catalogue(LOCALE / language / "LC_MESSAGES" / "mailbot.po", language)
    assert [str(gap) for gap in gaps(extract(ROOT), catalogue, language)] == []


def test_french_and_german_are_there() -> None:
    """The languages of the first release, English being the source."""
    assert {"de", "fr"} <= set(LANGUAGES)
    assert Catalogues(LOCALE).languages()[0] == "en"


def test_extraction_finds_mails_and_code(tmp_path: Path) -> None:
    """Sentences of templates with placeholders, of nested calls, and those marked in code."""
    (tmp_path / "templates" / "web").mkdir(parents=True)
    (tmp_path / "mailbot").mkdir()
    (tmp_path / "templates/a.txt").write_text('{{ _("Hello %(name)s", name=name) }}')
    (tmp_path / "templates/web/b.html").write_text(
        '{{ button(link, _("Press")) }}{% trans %}Old{% endtrans %}'
    )
    (tmp_path / "mailbot/words.py").write_text('WORDS = [N_("Marked"), gettext("Called")]')
    found = {message.id for message in extract(tmp_path, ROOT / "babel.cfg") if message.id}
    assert found == {"Hello %(name)s", "Press", "Old", "Marked", "Called"}


def test_each_gap_is_named() -> None:
    """Missing, fuzzy, with other placeholders, or no longer used: the test says which, where and why."""
    template, catalogue = Catalog(), Catalog(locale="fr")
    for sentence in ("Missing", "Empty", "Fuzzy", "For %(name)s", "Good %(x)s"):
        template.add(sentence)
    catalogue.add("Empty", "")
    catalogue.add("Fuzzy", "Flou", flags=["fuzzy"])
    catalogue.add("For %(name)s", "Pour %(nom)s")
    catalogue.add("Good %(x)s", "Bon %(x)s")
    catalogue.add("Old", "Vieux")
    assert gaps(template, catalogue, "fr") == (
        Gap("fr", "Missing", "missing"),
        Gap("fr", "Empty", "missing"),
        Gap("fr", "Fuzzy", "fuzzy"),
        Gap("fr", "For %(name)s", "placeholders differ"),
        Gap("fr", "Old", "no longer used"),
    )


def test_plural_forms_are_all_needed() -> None:
    """A catalogue lacking one form has a gap; a singular may leave the number out."""
    template, catalogue = Catalog(), Catalog(locale="fr")
    template.add(("%(n)d file", "%(n)d files"))
    catalogue.add(("%(n)d file", "%(n)d files"), ("un fichier", ""))
    assert [gap.reason for gap in gaps(template, catalogue, "fr")] == ["missing"]
    catalogue[("%(n)d file", "%(n)d files")].string = ("un fichier", "%(n)d fichiers")
    assert gaps(template, catalogue, "fr") == ()


def test_updating_keeps_translations_and_guesses_nothing(tmp_path: Path) -> None:
    """New sentences come empty, old ones go, the file changes only with its sentences."""
    path = write_po(tmp_path, "fr", 'msgid "Kept"\nmsgstr "Gardé"\n\nmsgid "Gone"\nmsgstr "Parti"\n')
    template = Catalog()
    template.add("Kept")
    template.add("Keep")
    catalogue = updated(template, path, "fr")
    assert {message.id: message.string or "" for message in catalogue if message.id} == {
        "Kept": "Gardé",
        "Keep": "",
    }
    path.write_bytes(po_bytes(catalogue))
    assert po_bytes(updated(template, path, "fr")) == path.read_bytes()


def test_a_folder_overrides_single_sentences(tmp_path: Path) -> None:
    """A company rewords one sentence and keeps the rest; English is under it all."""
    own, packaged = tmp_path / "own", tmp_path / "packaged"
    write_po(own, "fr", 'msgid "Hello"\nmsgstr "Salut"\n')
    write_po(packaged, "fr", 'msgid "Hello"\nmsgstr "Bonjour"\n\nmsgid "Bye"\nmsgstr "Au revoir"\n')
    translations = Catalogues(own, packaged).translations("fr")
    assert [translations.gettext(text) for text in ("Hello", "Bye", "New")] == ["Salut", "Au revoir", "New"]


@pytest.mark.parametrize("language", ["en", "xx", "../fr", ""])
def test_an_unknown_language_is_english(tmp_path: Path, language: str) -> None:
    """Nothing outside the folder is read, nothing fails."""
    assert Catalogues(tmp_path).translations(language).ngettext("one", "many", 2) == "many"


def test_a_broken_catalogue_is_not_passed_over(tmp_path: Path) -> None:
    """It is an error of the surroundings that says so, not silent English."""
    write_po(tmp_path, "fr", "msgid Hello\n")
    with pytest.raises(PoFileError):
        Catalogues(tmp_path).translations("fr")


@pytest.mark.parametrize(
    ("language", "full", "long"),
    [
        ("en", "Thursday, 2 April 2026", "2 April 2026"),
        ("fr", "jeudi 2 avril 2026", "2 avril 2026"),
        ("de", "Donnerstag, 2. April 2026", "2. April 2026"),
        ("lt", "2026 m. balandžio 2 d., ketvirtadienis", "2026 m. balandžio 2 d."),
        ("xx", "Thursday, 2 April 2026", "2 April 2026"),
    ],
)
def test_dates_in_words(language: str, full: str, long: str) -> None:
    """Each language has its own order and names; English is day first."""
    assert date_in_words(date(2026, 4, 2), language, "full") == full
    assert date_in_words(date(2026, 4, 2), language) == long


def test_a_time_is_the_controllers_own() -> None:
    """Instants are UTC, people read the time of the controller's city."""
    vilnius = ZoneInfo("Europe/Vilnius")
    assert time_in_words(datetime(2026, 3, 2, 9, 30, tzinfo=UTC), "fr", vilnius) == "11:30"
    assert (city_of(vilnius, "fr"), city_of(vilnius, "lt"), city_of(vilnius, "ru")) == (
        "Vilnius",
        "Vilnius",
        "Вильнюс",
    )


def test_lists_numbers_and_countries() -> None:
    """The last joint of a list, the separator of thousands, the name of a country."""
    assert list_in_words(("Paysera", "PayPal"), "de") == "Paysera und PayPal"
    assert list_in_words((), "de") == ""
    assert [number_in_words(1234, language) for language in ("en", "de")] == ["1,234", "1.234"]
    assert [country_in_words("LT", language) for language in ("fr", "de")] == ["Lituanie", "Litauen"]
    assert country_in_words("??", "fr") == "??"
