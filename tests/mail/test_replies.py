"""Every letter in every language: translated, exact, safe against what strangers write, fit for a mail."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_file
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from selectolax.lexbor import LexborHTMLParser

from mailbot.core.deadlines import extended, legal_deadline
from mailbot.core.request import Capacity, Kind
from mailbot.core.telling import NewValue
from mailbot.mail import words
from mailbot.mail.catalogues import Catalogues
from mailbot.mail.contexts import (
    CONTEXTS,
    AddressChanged,
    Changed,
    Confirm,
    ConfirmAddress,
    ConfirmReminder,
    Context,
    Controller,
    Corrected,
    Deleted,
    Expired,
    ExportReady,
    Extended,
    Gone,
    HostAsked,
    HostInformed,
    Kept,
    Lifted,
    NothingFound,
    Place,
    Proven,
    Received,
    RecipientTold,
    Refused,
    RequestLine,
    Restricted,
    Resubscribed,
    StaffReply,
    Unsubscribed,
    VisitorAction,
    VisitorDone,
    Withdrawn,
)
from mailbot.mail.replies import Letter, Replies, greeting_name

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates" / "mail"
CATALOGUES = Catalogues(ROOT / "locale")
LANGUAGES = CATALOGUES.languages()
CONTROLLER = Controller(
    name="MyOwnConference",
    legal_name="UAB Akovana",
    address="Didžioji g. 18, 01128 Vilnius, Lithuania",
    country="LT",
    timezone=ZoneInfo("Europe/Vilnius"),
    privacy_address="privacy@myownconference.com",
    policy_url="https://myownconference.com/privacy",
    policy_version="3.12",
    profile_url="https://myownconference.com/profile",
)
REPLIES = Replies(CATALOGUES, CONTROLLER, TEMPLATES)
REFERENCE = "MB-2026-000042"
LINK = "https://privacy.myownconference.com/c/" + "T0ken-" * 12
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ALL_REQUESTS = tuple(RequestLine(kind, capacity) for kind in Kind for capacity in Capacity)
ASKED = (
    RequestLine(Kind.CORRECTION, Capacity.USER, ("email", "company_name", "shoe_size")),
    RequestLine(Kind.DELETION, Capacity.USER),
)
PLACES = (Place("Spring webinar", date(2026, 2, 3), "Hugo Host"), Place("Résumé", date(2026, 1, 5), "Hugo"))
DEADLINE = legal_deadline(date(2026, 1, 31), "LT")
EXTENSION = extended(date(2026, 1, 24), "LT")
VISITOR = {"visitor": "vera@example.org", "events": PLACES}


def variants() -> list[Context]:
    """Every letter with every branch of its template taken and not taken."""
    ref = {"reference": REFERENCE}
    confirm = Confirm(**ref, requests=ASKED, link=LINK, expires=NOW, due=date(2026, 4, 2))
    reminder = ConfirmReminder(
        **ref, requests=ASKED, link=LINK, asked_on=date(2026, 3, 2), expires=NOW, last=False
    )
    changes = (
        Changed("email", "a@example.org", "b@example.org"),
        *(Changed("name", None, "Alice"), Changed("phone", "+370 1", None), Changed("city", None, None)),
    )
    kept = (Kept("invoices", "accounting", date(2036, 1, 1)), Kept("drawings", "agreement", None))
    done = VisitorDone(**ref, name="Vera", action=VisitorAction.SEE, places=PLACES)
    informed = HostInformed(
        **ref, **VISITOR, name="Hugo", action=VisitorAction.SEE, done_on=date(2026, 3, 4), fields=("phone",)
    )
    asked = HostAsked(
        **ref,
        **VISITOR,
        action=VisitorAction.CHANGE,
        link=LINK,
        answer_by=date(2026, 3, 16),
        fields=("city",),
    )
    return [
        confirm,
        replace(confirm, requests=ALL_REQUESTS, answer_by_mail=False, status_link=LINK),
        replace(confirm, requests=(RequestLine(Kind.ACCESS, Capacity.UNKNOWN),)),
        reminder,
        replace(reminder, last=True, answer_by_mail=False),
        ConfirmAddress(**ref, link=LINK, expires=NOW),
        Expired(**ref, requests=ASKED, asked_on=date(2026, 3, 2)),
        Withdrawn(**ref),
        Withdrawn(**ref, requests=ASKED),
        Received(**ref, deadline=legal_deadline(date(2026, 3, 2), "LT")),
        Received(**ref, deadline=DEADLINE, requests=ASKED, status_link=LINK),
        Unsubscribed(**ref, undo_link=LINK),
        Resubscribed(**ref),
        Corrected(**ref, name="Alice", changes=changes),
        Deleted(**ref, deleted_at=NOW),
        Restricted(**ref, name="Alice", kind=Kind.RESTRICTION),
        Restricted(**ref, kind=Kind.OBJECTION),
        Lifted(**ref, name="Alice", text="The data was checked.", ends_on=date(2026, 3, 5)),
        Deleted(**ref, deleted_at=NOW, told=("Mailer Ltd", "Überweiser <GmbH>")),
        RecipientTold(**ref, kind=Kind.DELETION, identifiers=("a@example.org", "b@example.org"), number="7f"),
        RecipientTold(
            **ref,
            kind=Kind.CORRECTION,
            identifiers=("a@example.org",),
            changes=(NewValue("email", "new@example.org"), NewValue("phone", None)),
            number="7f",
        ),
        Deleted(**ref, name="Alice", deleted_at=NOW, gone=(Gone("webinars", 1234), Gone("x", 1)), kept=kept),
        NothingFound(**ref),
        ExportReady(**ref, name="Alice", link=LINK, expires=NOW),
        done,
        replace(done, link=LINK, expires=NOW),
        *(replace(done, action=action, fields=("phone",)) for action in VisitorAction),
        *(replace(informed, action=action) for action in VisitorAction),
        replace(informed, fields=(), events=()),
        *(replace(asked, action=action) for action in VisitorAction),
        replace(asked, reminder=True, fields=(), name="Hugo"),
        Refused(**ref, text="We can not.\n\nReally."),
        Refused(**ref, name="Alice", text="No.", requests=ASKED),
        StaffReply(**ref, text="First line\nsecond line\n\nnew paragraph"),
        StaffReply(**ref, name="Alice", text="Hello", signed_by="Stan"),
        Extended(**ref, text="Many webinars.", first_due=EXTENSION.tell_by, deadline=EXTENSION.deadline),
        Extended(
            **ref,
            text="Many.",
            first_due=date(2026, 3, 2),
            deadline=legal_deadline(date(2026, 3, 2), "LT", 3),
        ),
        AddressChanged(**ref, name="Alice", changed_at=NOW),
    ]


VARIANTS = variants()
VARIANT_IDS = [f"{context.template}-{number}" for number, context in enumerate(VARIANTS)]


def written(context: Context, *languages: str) -> Letter:
    return REPLIES.render(context.template, languages or ("en",), context)


def shown(html: str) -> str:
    """The words of an HTML part, as one line."""
    body = LexborHTMLParser(html).body
    assert body is not None
    return " ".join(body.text().split())


def plain(text: str) -> str:
    return " ".join(text.split())


def test_every_letter_has_a_variant_here() -> None:
    """No template goes untested, and each has both parts."""
    assert {type(context) for context in VARIANTS} == set(CONTEXTS)
    for context in CONTEXTS:
        assert (TEMPLATES / f"{context.template}.txt").is_file()
        assert (TEMPLATES / f"{context.template}.html").is_file()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("context", VARIANTS, ids=VARIANT_IDS)
def test_a_letter_is_fit_for_a_mail(context: Context, language: str) -> None:
    """One subject line with the reference; short lines; both parts signed and complete."""
    letter = written(context, language)
    assert re.fullmatch(rf"[^\s].*[^\s] \[{REFERENCE}\]", letter.subject)
    for line in letter.text.split("\n"):
        assert len(line) <= 78 or (" " not in line.strip() and "https://" in line), line
    assert "\n\n\n" not in letter.text
    for part in (plain(letter.text), shown(letter.html)):
        for fact in ("UAB Akovana", "Didžioji g. 18", "privacy@myownconference.com", "3.12", REFERENCE):
            assert fact in part
        assert not re.search(r"%\(|\{\{|None\b|Undefined|datetime|&amp;|&lt;", part)
    assert f'<html lang="{language}">' in letter.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("context", VARIANTS, ids=VARIANT_IDS)
def test_both_parts_say_the_same(context: Context, language: str) -> None:
    """Every line of the text stands in the HTML as well (buttons have no colon, dots no dash)."""
    letter = written(context, language)
    html = re.sub(r"\W+", " ", shown(letter.html) + letter.html)
    for paragraph in re.split(r"\n\n|^- ", letter.text, flags=re.MULTILINE):
        for sentence in re.split(r"(?<=[.:?!]) ", plain(paragraph)):
            assert re.sub(r"\W+", " ", sentence).strip() in html


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.template)
def test_both_templates_hold_the_same_sentences(context: type[Context]) -> None:
    """Text and HTML cannot drift apart: the same sentences in the same order."""
    name = context.template
    subject, text, html = (sentences(TEMPLATES / f"{name}.{suffix}") for suffix in ("subject", "txt", "html"))
    assert [one for one in text if one not in subject] == html


def sentences(path: Path) -> list[str]:
    """The msgids of a template; those of its subject, which only the text part has, for `.subject`."""
    wanted = path.with_suffix(".txt") if path.suffix == ".subject" else path
    found = extract_from_file("jinja2", wanted)
    lines = wanted.read_text(encoding="utf-8").split("\n")
    in_subject = [one for one in found if "{% block subject %}" in lines[one[0] - 1]]
    chosen = in_subject if path.suffix == ".subject" else found
    return [str(one[1]) for one in chosen]


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize("context", VARIANTS, ids=VARIANT_IDS)
def test_nothing_stays_in_english(context: Context, language: str) -> None:
    """No sentence of the English letter is left in a translated one."""
    facts = {
        "Reference: MB-2026-000042",
        "Webinars: 1,234",
        "Name",
        "Job title",
        "MyOwnConference, UAB Akovana",
    }
    text = str(getattr(context, "text", "")) + str(getattr(context, "signed_by", ""))
    for line in written(context, "en").text.split("\n"):
        own = line in facts or "://" in line or "@" in line or "Didžioji" in line or line in text
        assert (
            own
            or len(re.findall(r"\w+", line)) < 3
            or line not in written(context, language).text.split("\n")
        )


@pytest.mark.parametrize("context", VARIANTS, ids=VARIANT_IDS)
def test_two_languages_stand_below_each_other(context: Context) -> None:
    """Where the language is unsure: the first one, a rule, then the fallback; one footer, one page."""
    letter = written(context, "fr", "en")
    french, english = written(context, "fr"), written(context, "en")
    assert letter.text.startswith("(English version below)\n\n")
    first, second = (one.text.split("\n\n* * *\n\n")[0] for one in (french, english))
    assert f"{first}\n\n* * *\n\n{second}\n\n* * *\n\n" in letter.text
    assert letter.html.count("<html") == 1
    assert letter.text.count("UAB Akovana") == 1
    assert letter.subject.count(REFERENCE) == 1


def test_the_same_language_twice_is_written_once() -> None:
    """French with a French fallback is one letter; a language without catalogue falls to the next."""
    context = Withdrawn(reference=REFERENCE)
    assert written(context, "fr", "fr") == written(context, "fr") == written(context, "xx", "fr")
    assert written(context, "xx") == REPLIES.render("withdrawn", (), context) == written(context, "en")


HOSTILE = '<script>alert(1)</script><a href="https://evil.example">&amp; "click"</a>\r\nBcc: x@y\u202e\x00'


def hostile(value: object) -> object:
    """The same value with every text in it written by Mallory."""
    match value:
        case VisitorAction() | Kind() | Capacity():
            return value
        case str():
            return HOSTILE
        case tuple():
            return tuple(map(hostile, value))
        case Changed() | Gone() | Kept() | Place() | RequestLine():
            return replace(value, **{one.name: hostile(getattr(value, one.name)) for one in fields(value)})
    return value


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("context", VARIANTS, ids=VARIANT_IDS)
def test_what_others_wrote_stays_text(context: Context, language: str) -> None:
    """Markup in names, events and reasons is shown as written, never obeyed; lines stay lines."""
    names = {one.name for one in fields(context) if one.name != "reference" and not one.name.endswith("link")}
    attack = replace(context, **{name: hostile(getattr(context, name)) for name in names})
    letter = written(attack, language)
    page = LexborHTMLParser(letter.html)
    assert page.css_first("script") is None
    links = {link.attributes["href"] for link in page.css("a")}
    ours = (LINK, CONTROLLER.policy_url, CONTROLLER.profile_url, f"mailto:{CONTROLLER.privacy_address}")
    assert links <= set(ours)
    assert not re.search("[\x00\u202e\r]", letter.text + letter.html + letter.subject)


@given(text=st.text(max_size=300))
def test_any_text_of_staff_arrives_whole(text: str) -> None:
    """Whatever staff write, each of their words is in both parts."""
    letter = written(StaffReply(reference=REFERENCE, text=text))
    readable = re.sub(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]", " ", text)
    for word in re.findall(r"\w+", readable):
        assert word in letter.text
        assert word in letter.html


def test_staff_lines_are_kept() -> None:
    """Line breaks and paragraphs of staff stand in both parts."""
    letter = written(StaffReply(reference=REFERENCE, text="First line\r\nsecond line\n\n\n\nnew paragraph"))
    assert "First line\nsecond line\n\nnew paragraph" in letter.text
    assert "First line<br>\nsecond line<br>\n<br>\nnew paragraph" in letter.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_before_proof_cannot_name_anybody(language: str) -> None:
    """A stranger learns nothing: these contexts have no name, and greet nobody by one."""
    for context in (Confirm, ConfirmReminder, ConfirmAddress, Expired, Withdrawn, Received, Unsubscribed):
        assert not issubclass(context, Proven)
        assert "name" not in {one.name for one in fields(context)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_a_deletion_warns_that_it_cannot_be_undone(language: str) -> None:
    """The warning stands exactly where it is true; it is never lost in a case of several requests."""
    deletion = RequestLine(Kind.DELETION, Capacity.USER)
    access = RequestLine(Kind.ACCESS, Capacity.USER)
    confirm = Confirm(reference=REFERENCE, requests=(access,), link=LINK, expires=NOW, due=date(2026, 4, 2))
    warning = plain(CATALOGUES.translations(language).gettext(WARNING))
    assert warning not in plain(written(confirm, language).text)
    assert warning in plain(written(replace(confirm, requests=(access, deletion)), language).text)
    assert warning in shown(written(replace(confirm, requests=(access, deletion)), language).html)


WARNING = (
    "A deletion cannot be undone: what is deleted is gone at once and for good. "
    "If you delete your account, your webinars and uploaded files go with it."
)


def test_a_late_date_says_why() -> None:
    """Where a weekend or holiday moved the due date, the letter says so; else it does not."""
    moved = plain(written(Received(reference=REFERENCE, deadline=DEADLINE), "de").text)
    assert "spätestens am Montag, 2. März 2026" in moved
    assert "endet am Samstag, 28. Februar 2026. Das ist bei uns (Litauen) kein Arbeitstag" in moved
    plain_date = legal_deadline(date(2026, 3, 2), "LT")
    assert "Arbeitstag" not in written(Received(reference=REFERENCE, deadline=plain_date), "de").text


@pytest.mark.parametrize(
    ("country", "authority"),
    [
        ("LT", "Valstybinė duomenų apsaugos inspekcija, https://vdai.lrv.lt"),
        ("FR", "Commission nationale de l’informatique et des libertés, https://www.cnil.fr"),
        ("SE", "the data protection authority of your country, https://www.edpb.europa.eu"),
    ],
)
def test_a_refusal_names_the_ways_to_complain(country: str, authority: str) -> None:
    """Reason, authority of the controller's country, court (GDPR Art. 12(4))."""
    replies = Replies(CATALOGUES, replace(CONTROLLER, country=country), TEMPLATES)
    text = plain(replies.render("refused", ("en",), Refused(reference=REFERENCE, text="No such data.")).text)
    assert authority in text
    assert "go to court" in text
    assert "No such data." in text


def test_payment_services_are_named() -> None:
    """Deletion and export say who processes payments (policy §6)."""
    for context in (
        Deleted(reference=REFERENCE, deleted_at=NOW),
        ExportReady(reference=REFERENCE, link=LINK, expires=NOW),
    ):
        assert "Paysera et PayPal" in plain(written(context, "fr").text)


def test_an_instant_is_told_in_the_controllers_time() -> None:
    """09:30 UTC is 11:30 in Vilnius, and the letter says whose time it is."""
    letter = written(ExportReady(reference=REFERENCE, link=LINK, expires=NOW), "en")
    assert "2 March 2026, 11:30 (Vilnius time)" in plain(letter.text)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("capacity", Capacity)
def test_every_request_has_its_words(kind: Kind, capacity: Capacity) -> None:
    """Whatever is understood can be named in a letter."""
    assert words.request_sentence(kind, capacity)


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Alice", "Alice"),
        ("  Dr. Élodie O’Hara-Łuk \n", "Dr. Élodie O’Hara-Łuk"),
        ("You won! https://evil.example", ""),
        ("www.evil.example", ""),
        ("alice@example.org", ""),
        ("<b>Alice</b>", ""),
        ("A" * 61, ""),
        ("", ""),
    ],
)
def test_only_a_name_is_greeted(name: str, greeted: str) -> None:
    """People type anything as their name; a link or a slogan is not repeated as a greeting."""
    assert greeting_name(name) == greeted


def test_a_foreign_context_or_link_is_our_mistake() -> None:
    """The wrong context, or a link that is none, is refused before anything is written."""
    with pytest.raises(ValueError, match="another context"):
        REPLIES.render("deleted", ("en",), Resubscribed(reference=REFERENCE))
    with pytest.raises(ValueError, match="link"):
        written(Unsubscribed(reference=REFERENCE, undo_link="javascript:alert(1)"))


def test_a_folder_overrides_single_templates(tmp_path: Path) -> None:
    """A company words one letter anew; a slip in it is an error, not a hole in the letter."""
    own = '{% extends "layout.txt" %}{% block subject %}Again{% endblock %}{% block body %}Own words.{% endblock %}'
    (tmp_path / "resubscribed.txt").write_text(own)
    replies = Replies(CATALOGUES, CONTROLLER, tmp_path, TEMPLATES)
    letter = replies.render("resubscribed", ("en",), Resubscribed(reference="MB-1"))
    assert letter.subject == "Again [MB-1]"
    assert "Hello,\n\nOwn words.\n\n" in letter.text
    (tmp_path / "withdrawn.txt").write_text("{{ refrence }}")
    with pytest.raises(UndefinedError):
        replies.render("withdrawn", ("en",), Withdrawn(reference="MB-1"))


def test_every_place_and_field_of_the_data_map_has_its_words() -> None:
    """What mailbot ships with can be named in every language; a company's own names are made readable."""
    data_map = tomllib.loads((ROOT / "rules" / "platform.toml").read_text(encoding="utf-8"))
    places = {place.get("name", place["table"]) for place in data_map["places"]}
    columns = [column for place in data_map["places"] for column in place.get("columns", {}).values()]
    assert places <= set(words.THINGS)
    assert {column["field"] for column in columns if "field" in column} <= set(words.FIELDS)
    assert {place["keep"]["ground"] for place in data_map["places"] if "keep" in place} <= set(words.GROUNDS)
    assert words.named(words.THINGS, "files:uploads.path") == "Uploaded files"
    assert words.named(words.THINGS, "loyalty_points") == "loyalty points"
