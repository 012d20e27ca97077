"""Pages: a template, a language, a status; and the page for those who have no business here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mailbot.core.request import Kind
from mailbot.mail.catalogues import SOURCE_LANGUAGE, DateStyle, date_in_words, number_in_words, time_in_words
from mailbot.web import words
from mailbot.web.limits import Attempts
from mailbot.web.parts import Parts

STATIC = Path(__file__).parent / "static"
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_GUESSES, _GUESS_MINUTES = 30, 10
_LANGUAGES_READ = 20


class Pages:
    """Writes pages in the languages of the catalogues. Safe to share between threads."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._guesses = Attempts(_GUESSES, timedelta(minutes=_GUESS_MINUTES), parts.clock)
        self._loader = FileSystemLoader(parts.templates)
        self._zone = ZoneInfo(parts.config.controller.timezone)
        configured = set(parts.config.controller.languages)
        self._written = frozenset(parts.catalogues.languages()) & (configured | {SOURCE_LANGUAGE})
        self._environments = {language: self._environment(language) for language in self._written}

    def show(self, template: str, language: str, status: int = 200, **values: Any) -> HTMLResponse:
        """The page `web/<template>` in `language`, or in the fallback language where we do not write that one."""
        environment = self._environments[self.language(language)]
        return HTMLResponse(environment.get_template(f"web/{template}").render(values), status)

    def language(self, wanted: str) -> str:
        """`wanted` if we write it, else the fallback language, else English."""
        fallback = self._parts.config.controller.fallback_language
        candidates = (wanted.partition("-")[0].lower(), fallback)
        return next((one for one in candidates if one in self._written), SOURCE_LANGUAGE)

    def accepted(self, request: Request) -> str:
        """The first language of `Accept-Language` that we write (RFC 9110 §12.5.4), else the fallback."""
        wanted = _preferred(request.headers.get("accept-language", ""))
        return next((one for one in wanted if one in self._written), self.language(""))

    def stranger(self, request: Request) -> Response:
        """The one answer to every token that opens nothing, whatever the reason; too many tries have to wait."""
        self._guesses.failed(request)
        return self.problem(request, 429 if self._guesses.exhausted(request) else 404)

    def must_wait(self, request: Request) -> Response | None:
        """The page for a client that tried too many tokens; None for everybody else."""
        return self.problem(request, 429) if self._guesses.exhausted(request) else None

    def problem(self, request: Request, status: int, retry_after: int | None = None) -> Response:
        """A page that says in plain words that this did not work."""
        response = self.show("problem.html", self.accepted(request), status, code=status)
        if status == 429:
            retry_after = self._guesses.retry_after_seconds
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response

    def day(self, instant: datetime) -> date:
        """The calendar day of `instant` where the controller is."""
        return instant.astimezone(self._zone).date()

    def _environment(self, language: str) -> Environment:
        environment = Environment(
            loader=self._loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        translations = self._parts.catalogues.translations(language)
        environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]  # by the extension
        environment.globals.update(self._globals(language))
        return environment

    def _globals(self, language: str) -> Mapping[str, Any]:
        return {
            "lang": language,
            "direction": "rtl" if language in _RIGHT_TO_LEFT else "ltr",
            "controller": self._parts.config.controller,
            "words": words,
            "Kind": Kind,
            "asset": asset,
            "strong": _strong,
            "date": partial(self._date, language),
            "moment": partial(self._moment, language),
            "number": lambda number: number_in_words(number, language),
        }

    def _date(self, language: str, day: date | datetime, style: DateStyle = "long") -> str:
        return date_in_words(self.day(day) if isinstance(day, datetime) else day, language, style)

    def _moment(self, language: str, instant: datetime) -> str:
        day = date_in_words(self.day(instant), language, "medium")
        return f"{day}, {time_in_words(instant, language, self._zone)}"


@cache
def asset(name: str) -> str:
    """The address of a static file; it changes with its content, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"


def _strong(text: str) -> Markup:
    return Markup('<strong class="address">{}</strong>').format(text)


def _preferred(header: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for entry in header.split(",")[:_LANGUAGES_READ]:
        tag, _, parameter = entry.partition(";")
        weighted.append((_weight(parameter), tag.strip().lower().partition("-")[0]))
    return [tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0]


def _weight(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q=") or 1)
    except ValueError:
        return 0
