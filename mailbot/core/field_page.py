"""A letter with the words that lead to corrected values, and the values, in their order."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailbot.core.field_forms import Form, Found, find_values
from mailbot.core.letter import Letter
from mailbot.core.phrases import Hit
from mailbot.core.request import Language
from mailbot.core.rules import CueRole, FieldCue, Rulebook

ARROW = re.compile(r"\s*(?:-{1,2}>|={1,2}>|→|➡️?|⇒|>{1,2})\s*")
COLON = re.compile(r"[\s\"“„«]*[:=]\s*[\"“„«]?\s*|\s+[-–—]\s+")
_WORDS = re.compile(r"\w+(?:['’]\w+)?")
_VALUE_END = re.compile(
    r"[,;:!?()\"“”«»\n…]|(?<!\bDr)(?<!\bProf)(?<!\bDipl)\.(?:\s|$)|\s[-–—]\s|\s(?:->|=>|→)"
    r"|[\u2600-\u27bf\U0001f000-\U0001faff]"
)
_SHORT_ENDING = re.compile(r"['’](?:s|m|ve|d|ll|re)\b")
_OF = re.compile(r"d(?:e|i|a|o|u|el|as|os|es)", re.IGNORECASE)
_OPENING = re.compile(r" [\"“„«]")
_NAME_PARTICLE = re.compile(r"L[aeio]|D[aei]|D[aeo]l|Dos|Das|Della|Los|Las")
_LOOSE_PARTICLE = re.compile(r"(?:[^\W\d_]{1,3}\s)?")
SILENT = (CueRole.HINT, CueRole.NEVER, CueRole.SWAPPED, CueRole.THING)
"""What leads to no value and ends none."""
_NOT_PLAIN = (CueRole.STOP, CueRole.FRESH, *SILENT)
_ENDS_ADDRESS = (CueRole.OLD, CueRole.NEW, CueRole.STOP, CueRole.GONE, CueRole.PLAIN)
_LEADS = (CueRole.OLD, CueRole.NEW, CueRole.FRESH, CueRole.IMPLIED, CueRole.INTRODUCED, CueRole.PLAIN)
_MOST_VALUES, _MOST_CUES = 60, 400
"""Far more than any honest correction has; bounds the work that a hostile letter can make."""
_PREPOSITION = 3
_SHOUTED = 0.8
"""Share of capitals in a letter that is all capitals but for an address."""
_LONGEST_PLAIN, _MOST_PLAIN_WORDS, _MOST_LONG_WORDS = 50, 5, 2
_LONGEST_BLOCK_LINE, _MOST_BLOCK_WORDS = 60, 8
_CARD_LINE = re.compile(r"[^|·•–—]{1,60}(?:(?:\s[|·•]\s[^|·•]{1,60}){1,6}|(?:\s[–—]\s[^|·•–—]{1,60}){2,6})")
"""Name, job, company, phone … in one line of a signature."""
_LABELLED_LINE = re.compile(r"[\s*•·–-]*[^\W\d_][^:\n]{1,40}\s?:")
_QUOTES = " \"'“”„«»‘’"


@dataclass(frozen=True, slots=True)
class Cue:
    """Words of a role, at the places `start` to `end` of the text."""

    role: CueRole
    field: str
    start: int
    end: int
    sentence: int
    clause: int


@dataclass(frozen=True, slots=True)
class Page:
    """One letter with its cues (in the order of their ends, in `ends` again) and values. `starts` are the
    places of its words, `topics` the fields that the subject names, `named` those that anything names."""

    letter: Letter
    language: Language
    noun_capitals: bool
    """Every noun of the language begins with a capital."""
    cues: tuple[Cue, ...]
    ends: tuple[int, ...]
    values: tuple[Found, ...]
    starts: tuple[int, ...]
    topics: tuple[str, ...]
    named: frozenset[str]
    is_lower: bool
    """Written without capitals, or in capitals alone: they show no name."""
    block: int
    """Where the signature or identification at the letter's end begins."""

    @property
    def text(self) -> str:
        """The letter as written."""
        return self.letter.source

    def sentence(self, place: int) -> int:
        """The number of the sentence at `place`."""
        return self.letter.sentences[self._word(place)] if self.starts else 0

    def clause(self, place: int) -> int:
        """The number of the clause at `place`."""
        return self.letter.clauses[self._word(place)] if self.starts else 0

    def _word(self, place: int) -> int:
        return max(0, bisect_right(self.starts, place) - 1)


def read_page(rulebook: Rulebook, letter: Letter, hits: Sequence[Hit], topics: Sequence[str]) -> Page:
    """The letter's cues, and its values cut where cues stand."""
    cues = _cues(rulebook, letter, hits)[:_MOST_CUES]
    named = {cue.field for cue in cues if cue.field} | set(topics)
    text = letter.source
    found = find_values(text, addresses="address" in named, handles="skype" in named)[:_MOST_VALUES]
    found = [_cut_address(one, cues, text) if one.form is Form.ADDRESS else one for one in found]
    inside = [(one.start, one.end) for one in found if one.form in (Form.EMAIL, Form.HANDLE, Form.ADDRESS)]
    cues = [cue for cue in cues if not _is_inside(cue, inside)]
    is_lower = _has_no_capitals(text) or _is_shouted(text)
    found = [one for one in found if one.form is not Form.NAME] if _is_shouted(text) else found
    values = _without_things(
        _without_never(_split(found, cues, text, rulebook.noun_capitals), cues), cues, text
    )
    values = _with_kind_of_company(values, text) if "company" in named else values
    return Page(
        letter, rulebook.language, rulebook.noun_capitals, tuple(cues), tuple(cue.end for cue in cues),
        tuple(_with_plain(values, cues, text, is_lower, named)),
        tuple(letter.folded.original(start) for start in letter.starts),
        tuple(topics), frozenset(named), is_lower, _block_start(text),
    )  # fmt: skip


def _has_no_capitals(text: str) -> bool:
    return sum(map(str.isupper, text[1:])) <= 1 + len(text) // 200


def _is_shouted(text: str) -> bool:
    return sum(map(str.isupper, text)) > _SHOUTED * sum(map(str.isalpha, text))


def count_words(text: str) -> int:
    """How many words stand there ("don't" is one)."""
    return len(_WORDS.findall(text))


def is_sentence_start(text: str, place: int) -> bool:
    """Whether a sentence or a line begins at `place`."""
    before = text[max(0, place - 30) : place].rstrip(" \t-*•\"“„«'")
    return not before or before[-1] in ".!?\n…"


def _cues(rulebook: Rulebook, letter: Letter, hits: Sequence[Hit]) -> list[Cue]:
    """In order, without cues inside a longer one ("e-mail" in "e-mail address")."""
    placed = [(hit, cue) for hit in hits if isinstance(cue := rulebook.holders[hit.holder], FieldCue)]
    placed.sort(key=lambda pair: (pair[0].first, -pair[0].last))
    kept: list[Cue] = []
    first = last = -1
    for hit, cue in placed:
        if hit.last > last or (hit.first, hit.last) == (first, last):
            first, last = hit.first, hit.last
            start, end = letter.span(first, last)
            kept.append(Cue(cue.role, cue.field, start, end, letter.sentences[first], letter.clauses[first]))
    kept += _never(rulebook.never_values, letter)
    return sorted(kept, key=lambda one: (one.end, one.start, one.role is not CueRole.STOP))


def _never(words: Collection[str], letter: Letter) -> Iterator[Cue]:
    """Capitalised words that are no value; matched exactly, since a name may look like a typo of one."""
    ends = tuple(word[1:] for word in words if word[0] == "*")
    for index, word in enumerate(letter.words):
        if word in words or word.endswith(ends):
            start, end = letter.span(index, index)
            if ending := _SHORT_ENDING.match(letter.source, end):
                end = ending.end()
            if letter.source[start].isupper():
                yield Cue(CueRole.NEVER, "", start, end, letter.sentences[index], letter.clauses[index])


def _is_inside(cue: Cue, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= cue.start and cue.end <= end for start, end in spans)


def _without_never(found: Iterable[Found], cues: Sequence[Cue]) -> list[Found]:
    """Without capitalised words that are no value in this language ("Sie", "I"), and labels in quotation marks
    ("the field “Company” is empty")."""
    labels = {cue.start: cue.end for cue in cues if cue.role is CueRole.LABEL}
    never = {**{cue.start: cue.end for cue in cues if cue.role is CueRole.NEVER}, **labels}
    return [
        one
        for one in found
        if not (one.form is Form.NAME and _is_never(one, never))
        and not (one.form is Form.QUOTED and labels.get(one.start) == one.end)
    ]


def _with_kind_of_company(values: Sequence[Found], text: str) -> list[Found]:
    """A capitalised word right before a quoted name belongs to it: what kind of company it is ("Kepykla „Duona“")."""
    joined: list[Found] = []
    for one in values:
        before = joined[-1] if joined else None
        gap = text[before.end : one.start] if before else ""
        is_kind = before is not None and before.form is Form.NAME and _OPENING.fullmatch(gap)
        if before is not None and is_kind and one.form is Form.QUOTED and " " not in before.text:
            end = one.end + 1
            joined[-1] = Found(Form.QUOTED, text[before.start : end], before.start, end)
        else:
            joined.append(one)
    return joined


def _without_things(found: Iterable[Found], cues: Sequence[Cue], text: str) -> list[Found]:
    """Without the names of things that are not the writer's data ("the webinar “Tax law”")."""
    ends = [cue.end for cue in cues if cue.role is CueRole.THING]
    return [
        one
        for one in found
        if one.form not in (Form.NAME, Form.QUOTED)
        or not any(end <= one.start and not text[end : one.start].strip(_QUOTES) for end in ends)
    ]


def _is_never(one: Found, never: dict[int, int]) -> bool:
    return never.get(one.start, -1) >= one.end or (len(one.text) <= 3 and one.text.isupper())


def _split(
    found: Sequence[Found], cues: Sequence[Cue], text: str, has_noun_capitals: bool
) -> Iterator[Found]:
    """Names without the cue words at their beginning ("Statt Hoffmann"). A label there belongs to the name
    ("Practice Manager") unless it begins the sentence."""
    at = {cue.start: cue for cue in cues if cue.role is not CueRole.PAIRED}
    for one in found:
        if one.form is not Form.NAME:
            yield one
            continue
        start = _start_behind_cues(one, cues, text, has_noun_capitals)
        if start < one.end:
            yield from _cut_inside(Found(one.form, text[start : one.end], start, one.end), at, text)


def _cut_address(one: Found, cues: Sequence[Cue], text: str) -> Found:
    """An address without what follows it after a comma ("…, not 11", "…, postcode and town stay")."""
    for cue in cues:
        lead = text[one.start : cue.start].rstrip(" ")
        if not (one.start < cue.start < one.end and lead.endswith((",", "\n"))):
            continue
        has_digits = any(map(str.isdigit, text[cue.end : one.end]))
        if cue.role in _ENDS_ADDRESS or (cue.role is CueRole.LABEL and not has_digits):
            written = lead.rstrip(", \n")
            return Found(one.form, written, one.start, one.start + len(written))
    return one


def _start_behind_cues(one: Found, cues: Sequence[Cue], text: str, has_noun_capitals: bool) -> int:
    start = one.start
    is_first = is_sentence_start(text, start) or has_noun_capitals
    for cue in cues:
        is_around = cue.start < one.start and one.end < cue.end
        if (
            cue.start <= start < cue.end
            and not is_around
            and not _is_part_of_name(cue, text)
            and (is_first or cue.start < one.start or (cue.role in _LEADS and cue.role is not CueRole.FRESH))
        ):
            start = cue.end + (text[cue.end : cue.end + 1] == " ")
            if text[start : start + 1].islower() and (loose := _LOOSE_PARTICLE.match(text, start, one.end)):
                start = loose.end()
    return start


def _is_part_of_name(cue: Cue, text: str) -> bool:
    """A capitalised preposition within a sentence belongs to a name ("is Van der Meer")."""
    is_short = cue.end - cue.start <= _PREPOSITION and cue.role in (CueRole.OLD, CueRole.NEW)
    return is_short and text[cue.start].isupper() and not is_sentence_start(text, cue.start)


def _cut_inside(one: Found, at: Mapping[int, Cue], text: str) -> Iterator[Found]:
    """A name cut where words within it lead to another value ("z Łodzi do Gdyni") or are no value ("and I")."""
    for word in _WORDS.finditer(one.text):
        cue = at.get(one.start + word.start())
        if cue is None or not word.start():
            continue
        left = one.text[: word.start()].rstrip()
        if cue.end > one.end or _is_never_within(cue, word.group()):
            left = re.sub(r"\s[^\W\d_]{1,3}$", "", left)
            yield Found(one.form, left, one.start, one.start + len(left))
            return
        if cue.role is CueRole.NEW and _is_after_old(one, at, text):
            right = one.text[cue.end - one.start :].lstrip()
            yield Found(one.form, left, one.start, one.start + len(left))
            yield Found(one.form, right, one.end - len(right), one.end)
            return
    yield one


def _is_never_within(cue: Cue, word: str) -> bool:
    is_never = cue.role is CueRole.NEVER and len(word) > 1 and word[0].isupper()
    return is_never and not _NAME_PARTICLE.fullmatch(word)


def _is_after_old(one: Found, at: Mapping[int, Cue], text: str) -> bool:
    end = len(text[: one.start].rstrip())
    return any(at[place].role is CueRole.OLD for place in range(max(0, end - 8), end) if place in at)


def _with_plain(
    found: Sequence[Found], cues: Sequence[Cue], text: str, is_lower: bool, named: set[str]
) -> list[Found]:
    """With the words after cues where values may be written small: job titles, and letters without capitals."""
    if not (is_lower or "job_title" in named):
        return list(found)
    firm = [one for one in found if one.form is not Form.NAME]
    has_quoted = any(one.form is Form.QUOTED for one in found)
    plain: list[Found] = []
    for index, cue in enumerate(cues):
        is_weak = cue.role in _NOT_PLAIN or (has_quoted and cue.end - cue.start <= 2)
        following = (other for other in cues[index + 1 : index + 3] if other.role not in SILENT)
        is_weak = is_weak or any(other.start < cue.end for other in following)
        if is_weak or not (is_lower or _leads_to_job(cues, index, named)):
            continue
        one = _plain(cue, cues[index + 1 :], text)
        if (
            one
            and not _is_never_word(one, cues)
            and not any(_overlap(one, other) for other in (*firm, *plain))
        ):
            plain.append(one)
    spans = {(one.start, one.end) for one in found}
    plain = [one for one in plain if (one.start, one.end) not in spans]
    names = [one for one in found if one not in firm and not any(_overlap(one, other) for other in plain)]
    return sorted((*firm, *plain, *names), key=lambda one: one.start)


def _is_never_word(one: Found, cues: Sequence[Cue]) -> bool:
    return any(cue.role is CueRole.NEVER and (cue.start, cue.end) == (one.start, one.end) for cue in cues)


def _overlap(one: Found, other: Found) -> bool:
    return other.start < one.end and one.start < other.end


def _leads_to_job(cues: Sequence[Cue], index: int, named: set[str]) -> bool:
    is_introduction = cues[index].role is CueRole.INTRODUCED and "job_title" in named
    return is_introduction or _field_at(cues, index, named) == "job_title"


def _field_at(cues: Sequence[Cue], index: int, named: set[str]) -> str:
    """The field that values at a cue belong to: its own, that of the label before or after it."""
    if cues[index].field:
        return cues[index].field
    before = next((cue for cue in reversed(cues[:index]) if cue.role is CueRole.LABEL), None)
    after = next((cue for cue in cues[index:] if cue.role is CueRole.LABEL), None)
    nearest = before or after
    return nearest.field if nearest else "job_title" if "job_title" in named else ""


def _plain(cue: Cue, following: Sequence[Cue], text: str) -> Found | None:
    """The words from a cue to the next mark or cue, when they may be a value."""
    lead = COLON.match(text, cue.end) or ARROW.match(text, cue.end)
    start = lead.end() if lead else cue.end + (text[cue.end : cue.end + 1] == " ")
    end = _VALUE_END.search(text, start, start + 80)
    stop = end.start() if end else min(len(text), start + 80)
    inner = next(
        (one for one in following if start <= one.start < stop and _ends_plain(one, start, text)), None
    )
    value = text[start : inner.start if inner else stop].strip(" -–,'’")
    words = value.split()
    long_words = sum(len(word) > _PREPOSITION for word in words)
    if cue.end - cue.start == 1 and long_words > _MOST_LONG_WORDS:  # "а затем пришлите данные"
        return None
    if not 2 <= len(value) <= _LONGEST_PLAIN or len(words) > _MOST_PLAIN_WORDS:
        return None
    if len(words[0]) <= _PREPOSITION and words[0].islower():
        return None
    start = text.index(value, start)
    return Found(Form.PLAIN, value, start, start + len(value)) if value[0].isalpha() else None


def _ends_plain(cue: Cue, start: int, text: str) -> bool:
    """A preposition within a title does not end it ("chargée de mission")."""
    is_of = cue.start > start and _OF.fullmatch(text, cue.start, cue.end) is not None
    return cue.role not in SILENT and not (is_of and cue.role is CueRole.OLD)


def _block_start(text: str) -> int:
    """Where the short lines at the end begin, after the first line: a signature, or what identifies the writer."""
    lines = text.rstrip().split("\n")
    start = place = len(text.rstrip())
    for line in reversed(lines[1:]):
        words = [word for word in line.split() if any(map(str.isalpha, word))]
        is_long = len(line.strip()) > _LONGEST_BLOCK_LINE or len(words) > _MOST_BLOCK_WORDS
        if is_long and not _CARD_LINE.fullmatch(line.strip()):
            break
        place -= len(line) + 1
        start = place
    return _behind_list(text, start)


def _behind_list(text: str, start: int) -> int:
    """Lines with a label ("City: Lille") below a line that announces them are no signature."""
    if not text[:start].rstrip().endswith(":"):
        return start
    for line in text[start:].split("\n"):
        if line.strip() and not _LABELLED_LINE.match(line):
            break
        start += len(line) + 1
    return start
