"""Letters from Jinja templates and gettext: one pair (text, HTML) for each reply, in any language.

Both parts come from the same context; a letter may say the same in several languages below a rule.
Templates are compiled once a language and kept, catalogues and dates are cached.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from pathlib import Path

from markupsafe import Markup, escape

from mailbot.core.wording import Fact, Wording
from mailbot.mail import words
from mailbot.mail.catalogues import (
    SOURCE_LANGUAGE,
    Catalogues,
    city_of,
    country_in_words,
    date_in_words,
    list_in_words,
    number_in_words,
    time_in_words,
)
from mailbot.mail.contexts import CONTEXTS, Authority, Context, Controller, RequestLine
from mailbot.mail.text import one_line, readable, wrapped
from mailbot.mail.translated import TranslatedEnvironment

LONGEST_NAME = 60
RULE = "\n\n* * *\n\n"
_NO_NAME = re.compile(r"[<>@/\\\[\]{}|=]|www\.", re.IGNORECASE)
_TEMPLATES = {context.template: context for context in CONTEXTS}
_FIELDS = {name: tuple(field.name for field in fields(context)) for name, context in _TEMPLATES.items()}


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter: a subject of one line that ends with the reference, and both parts."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Section:
    """One letter in one language, before footer and frame."""

    language: str
    subject: str
    text: str
    html: str


class Replies:
    """Writes every letter of one controller. `folders` hold the templates, an overriding one first."""

    def __init__(self, catalogues: Catalogues, controller: Controller, *folders: Path) -> None:
        self._catalogues = catalogues
        self._controller = controller
        self._folders = folders
        self._voices: dict[str, Voice] = {}

    def render(self, name: str, languages: Sequence[str], context: Context) -> Letter:
        """The letter `name` in each of `languages` that can be written, else in English.

        Raises ValueError when `context` is not that letter's, or a link in it is none (our mistakes).
        """
        if _TEMPLATES.get(name) is not type(context):
            raise ValueError(f"letter {name!r} takes another context than {type(context).__name__}")
        values = _values(context)
        voices = [self._voice(language) for language in self._writable(languages)]
        sections = [voice.section(name, values) for voice in voices]
        subject = f"{' / '.join(dict.fromkeys(s.subject for s in sections))} [{values['reference']}]"
        frame = {**values, "subject": subject, "sections": sections, "notes": [v.note for v in voices[1:]]}
        return Letter(subject, voices[0].framed_text(frame), voices[0].framed_html(frame))

    def wording(self, language: str | None) -> Wording:
        """How an export speaks to a person who reads `language` (None: it is not known)."""
        return self._voice(self._writable((language,) if language else ())[0]).wording()

    def _writable(self, languages: Sequence[str]) -> tuple[str, ...]:
        known = self._catalogues.languages_known()
        return tuple(dict.fromkeys(one for one in languages if one in known)) or (SOURCE_LANGUAGE,)

    def _voice(self, language: str) -> Voice:
        if (voice := self._voices.get(language)) is None:
            voice = Voice(language, self._catalogues, self._controller, self._folders)
            self._voices[language] = voice
        return voice


class Voice:
    """All templates in one language."""

    def __init__(
        self, language: str, catalogues: Catalogues, controller: Controller, folders: Sequence[Path]
    ) -> None:
        self._language = language
        self._controller = controller
        self._translations = catalogues.translations(language)
        self._environment = TranslatedEnvironment(self._translations, folders)
        self._environment.filters["lines"] = _lines
        # Translators: the colon after a word, with the blank that your language puts before it
        self._colon = self._translations.gettext(words.N_(":"))
        self._environment.globals.update(self._functions())
        self.note = self._translations.gettext(words.N_("English version below"))

    def section(self, name: str, values: dict[str, object]) -> Section:
        """The letter in this language; the first line of the text template is the subject."""
        subject, _, text = self._environment.get_template(f"{name}.txt").render(values).partition("\n")
        html = self._environment.get_template(f"{name}.html").render(values)
        return Section(self._language, one_line(subject), wrapped(text), Markup(html))  # noqa: S704  # autoescaped

    def framed_text(self, frame: dict[str, object]) -> str:
        """All sections and the footer as plain text."""
        return self._environment.get_template("frame.txt").render(frame)

    def framed_html(self, frame: dict[str, object]) -> str:
        """All sections and the footer as one HTML page."""
        return self._environment.get_template("frame.html").render(frame)

    def wording(self) -> Wording:
        """How an export speaks."""
        said = self._translations.gettext
        controller, authority = self._controller, self._authority()
        responsible = ", ".join(one for one in (controller.legal_name, controller.address) if one)
        policy = (
            (said(words.POLICY_VERSION) % {"version": controller.policy_version})
            if controller.policy_url
            else ""
        )
        about = (
            Fact(said(words.N_("Who is responsible")), responsible),
            Fact(
                said(words.N_("Questions and requests")),
                controller.privacy_address,
                f"mailto:{controller.privacy_address}",
            ),
            Fact(said(words.N_("Privacy policy")), policy, controller.policy_url),
            Fact(said(words.N_("Your rights")), said(words.RIGHTS)),
            Fact(said(words.N_("Where to complain")), authority.name, authority.url),
        )
        thing, field = self._word(words.THINGS), self._word(words.FIELDS)
        return Wording(
            self._language, lambda text: said(text) if text else "", thing, field, self._moment, about
        )

    def _functions(self) -> dict[str, object]:
        """What templates may call."""
        controller, language = self._controller, self._language
        return {
            "controller": controller,
            "language": language,
            "colon": self._colon,
            "country": country_in_words(controller.country, language),
            "processors": list_in_words(controller.payment_processors, language),
            "authority": self._authority(),
            "day": lambda value: date_in_words(value, language),
            "weekday": lambda value: date_in_words(value, language, "full"),
            "moment": self._moment,
            "number": lambda value: number_in_words(value, language),
            "in_words": self._request,
            "action_in_words": self._word(words.VISITOR_ACTIONS),
            "field": self._word(words.FIELDS),
            "thing": self._word(words.THINGS),
            "ground": self._word(words.GROUNDS),
            "field_list": self._field_list,
        }

    def _moment(self, instant: datetime) -> str:
        """An instant in the controller's time zone, to the minute, naming the zone's city."""
        zone = self._controller.timezone
        local: date = instant.astimezone(zone).date()
        pattern = self._translations.gettext(words.N_("%(date)s, %(time)s (%(city)s time)"))
        return pattern % {
            "date": date_in_words(local, self._language),
            "time": time_in_words(instant, self._language, zone),
            "city": city_of(zone, self._language),
        }

    def _request(self, request: RequestLine) -> str:
        sentence = self._translations.gettext(words.request_sentence(request.kind, request.capacity))
        return f"{sentence}{self._colon} {self._field_list(request.fields)}" if request.fields else sentence

    def _word(self, names: dict[str, str]) -> Callable[[str], str]:
        return lambda key: self._translations.gettext(words.named(names, key))

    def _field_list(self, names: tuple[str, ...]) -> str:
        return list_in_words(tuple(map(self._word(words.FIELDS), names)), self._language)

    def _authority(self) -> Authority:
        controller = self._controller
        found = controller.authority or words.AUTHORITIES.get(controller.country, words.ANY_AUTHORITY)
        return replace(found, name=self._translations.gettext(found.name))


def _lines(text: str) -> Markup:
    """Text as HTML, its line breaks kept."""
    return Markup("<br>\n").join(escape(line) for line in text.splitlines())


def _values(context: Context) -> dict[str, object]:
    """The fields of `context`, cleaned: only `text` keeps its line breaks, a strange name is left out."""
    values: dict[str, object] = {"name": ""}
    for name in _FIELDS[context.template]:
        values[name] = _cleaned(name, getattr(context, name))
    return values


def _cleaned(field: str, value: object) -> object:
    match value:
        case str() if field == "text":
            return readable(value)
        case str() if field.endswith("link"):
            return _checked_link(value)
        case str() if field == "name":
            return greeting_name(value)
        case str():
            return one_line(value)
        case tuple():
            return tuple(_cleaned(field, item) for item in value)
    return _cleaned_parts(value)


def _cleaned_parts(value: object) -> object:
    """A dataclass with its texts cleaned; anything else (dates, numbers, kinds) as it is."""
    if not is_dataclass(value) or isinstance(value, type):
        return value
    texts = {one.name: getattr(value, one.name) for one in fields(value)}
    dirty = {
        name: one_line(text) for name, text in texts.items() if type(text) is str and one_line(text) != text
    }
    return replace(value, **dirty) if dirty else value


def _checked_link(link: str) -> str:
    if link and not re.fullmatch(r"https?://[!-~]+", link):
        raise ValueError("a link in a letter is no http(s) URL")
    return link


def greeting_name(name: str) -> str:
    """`name` if it can be greeted by, else nothing: names on file are what people typed, also links."""
    line = one_line(name)
    return "" if len(line) > LONGEST_NAME or _NO_NAME.search(line) else line
