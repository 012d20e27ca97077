"""A letter cut into words, clauses and sentences, so that rules can say what stands near what."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from mailbot.core.fold import Folded, fold

EXAMINED_CHARACTERS = 20_000
"""A request stands in the first pages. More is not read by rules but shown to staff."""

_WORD = re.compile(r"\w+")
_SENTENCE_MARK = re.compile(r"[!?;](?=\W|$)|\.(?=[\s\"')*]|$)")
_CLAUSE_MARK = re.compile(r"[,:()\"]|\s-+\s")
_LONG_LINE = 55
"""Lines longer than this were wrapped by a mail program, so that their end means nothing."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One text and its words. The tuples `starts`, `ends` (places in the folded text), `words`, `clauses`
    and `sentences` (running numbers) are parallel; `questions` are the sentences that end with "?"."""

    source: str
    folded: Folded
    words: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    clauses: tuple[int, ...]
    sentences: tuple[int, ...]
    sizes: tuple[int, ...]
    """Number of words of each sentence."""
    questions: frozenset[int]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Places in the original text of the words `first` to `last`, both included."""
        return self.folded.original(self.starts[first]), self.folded.original(self.ends[last] - 1) + 1


def read_letter(text: str, abbreviations: Collection[str], clause_words: Collection[str]) -> Letter:
    """`text` (its first 20,000 characters) as words; `abbreviations` are words after which a full stop ends
    nothing, `clause_words` begin a new clause ("but")."""
    examined = text[:EXAMINED_CHARACTERS]
    folded = fold(examined)
    found = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(folded.text)]
    clauses, sentences, questions = _number(folded, examined, found, abbreviations, clause_words)
    sizes = [0] * (sentences[-1] + 1 if sentences else 0)
    for sentence in sentences:
        sizes[sentence] += 1
    return Letter(
        examined,
        folded,
        tuple(one[0] for one in found),
        tuple(one[1] for one in found),
        tuple(one[2] for one in found),
        tuple(clauses),
        tuple(sentences),
        tuple(sizes),
        frozenset(questions),
    )


def _number(
    folded: Folded,
    source: str,
    found: list[tuple[str, int, int]],
    abbreviations: Collection[str],
    clause_words: Collection[str],
) -> tuple[list[int], list[int], set[int]]:
    clauses: list[int] = []
    sentences: list[int] = []
    questions: set[int] = set()
    clause = sentence = 0
    previous, end = "", 0
    for word, start, next_end in found:
        between = folded.text[end:start]
        if between != " " and end:
            if _ends_sentence(folded, source, end, start, previous in abbreviations or _is_ordinal(previous)):
                if "?" in between:
                    questions.add(sentence)
                sentence += 1
                clause += 1
            elif _CLAUSE_MARK.search(between):
                clause += 1
        if word in clause_words:
            clause += 1
        clauses.append(clause)
        sentences.append(sentence)
        previous, end = word, next_end
    if "?" in folded.text[end : end + 5]:
        questions.add(sentence)
    return clauses, sentences, questions


def _is_ordinal(word: str) -> bool:
    return len(word) == 1 or (len(word) == 2 and word.isdigit())


def _ends_sentence(folded: Folded, source: str, end: int, start: int, is_abbreviated: bool) -> bool:
    between = folded.text[end:start]
    if between == ".":  # "example.org" goes on, "thanks.Please" does not
        return source[folded.original(start) : folded.original(start) + 2].istitle() and not is_abbreviated
    mark = _SENTENCE_MARK.search(between)
    if mark and not (is_abbreviated and mark.group() == "." and "\n" not in between):
        return True
    if "\n" not in between:
        return False
    if between.count("\n") > 1 or between.rstrip(" ").endswith(("-", "*", "•")):
        return True
    line = end - folded.text.rfind("\n", 0, end)
    following = source[folded.original(start)]
    return line < _LONG_LINE and not following.islower()
