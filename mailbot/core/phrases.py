"""The notation of rules, compiled to a matcher over words whose work grows with the letter only.

A pattern is words in their order: `stop sending me`.

- `supprim*` is a beginning, `*konto` an end, `*lösch*` a part of a word
- `a|b` either word; `(opt out|take me off)` either of several words; `my?` may be missing
- `{delete}` any entry of the file's list of that name under `[words]`
- `~3` up to three other words of the same clause, `~~3` of the same sentence (at the end of a pattern: as
  many of them as there are); `<3>` like `~3`, but both sides may stand in either order
- `^` and `$` the sentence's beginning and end; `^2` its beginning with up to two words left out
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, product

from rapidfuzz.distance import OSA

from mailbot.core.fold import fold
from mailbot.core.letter import Letter

_PIECE = re.compile(r"\([^()]*\)\??|\S+")
_WORD = re.compile(r"[\w*]+")
_LIST = re.compile(r"\{(\w+)\}")
_NOT_PLAIN = re.compile(r"[~{|(]")
_SHORTEST_TYPO = 6
_LONGEST_WORD = 40
_DEEPEST = 5

Slot = frozenset[str]
"""Word forms of which one must stand here: `word`, `stem*`, `*end`, `*part*`, folded."""
Phrase = tuple[Slot, ...]


class PatternError(ValueError):
    """A pattern that cannot be read; the text says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Up to `most` words of anything, within a clause or (`wide`) a sentence."""

    most: int
    wide: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """The beginning of a sentence (after up to `skipped` words) or its end."""

    at_start: bool
    skipped: int = 0


Element = tuple[Phrase, ...] | Gap | Edge
Pattern = tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """Pattern holder number `holder` matched the words `first` to `last`, both included."""

    holder: int
    first: int
    last: int


class Notation:
    """Reads patterns with one file's word lists. `spelling` maps letters to what else people type ("ö": "oe")."""

    def __init__(self, words: Mapping[str, Sequence[str]], spelling: Mapping[str, str]) -> None:
        self._words = words
        self._spelling = spelling
        self._read: dict[str, list[Pattern]] = {}
        """Pieces read before: most name the same word lists again and again."""
        self._phrases: dict[str, Phrase] = {}
        self._slots: dict[Slot, Slot] = {}

    def parse(self, text: str) -> list[Pattern]:
        """Every plain sequence that `text` stands for.

        Raises: PatternError.
        """
        pieces = _PIECE.findall(text)
        for index, piece in enumerate(pieces):
            if (either := re.fullmatch(r"<(\d+)>", piece)) is not None:
                left, right = " ".join(pieces[:index]), " ".join(pieces[index + 1 :])
                gap = f"~{either[1]}"
                return [*self.parse(f"{left} {gap} {right}"), *self.parse(f"{right} {gap} {left}")]
        patterns = self._sequences(pieces, 0)
        if not patterns or any(_first_phrases(pattern) is None for pattern in patterns):
            raise PatternError(f"`{text}` must begin with a word that cannot be missing")
        return patterns

    def _sequences(self, pieces: Sequence[str], depth: int) -> list[Pattern]:
        if depth > _DEEPEST or any("(" in piece[1:] for piece in pieces):
            raise PatternError(
                f"`{' '.join(pieces)}` nests too deep, or has a bracket within a word; write it out"
            )
        choices = [self._choices(piece, depth) for piece in pieces]
        return [tuple(chain.from_iterable(combination)) for combination in product(*choices)]

    def _choices(self, piece: str, depth: int) -> list[Pattern]:
        """The sequences that one piece of a pattern stands for; plain words of one piece are kept together."""
        if piece not in self._read:
            sign = _sign(piece)
            self._read[piece] = self._worded(piece, depth) if sign is None else [(sign,)]
        return self._read[piece]

    def _worded(self, piece: str, depth: int) -> list[Pattern]:
        plain: list[Phrase] = []
        sequences: list[Pattern] = [()] if piece.endswith("?") else []
        for text in self._alternatives(piece.removesuffix("?"), depth):
            if _NOT_PLAIN.search(text):
                sequences += self._sequences(_PIECE.findall(text), depth + 1)
            else:
                plain.append(self._phrase(text))
        return [(_together(plain),), *sequences] if plain else sequences

    def _alternatives(self, piece: str, depth: int) -> Iterator[str]:
        """What stands between the bars, each list that stands alone replaced by its entries."""
        inner = piece[1:-1] if piece.startswith("(") else piece
        for text in inner.split("|"):
            name = _LIST.fullmatch(text.strip()) if "{" in text else None
            if name is None:
                yield _checked(text.strip())
                continue
            if name[1] not in self._words or depth > _DEEPEST:
                raise PatternError(f"`{name[0]}` is not a list under [words]; add it or mend the name")
            for entry in self._words[name[1]]:
                is_list = "{" in entry and " " not in entry
                yield from self._alternatives(entry, depth + 1) if is_list else (entry,)

    def _phrase(self, text: str) -> Phrase:
        """The words of `text`, each with every way it is typed; most texts stand in many patterns."""
        if text not in self._phrases:
            self._phrases[text] = self._new_phrase(text)
        return self._phrases[text]

    def _new_phrase(self, text: str) -> Phrase:
        variants = {text}
        for letter, other in self._spelling.items():
            variants |= {variant.replace(letter, other) for variant in variants}
        words = (_WORD.findall(fold(one).text) for one in sorted(variants))
        return tuple(self._slot(frozenset(forms)) for forms in zip(*words, strict=True))

    def _slot(self, forms: Slot) -> Slot:
        """The one object that stands for these forms: there are ten thousands of places and few words."""
        return self._slots.setdefault(forms, forms)


def _sign(piece: str) -> Edge | Gap | None:
    """What a piece that holds no word says."""
    if (start := re.fullmatch(r"\^(\d?)", piece)) is not None:
        return Edge(True, int(start[1] or 0))
    if piece == "$":
        return Edge(False)
    if (gap := re.fullmatch(r"(~~?)(\d{1,2})", piece)) is not None:
        return Gap(int(gap[2]), gap[1] == "~~")
    return None


def _checked(text: str) -> str:
    if not _WORD.search(text):
        raise PatternError(f"`{text}` holds no word; write at least one letter")
    return text


def _together(phrases: Sequence[Phrase]) -> tuple[Phrase, ...]:
    singles = frozenset(form for phrase in phrases if len(phrase) == 1 for form in phrase[0])
    several = sorted(dict.fromkeys(phrase for phrase in phrases if len(phrase) > 1), key=len, reverse=True)
    return (*several, (singles,)) if singles else tuple(several)


def _first_phrases(pattern: Pattern) -> tuple[Phrase, ...] | None:
    for element in pattern:
        match element:
            case Edge(at_start=True):
                continue
            case Gap() | Edge():
                return None
            case phrases:
                return phrases
    return None


class Lexicon:
    """Knows every word form of a set of patterns, and which of them a word is, typos of long words included."""

    def __init__(self, patterns: Sequence[Pattern], never_typos: Sequence[str]) -> None:
        slots = {
            slot
            for one in patterns
            for element in one
            if isinstance(element, tuple)
            for p in element
            for slot in p
        }
        self.bits = {slot: 1 << index for index, slot in enumerate(sorted(slots, key=sorted))}
        self._forms: dict[str, int] = {}
        for slot, bit in self.bits.items():
            for form in slot:
                self._forms[form] = self._forms.get(form, 0) | bit
        self._never = frozenset(fold(word).text for word in never_typos)
        self._inner = [
            (form.strip("*"), bits) for form, bits in self._forms.items() if form[:1] == form[-1:] == "*"
        ]
        self._typos = self._typo_candidates()
        self.look_up = lru_cache(maxsize=4_096)(self._look_up)

    def _typo_candidates(self) -> dict[str, list[tuple[str, bool, int]]]:
        candidates: dict[str, list[tuple[str, bool, int]]] = {}
        for form, bits in self._forms.items():
            stem = form.rstrip("*")
            if len(stem) >= _SHORTEST_TYPO + form.endswith("*") and not form.startswith("*"):
                candidates.setdefault(stem[0], []).append((stem, form.endswith("*"), bits))
        return candidates

    def _look_up(self, word: str) -> int:
        if len(word) > _LONGEST_WORD:
            return 0
        bits = self._forms.get(word, 0)
        for cut in range(2, len(word) + 1):
            bits |= self._forms.get(word[:cut] + "*", 0) | self._forms.get("*" + word[-cut:], 0)
        for part, part_bits in self._inner:
            if part in word:
                bits |= part_bits
        return bits or self._as_typo(word)

    def _as_typo(self, word: str) -> int:
        if len(word) < _SHORTEST_TYPO - 1 or word in self._never or not word.isalpha():
            return 0
        bits = 0  # a letter more or less at the end is another form of the word ("closed"), not a typo
        for stem, is_beginning, stem_bits in self._typos.get(word[0], ()):
            if is_beginning:
                near = any(_is_near(word[: len(stem) + more], stem) for more in (-1, 0, 1))
            else:
                near = _is_near(word, stem) and not word.startswith(stem) and not stem.startswith(word)
            bits |= stem_bits if near else 0
        return bits


def _is_near(word: str, stem: str) -> bool:
    return OSA.distance(word, stem, score_cutoff=1) <= 1


@dataclass(frozen=True, slots=True)
class _Choice:
    """Compiled alternatives of one place: any word with a bit of `single`, or one of the `several` phrases;
    `first_bits` are those that any of them can begin with."""

    single: int
    several: tuple[tuple[int, ...], ...]
    first_bits: int


_Step = _Choice | Gap | Edge


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A pattern to be tried where its first word stands. Of each mask in `needs` some bit must follow in the
    sentence: a test so cheap that few patterns are really tried."""

    holder: int
    steps: tuple[_Step, ...]
    needs: tuple[int, ...]
    wants_longest: bool


class Matcher:
    """Finds every hit of many patterns in one walk over a letter's words."""

    def __init__(self, patterns: Sequence[tuple[int, Pattern]], never_typos: Sequence[str]) -> None:
        self._lexicon = Lexicon([pattern for _, pattern in patterns], never_typos)
        self._by_first: dict[int, list[tuple[int, Pattern, Phrase]]] = {}
        """What can begin with a word of this bit; compiled when such a word is first met, as most never are."""
        for holder, pattern in patterns:
            for phrase in _first_phrases(pattern) or ():
                self._by_first.setdefault(self._lexicon.bits[phrase[0]], []).append((holder, pattern, phrase))
        self._compiled: dict[int, tuple[_Candidate, ...]] = {}
        self._choices: dict[tuple[Phrase, ...], _Choice] = {}
        self._by_need = lru_cache(maxsize=1_024)(self._group_by_need)

    def _candidates(self, bit: int) -> tuple[_Candidate, ...]:
        if bit not in self._compiled:
            self._compiled[bit] = tuple(self._candidate(*one) for one in self._by_first.pop(bit, ()))
        return self._compiled[bit]

    def _candidate(self, holder: int, pattern: Pattern, phrase: Phrase) -> _Candidate:
        """`pattern`, beginning with this `phrase` of its first place."""
        first = next(index for index, element in enumerate(pattern) if isinstance(element, tuple))
        steps = tuple(
            self._compile((phrase,) if index == first else element) for index, element in enumerate(pattern)
        )
        later = [step.first_bits for step in steps[first + 1 :] if isinstance(step, _Choice)]
        needs = [self._lexicon.bits[slot] for slot in phrase[1:]]
        wants_longest = not any(isinstance(step, Gap) for step in steps)
        return _Candidate(holder, steps, (*needs, *later), wants_longest)

    def _compile(self, element: Element) -> _Step:
        """The step; patterns share those of the same words."""
        if isinstance(element, Gap | Edge):
            return element
        if element not in self._choices:
            self._choices[element] = self._choice(element)
        return self._choices[element]

    def _choice(self, element: tuple[Phrase, ...]) -> _Choice:
        bits = self._lexicon.bits
        single = [bits[phrase[0]] for phrase in element if len(phrase) == 1]
        several = tuple(tuple(bits[slot] for slot in phrase) for phrase in element if len(phrase) > 1)
        first_bits = 0
        for phrase in element:
            first_bits |= bits[phrase[0]]
        return _Choice(single[0] if single else 0, several, first_bits)

    def _group_by_need(self, mask: int) -> tuple[tuple[int, tuple[_Candidate, ...]], ...]:
        """All that can begin with a word of this mask, by what is needed first (0: nothing)."""
        groups: dict[int, list[_Candidate]] = {}
        while mask:
            bit = mask & -mask
            mask ^= bit
            for candidate in self._candidates(bit):
                groups.setdefault(candidate.needs[0] if candidate.needs else 0, []).append(candidate)
        return tuple((need, tuple(group)) for need, group in groups.items())

    def find(self, letter: Letter) -> list[Hit]:
        """Every hit, in the order of the first word; of one holder at one place only one."""
        look_up = self._lexicon.look_up
        masks = [look_up(word) for word in letter.words]
        following = _following(masks, letter.sentences)
        found: dict[tuple[int, int], Hit] = {}
        for place, mask in enumerate(masks):
            if mask:
                rest = following[place]
                for need, group in self._by_need(mask):
                    if not need or need & rest:
                        _try(group, place, rest, letter, masks, found)
        return list(found.values())


def _following(masks: list[int], sentences: Sequence[int]) -> list[int]:
    """For each place the bits of all words after it in its sentence."""
    following = [0] * len(masks)
    for place in range(len(masks) - 2, -1, -1):
        if sentences[place] == sentences[place + 1]:
            following[place] = masks[place + 1] | following[place + 1]
    return following


def _try(
    group: Sequence[_Candidate],
    place: int,
    rest: int,
    letter: Letter,
    masks: list[int],
    found: dict[tuple[int, int], Hit],
) -> None:
    for candidate in group:
        if all(need & rest for need in candidate.needs[1:]):
            end = _match(candidate.steps, 0, place, letter, masks)
            if end > place and letter.sentences[place] == letter.sentences[end - 1]:
                _keep_best(found, Hit(candidate.holder, place, end - 1), candidate.wants_longest)


def _keep_best(found: dict[tuple[int, int], Hit], hit: Hit, wants_longest: bool) -> None:
    """The shortest hit of one holder at one place, but of plain phrases the longest ("e-mail address")."""
    known = found.get((hit.holder, hit.first))
    if known is None or (known.last < hit.last if wants_longest else known.last > hit.last):
        found[hit.holder, hit.first] = hit


def _match(steps: tuple[_Step, ...], index: int, place: int, letter: Letter, masks: list[int]) -> int:
    """The place after the last word when steps from `index` on match from `place` on, else -1."""
    if index == len(steps):
        return place
    step = steps[index]
    if isinstance(step, Edge):
        return _match(steps, index + 1, place, letter, masks) if _is_edge(step, place, letter) else -1
    if isinstance(step, Gap):
        return _match_gap(steps, index, place, letter, masks)
    for phrase in step.several:
        if _stands_at(phrase, place, letter, masks):
            end = _match(steps, index + 1, place + len(phrase), letter, masks)
            if end >= 0:
                return end
    if place < len(masks) and masks[place] & step.single:
        return _match(steps, index + 1, place + 1, letter, masks)
    return -1


def _match_gap(steps: tuple[_Step, ...], index: int, place: int, letter: Letter, masks: list[int]) -> int:
    gap = steps[index]
    assert isinstance(gap, Gap)  # noqa: S101 - _match calls this for gaps only; narrows the union for mypy
    numbers = letter.sentences if gap.wide else letter.clauses
    if index + 1 == len(steps):
        return _furthest(numbers, place, gap.most)
    following = steps[index + 1]
    wanted = following.first_bits if isinstance(following, _Choice) else -1
    for start in range(place, place + gap.most + 1):
        if start >= len(masks) or numbers[start] != numbers[place - 1]:
            return _match(steps, index + 1, start, letter, masks) if isinstance(following, Edge) else -1
        if not masks[start] & wanted:
            continue
        end = _match(steps, index + 1, start, letter, masks)
        if end >= 0:
            return end
    return -1


def _furthest(numbers: Sequence[int], place: int, most: int) -> int:
    """The place up to `most` words on, as long as the clause or sentence of the word before lasts."""
    end = place
    while end < len(numbers) and end < place + most and numbers[end] == numbers[place - 1]:
        end += 1
    return end


def _stands_at(phrase: tuple[int, ...], place: int, letter: Letter, masks: list[int]) -> bool:
    if place + len(phrase) > len(masks) or not masks[place] & phrase[0]:
        return False
    sentences = letter.sentences
    return (
        all(masks[place + offset] & bit for offset, bit in enumerate(phrase))
        and sentences[place] == sentences[place + len(phrase) - 1]
    )


def _is_edge(edge: Edge, place: int, letter: Letter) -> bool:
    sentences = letter.sentences
    if edge.at_start:
        before = place - 1 - edge.skipped
        return before < 0 or sentences[before] != sentences[place]
    return place == len(sentences) or sentences[place - 1] != sentences[place]
