"""What quoted history looks like: the words and shapes that mail programs put around it, in the languages they know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from mailbot.core.quote_words import HEADER_MARKS, WORDS, Mark

MAX_LABEL_LENGTH = 40
"""The longest label of a quoted header, with its stars and spaces."""
MIN_MARK_LENGTH = 8
MAX_MARK_LENGTH = 400
"""A longer line is a paragraph somebody wrote, not a mark of a program."""


_BEFORE_HEADER = r"[ \t]{0,8}[*_]{0,2}"
_AFTER_HEADER = r"[ \u00a0]?[*_]{0,2}[ \u00a0]?:[*_]{0,2}(?:[ \t\u00a0]|$)"

_QUOTED = re.compile(r"[ \t]{0,3}(?:>|&gt;|[A-ZА-ЯІЇЄҐŠŽČ][A-Za-zА-Яа-я]{0,2}>{1,3} )")
_DASHED = re.compile(
    r"[ \t]{0,8}[>]?(?:[-–—=_*]{2,}|_{2,})[ \t]*(?P<words>[^\W\d_][^\n]{2,80}?)[ \t]*(?:[-–—=_*]{2,}|:)[ \t]*$"
)
_RULE = re.compile(r"[ \t]{0,3}(?:_{5,}|-{5,}|—{3,}|\*{5,}|={5,})[ \t]*$")

_EMAIL = re.compile(r"[^\s<>@]{1,64}@[\w.-]{1,255}")
_NUMBER = re.compile(r"\d{1,4}")
_CLOCK = re.compile(r"\b\d{1,2}[:.hч]\s?\d{2}\b")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b")

_SIGNATURE = re.compile(r"(?:--|––|—|- -) ?$")
_SENTENCE_GOES_ON = re.compile(r"[,;!?:]\s|\.\s+\w")
_LINK = re.compile(r"<[^<>\s]{1,300}>|\(?https?://\S{1,300}|\[https?://\S{1,300}\]")
MAX_PHONE_LENGTH = 100
"""A person's sentence about a phone goes on longer."""

_BANNER = re.compile(
    r"\W{0,4}(?:caution|warning|external(?: e-?mail)?|achtung|attention)\b.{0,40}(?:external|outside|extern|externe)|"
    r"\W{0,4}this (?:e-?mail|message) (?:originated|was sent|came) from outside|\[external\]\W{0,3}$",
    re.IGNORECASE,
)


def is_quoted(line: str) -> bool:
    """The line stands behind a quote mark: ">", "> >", "AB> "."""
    start = line[:8]
    return (">" in start or "&gt;" in start) and _QUOTED.match(line) is not None


def is_rule(line: str) -> bool:
    """A line of underscores, dashes or stars and nothing else."""
    return _RULE.match(line) is not None


def has_date(text: str) -> bool:
    """A year, a full date, or a clock beside another number."""
    if len(text) > MAX_MARK_LENGTH:
        return False
    return bool(_YEAR.search(text)) or (bool(_CLOCK.search(text)) and len(_NUMBER.findall(text)) >= 3)


def is_signature_mark(line: str) -> bool:
    """ "-- " on a line of its own."""
    return _SIGNATURE.match(line) is not None


def is_banner(line: str) -> bool:
    """The warning that a mail gateway puts above mails from outside."""
    return len(line) <= MAX_MARK_LENGTH and _BANNER.match(line) is not None


class QuoteMarks:
    """Knows the marks: the words that are known anyway, and further ones of each language."""

    def __init__(self, further: Iterable[Mapping[Mark, Sequence[str]]] = ()) -> None:
        languages = list(further)
        words = {
            mark: "|".join([known, *(re.escape(word) for one in languages for word in one.get(mark, ()))])
            for mark, known in WORDS.items()
        }
        headers = "|".join(f"(?P<{mark}>{words[mark]})" for mark in HEADER_MARKS)
        heading, sent_from, device = words[Mark.DISCLAIMER_HEADING], words[Mark.SENT_FROM], words[Mark.DEVICE]
        self._header_line = _pattern(_BEFORE_HEADER + f"(?:{headers})" + _AFTER_HEADER)
        self._history = _pattern(words[Mark.HISTORY])
        self._wrote = _pattern(rf"\b(?:{words[Mark.WROTE]})\b")
        self._starter = _pattern(rf"[ \t]{{0,3}}(?:{words[Mark.STARTS]})")
        self._phone = _pattern(
            rf"\W{{0,3}}(?:(?:{sent_from})\b.{{0,60}}?(?:{device})"
            rf"|von mein\w* .{{0,30}}?(?:{device}).{{0,20}} gesendet)"
        )
        self._phone_any = _pattern(rf"\W{{0,3}}(?:{sent_from})(?: \S{{1,20}}){{1,7}}\W{{0,3}}$")
        self._disclaimer_heading = _pattern(rf"\W{{0,4}}(?:{heading})\b")
        self._disclaimer_start = _pattern(rf"\W{{0,4}}(?:{heading}|{words[Mark.DISCLAIMER_START]})\b")
        self._disclaimer_stem = _pattern(words[Mark.DISCLAIMER_STEM])

    def header_role(self, line: str) -> str:
        """from, sent, to, cc or subject where the line is a header of a quoted mail, else an empty string."""
        match = self._header_line.match(line) if ":" in line[:MAX_LABEL_LENGTH] else None
        return (match.lastgroup or "") if match else ""

    def is_separator(self, line: str) -> bool:
        """ "-----Original Message-----" and its kin, in any of the languages."""
        if len(line) > MAX_MARK_LENGTH or not line.lstrip(" \t>").startswith(("-", "–", "—", "=", "_", "*")):
            return False
        match = _DASHED.match(line)
        return bool(match and self._history.search(match["words"]))

    def is_attribution(self, block: str) -> bool:
        """The words before a quote: "On 5 January 2026 at 10:30, Alice <alice@example.org> wrote:"."""
        text = block.rstrip(" \t*_\u00a0<")
        if not MIN_MARK_LENGTH <= len(text) <= MAX_MARK_LENGTH or not text.endswith((":", "：")):
            return False
        return has_date(text) or bool(_EMAIL.search(text)) or bool(self._wrote.search(text))

    def is_sure_attribution(self, block: str) -> bool:
        """An attribution that needs no quote mark below it: a date with a clock, a verb of writing, a colon."""
        text = block.strip(" \t*_\u00a0")
        if len(text) > MAX_MARK_LENGTH or not text.endswith(":") or not self._starter.match(text):
            return False
        has_verb = bool(self._wrote.search(text)) or bool(_EMAIL.search(text))
        return has_verb and bool(_CLOCK.search(text)) and bool(_YEAR.search(text))

    def starts_attribution(self, line: str) -> bool:
        """The line begins as attributions do ("On ", "Am ", "Le ", a number, a weekday)."""
        return len(line) <= MAX_MARK_LENGTH and self._starter.match(line) is not None

    def is_phone_signature(self, line: str) -> bool:
        """ "Sent from my iPhone" and its kin: a device or a mail program is named and no sentence goes on."""
        bare = _LINK.sub("", line).strip() if MIN_MARK_LENGTH <= len(line) <= MAX_MARK_LENGTH else ""
        if not bare or len(bare) > MAX_PHONE_LENGTH or _SENTENCE_GOES_ON.search(bare):
            return False
        return self._phone.match(bare) is not None

    def is_sent_from(self, line: str) -> bool:
        """As is_phone_signature, but whatever it was sent from: only to be believed at the letter's end."""
        bare = line.strip()
        if not bare or len(bare) > MAX_PHONE_LENGTH or _SENTENCE_GOES_ON.search(bare):
            return False
        return self._phone_any.match(bare) is not None

    def is_disclaimer(self, paragraph: str) -> bool:
        """A lawyers' paragraph under a company's mail: it begins as they do and has two of their set phrases."""
        if not self._disclaimer_start.match(paragraph):
            return False
        stems = {match[0].lower()[:6] for match in self._disclaimer_stem.finditer(paragraph[:5_000])}
        return len(stems) >= 2

    def is_disclaimer_heading(self, paragraph: str) -> bool:
        """A line such as "Disclaimer" or "CONFIDENTIALITY NOTICE" alone above the lawyers' paragraph."""
        return len(paragraph) < 60 and self._disclaimer_heading.match(paragraph) is not None


def _pattern(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


STANDARD = QuoteMarks()
"""The words that are known anyway."""
