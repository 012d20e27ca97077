"""The examples of a folder become a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mailbot.core.classify import is_reply
from mailbot.core.features import IdeaBook
from mailbot.core.language import LanguageGuess
from mailbot.core.training import Example, Lesson, Trained, lesson, train
from mailbot.examples import Labelled
from mailbot.reading import Knowledge, is_sure
from mailbot.second_opinion import Ideas, digest_of

SEED = 20_260_101


def teach(
    examples: Sequence[Labelled], knowledge: Knowledge, ideas: Ideas, digests: dict[str, str]
) -> Trained:
    """The model learnt from `examples`, as the rules of `knowledge` see them; `digests` say from which files."""
    books = {language: IdeaBook(words) for language, words in ideas.items()}
    every = IdeaBook({}, books.values())
    lessons: list[Lesson] = []
    for one in examples:
        guess = knowledge.guesser.guess(one.example.text or one.example.subject)
        book = books.get(guess.language, every) if guess.language and is_sure(guess) else every
        lessons.append(_lesson(one.example, knowledge, guess, book))
    return train(lessons, dict(digests), SEED)


def digests_of(examples: Sequence[Path], places: Sequence[Path]) -> dict[str, str]:
    """What a model was made from: the digests of its examples, of the ideas and of the rules it was weighed against."""
    ideas = {file.name: file for place in reversed(places) for file in (place / "ideas").glob("*.toml")}
    return {
        "examples_digest": digest_of(examples),
        "ideas_digest": digest_of(list(ideas.values())),
    }


def _lesson(example: Example, knowledge: Knowledge, guess: LanguageGuess, book: IdeaBook) -> Lesson:
    languages = (guess.language,) if guess.language and is_sure(guess) else knowledge.languages
    title = "" if is_reply(example.subject) else example.subject
    rules = knowledge.classifier.understand(title, example.text, languages)
    return lesson(example, book, rules if knowledge.classifier.knows(languages) else None)
