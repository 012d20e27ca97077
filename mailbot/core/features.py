"""What the second opinion sees of a letter: character and word n-grams, and ideas that all languages share.

Everything is hashed into three ranges of one vector, so that a model is one matrix whatever words people invent.
An idea is what a word means, whatever its language (rules/ideas/*.toml): what is learnt in one language helps all.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mailbot.core.fold import Folded, fold

READ_CHARACTERS = 4_000
"""The second opinion reads so much of a letter; the rules read more."""
RANGE_BITS = (16, 15, 14)
"""Of characters, words and ideas."""
STARTS = (0, 1 << 16, (1 << 16) + (1 << 15))
DIMENSIONS = (1 << 16) + (1 << 15) + (1 << 14)

_TOKEN = re.compile(
    r"(?P<address>[^\s@<>]{1,64}@[^\s@<>]{1,200})|(?P<link>(?:https?://|www\.)\S+)"
    r"|(?P<number>\+?\d[\d\s()./-]{5,30}\d)|(?P<word>[^\W_]+)|(?P<mark>[?!.;\n])"
)
_REPEATED = re.compile(r"(.)\1{2,}")
_STANDS_FOR = {"address": "xaddress", "link": "xlink", "number": "xnumber"}
_SPEAKING = frozenset(_STANDS_FOR.values())
_DIGITS = "digits"
_SHORTEST_BEGINNING = 3
_IDEAS_NEAR = 5
_WORDS_NEGATED = 3
_MOST_REMEMBERED = 5_000
MULTIPLIER = 0x9E3779B97F4A7C15
_MULTIPLIER = np.uint64(MULTIPLIER)

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words and marks of one text, in parallel tuples; `sentences` count from `first_sentence`."""

    folded: Folded
    texts: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sentences: tuple[int, ...]
    is_mark: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """The features of one letter. `places` and `values` are parallel, each place once; `instances` are the
    place and the first and last token of every single occurrence (tokens of the subject first)."""

    places: Places
    counts: NDArray[np.float32]
    instances: tuple[Places, Places, Places]


class IdeaBook:
    """What words mean, in one language or in several at once. Remembers words it has looked up."""

    def __init__(self, ideas: Mapping[str, str], others: Iterable[IdeaBook] = ()) -> None:
        """`ideas`: name → words, apart by spaces; "delet*" is every word that begins so, "ne-" a denial
        that other words begin with. `others` are added."""
        known: dict[str, dict[str, None]] = {}
        for name, words in ideas.items():
            for word in fold(words).text.split():
                known.setdefault(word, {})[name] = None
        for other in others:
            for word, names in other._known.items():
                known.setdefault(word, {}).update(dict.fromkeys(names))
        self._known: dict[str, tuple[str, ...]] = {word: tuple(names) for word, names in known.items()}
        self._remembered: dict[str, tuple[int, ...]] = {}

    def ideas_of(self, word: str) -> tuple[str, ...]:
        """What a folded word means: as a whole, else by its longest known beginning."""
        exact = self._known.get(word)
        if exact is not None:
            return exact
        if word in _SPEAKING or word.isdigit():
            return (word,) if word in _SPEAKING else (_DIGITS, _DIGITS + word[:4])
        for length in range(len(word), _SHORTEST_BEGINNING - 1, -1):
            found = self._known.get(word[:length] + "*")
            if found is not None:
                return found
        return self._denied(word)

    def _denied(self, word: str) -> tuple[str, ...]:
        """The ideas of a word that begins with a denial, as Lithuanian verbs do ("netrinkite")."""
        for length in (4, 2):
            names = self._known.get(word[:length] + "-")
            if names is not None and (found := self.ideas_of(word[length:])):
                return (*names, *found)
        return ()

    def numbers_of(self, word: str) -> tuple[int, ...]:
        """The same, each idea as a number."""
        known = self._remembered.get(word)
        if known is None:
            known = tuple(number_of(name) for name in self.ideas_of(word))
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[word] = known
        return known


def number_of(name: str) -> int:
    """A word or the name of an idea as a number."""
    return zlib.crc32(name.encode("utf-8", "replace"))


_NOT = number_of("not")


def tokens_of(text: str, first_sentence: int = 0) -> Tokens:
    """The words and marks of a text; an address, a link or a long number is one word."""
    folded = fold(text[:READ_CHARACTERS])
    has_repeated = _REPEATED.search(folded.text) is not None
    texts, starts, ends, sentences, marks = [], [], [], [], []
    sentence = first_sentence
    for match in _TOKEN.finditer(folded.text):
        kind = match.lastgroup or "word"
        word = _STANDS_FOR.get(kind) or match.group()
        texts.append(_REPEATED.sub(r"\1\1", word) if has_repeated and kind == "word" else word)
        starts.append(match.start())
        ends.append(match.end())
        sentences.append(sentence)
        marks.append(kind == "mark")
        sentence += kind == "mark"
    return Tokens(folded, tuple(texts), tuple(starts), tuple(ends), tuple(sentences), tuple(marks))


def features_of(subject: Tokens, body: Tokens, book: IdeaBook) -> Seen:
    """All features of a letter. `subject` was cut with a first sentence of -1,000 or so: apart from the body's."""
    texts = subject.texts + body.texts
    sentences = np.array(subject.sentences + body.sentences, np.int64)
    is_mark = subject.is_mark + body.is_mark
    parts = (
        _characters(texts, is_mark),
        _words(texts, sentences),
        _ideas(texts, sentences, is_mark, len(subject.texts), book),
    )
    places = [
        start + (_mixed(hashes) & np.uint64((1 << bits) - 1)).astype(np.int64)
        for start, bits, (hashes, _, _) in zip(STARTS, RANGE_BITS, parts, strict=True)
    ]
    every = np.concatenate(places)
    first = np.concatenate([part[1] for part in parts])
    last = np.concatenate([part[2] for part in parts])
    seen, counts = np.unique(every, return_counts=True)
    return Seen(seen, counts.astype(np.float32), (every, first, last))


_Part = tuple[Hashes, Places, Places]


def _mixed(hashes: Hashes) -> Hashes:
    """Every bit of the result depends on every bit of the input (the finish of splitmix64)."""
    mixed = hashes ^ (hashes >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _characters(texts: Sequence[str], is_mark: Sequence[bool]) -> _Part:
    """All runs of 2 to 5 characters inside words, a space standing before and after each."""
    if not texts:
        return _nothing()
    words = ["" if mark else text for text, mark in zip(texts, is_mark, strict=True)]
    joined = " " + " ".join(words) + " "
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint64)
    spaces = np.cumsum(codes == 32)
    hashes, tokens = [], []
    rolling = codes + np.uint64(1)
    for length in range(2, 6):
        if len(codes) < length:
            break
        runs = len(codes) - length + 1
        rolling = rolling[:runs] * _MULTIPLIER + codes[length - 1 :]
        inside = spaces[length - 2 : length - 2 + runs] - spaces[:runs] == 0
        hashes.append(rolling[inside] + np.uint64(length))
        tokens.append(spaces[:runs][inside] - 1)
    owners = np.minimum(np.concatenate(tokens), max(len(texts) - 1, 0)).astype(np.int64)
    return np.concatenate(hashes), owners, owners


def _words(texts: Sequence[str], sentences: Places) -> _Part:
    """Single words, and pairs of neighbours in one sentence."""
    singles = np.array([number_of(text) for text in texts], np.uint64)
    at = np.arange(len(singles), dtype=np.int64)
    if len(singles) < 2:
        return singles, at, at
    together = sentences[:-1] == sentences[1:]
    pairs = (singles[:-1] * _MULTIPLIER + singles[1:])[together]
    first = np.concatenate([at, at[:-1][together]])
    return np.concatenate([singles, pairs]), first, np.concatenate([at, at[1:][together]])


def _ideas(
    texts: Sequence[str], sentences: Places, is_mark: Sequence[bool], subject_size: int, book: IdeaBook
) -> _Part:
    """Ideas alone, in the subject, in questions, first of their sentence, negated, and in pairs of one sentence."""
    found = [
        (number, place)
        for place, (text, mark) in enumerate(zip(texts, is_mark, strict=True))
        if not mark
        for number in book.numbers_of(text)
    ]
    if not found:
        return _nothing()
    ideas = np.array([number for number, _ in found], np.uint64)
    at = np.array([place for _, place in found], np.int64)
    asked = {int(sentences[place]) for place, text in enumerate(texts) if text == "?"}
    in_sentence = sentences[at]
    is_asked = np.isin(in_sentence, np.array(sorted(asked), np.int64))
    is_first = np.concatenate([[True], in_sentence[1:] != in_sentence[:-1]])
    is_subject = at < subject_size
    parts: list[_Part] = [(ideas + np.uint64(1), at, at)]
    for salt, chosen in ((2, is_asked), (3, is_first), (4, is_subject)):
        parts.append((ideas[chosen] * np.uint64(64) + np.uint64(salt), at[chosen], at[chosen]))
    for distance in range(1, _IDEAS_NEAR + 1):
        parts += _pairs(ideas, at, in_sentence, distance)
    hashes, first, last = zip(*parts, strict=True)
    return np.concatenate(hashes), np.concatenate(first), np.concatenate(last)


def _pairs(ideas: Hashes, at: Places, sentences: Places, distance: int) -> list[_Part]:
    """Ideas that stand `distance` ideas apart in one sentence: in their order, in any order, and negated."""
    if len(ideas) <= distance:
        return []
    left, right = ideas[:-distance], ideas[distance:]
    near = (sentences[:-distance] == sentences[distance:]) & (left != right)
    left, right, first, last = left[near], right[near], at[:-distance][near], at[distance:][near]
    negated = (left == _NOT) & (last - first <= _WORDS_NEGATED)
    return [
        (left * _MULTIPLIER + right * np.uint64(3), first, last),
        (np.minimum(left, right) * _MULTIPLIER + np.maximum(left, right) * np.uint64(5), first, last),
        (right[negated] * _MULTIPLIER + np.uint64(7), first[negated], last[negated]),
    ]


def _nothing() -> _Part:
    empty = np.zeros(0, np.int64)
    return np.zeros(0, np.uint64), empty, empty
