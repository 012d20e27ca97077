"""Whether every sentence of mailbot is translated, and the tool that keeps the catalogues up to date.

Run by the tests and by translators (docs/translations.md); nothing here is needed to write a mail.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import write_po

from mailbot.mail.catalogues import DOMAIN, read_catalogue

_CHANGING_HEADER = re.compile(
    rb'^"(?:Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team'
    rb"|Generated-By|Project-Id-Version): .*\n",
    re.MULTILINE,
)
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


@dataclass(frozen=True, slots=True)
class Gap:
    """One sentence that cannot be shown in `language` as it should, and why."""

    language: str
    msgid: str
    reason: Literal["missing", "fuzzy", "placeholders differ", "no longer used"]

    def __str__(self) -> str:
        return f"{self.language}: {self.reason}: {self.msgid!r}"


def extract(root: Path, mapping: Path | None = None) -> Catalog:
    """Every sentence to translate under `root`, with the places it stands, as `mapping` (babel.cfg) says."""
    with (mapping or root / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel does not type it
    catalogue = Catalog(project=DOMAIN, charset="utf-8")
    keywords, comments = DEFAULT_KEYWORDS, ("Translators:",)
    found = extract_from_dir(root, methods, options, keywords, comments, strip_comment_tags=True)
    for name, line, msgid, remarks, context in sorted(found, key=lambda one: (one[0], one[1])):
        catalogue.add(msgid, None, [(name, line)], auto_comments=remarks, context=context)
    return catalogue


def gaps(template: Catalog, catalogue: Catalog, language: str) -> tuple[Gap, ...]:
    """What `catalogue` lacks or has too much, measured against the sentences of `template`."""
    missing = [gap for message in template if message.id and (gap := _gap(message, catalogue, language))]
    extra = [Gap(language, _text(m), "no longer used") for m in catalogue if m.id and m.id not in template]
    return (*missing, *extra)


def _gap(source: Message, catalogue: Catalog, language: str) -> Gap | None:
    translated = catalogue.get(source.id, source.context)
    if translated is None or not all(_strings(translated.string)):
        return Gap(language, _text(source), "missing")
    if translated.fuzzy:
        return Gap(language, _text(source), "fuzzy")
    wanted = _placeholders(_strings(source.id)[-1:])
    same = all(_placeholders([form]) == wanted for form in _strings(translated.string)[-1:])
    known = _placeholders(_strings(translated.string)) <= wanted
    return None if same and known else Gap(language, _text(source), "placeholders differ")


def _placeholders(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in _PLACEHOLDER.findall(text)}


def _strings(value: str | Sequence[str] | None) -> tuple[str, ...]:
    if value is None:
        return ("",)
    return (value,) if isinstance(value, str) else tuple(value)


def _text(message: Message) -> str:
    return _strings(message.id)[0]


def updated(template: Catalog, path: Path, language: str) -> Catalog:
    """The catalogue in `path` (a new one where there is none) with exactly the sentences of `template`;
    new ones are empty, nothing is guessed."""
    catalogue = (
        read_catalogue(path, language) if path.is_file() else Catalog(locale=language, charset="utf-8")
    )
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False)
    return catalogue


def po_bytes(catalogue: Catalog) -> bytes:
    """`catalogue` as a .po file that changes only when its sentences do: sorted by file, without line
    numbers, dates and names of tools."""
    file = BytesIO()
    catalogue.header_comment, catalogue.fuzzy, catalogue.project = "# Sentences of mailbot", False, DOMAIN
    write_po(file, catalogue, width=100, include_lineno=False, ignore_obsolete=True, sort_by_file=True)
    return _CHANGING_HEADER.sub(b"", file.getvalue())


def main(languages: Sequence[str]) -> int:
    """Brings locale/ in the current folder up to date, with new catalogues for `languages`, and prints
    what is left to translate. 0 when nothing is."""
    root, locale = Path.cwd(), Path.cwd() / "locale"
    template = extract(root)
    (locale / f"{DOMAIN}.pot").write_bytes(po_bytes(template))
    known = {path.parent.parent.name for path in locale.glob(f"*/LC_MESSAGES/{DOMAIN}.po")}
    left = [gap for language in sorted(known | set(languages)) for gap in _update(template, locale, language)]
    print(*left, f"{len(left)} sentences to translate", sep="\n")
    return 1 if left else 0


def _update(template: Catalog, locale: Path, language: str) -> tuple[Gap, ...]:
    path = locale / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue = updated(template, path, language)
    path.write_bytes(po_bytes(catalogue))
    return gaps(template, catalogue, language)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
