"""Rules, policy and language model loaded once: what a Reader needs to know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from mailbot.config import Config
from mailbot.core.answer import AnswerRules, load_answer_rules
from mailbot.core.automatic import load_automatic_rules
from mailbot.core.classify import Classifier
from mailbot.core.language import LanguageGuesser
from mailbot.core.policy import Policy
from mailbot.core.request import Language
from mailbot.core.rules import Rulebook, load_rulebook
from mailbot.core.sender import SenderSettings
from mailbot.reading import Knowledge
from mailbot.resources import ResourceTrouble, folders, read_toml
from mailbot.second_opinion import load_second_opinion


def rule_folders(config: Config) -> tuple[Path, ...]:
    """Where rules are looked for."""
    return folders("rules", config.path(config.folders.rules) if config.folders.rules else None)


def load_policy(config: Config) -> Policy:
    """rules/policy.toml. Raises ResourceTrouble naming file and key."""
    try:
        return Policy.model_validate(read_toml("policy.toml", rule_folders(config)))
    except ValidationError as error:
        first = error.errors()[0]
        raise ResourceTrouble(f"policy.toml: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


class Rulebooks(Mapping[Language, Rulebook]):
    """The rulebooks by language, each compiled when it is first asked for: most runs need few of them."""

    def __init__(self, places: tuple[Path, ...], languages: Iterable[Language]) -> None:
        names = {path.stem for place in places for path in (place / "requests").glob("*.toml")}
        self._places = places
        self._languages = tuple(language for language in languages if language.value in names)
        self._compiled: dict[Language, Rulebook] = {}

    def __getitem__(self, language: Language) -> Rulebook:
        """The rulebook of `language`. Raises KeyError, or ResourceTrouble naming file and rule."""
        if language not in self._compiled:
            if language not in self._languages:
                raise KeyError(language)
            self._compiled[language] = self._compile(language)
        return self._compiled[language]

    def __contains__(self, language: object) -> bool:
        """Whether there is a rulebook, compiled or not."""
        return language in self._languages

    def __iter__(self) -> Iterator[Language]:
        """The languages that have one."""
        return iter(self._languages)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._languages)

    def _compile(self, language: Language) -> Rulebook:
        file = f"requests/{language.value}.toml"
        try:
            return load_rulebook(read_toml(file, self._places), language)
        except ValueError as error:
            raise ResourceTrouble(f"{file}: {error}") from None


def load_rulebooks(config: Config) -> Rulebooks:
    """The rulebooks of the configured languages that have one; nothing is compiled yet."""
    return Rulebooks(rule_folders(config), config.controller.languages)


def load_answers(config: Config) -> AnswerRules:
    """rules/answers.toml. Raises ResourceTrouble."""
    try:
        return load_answer_rules(read_toml("answers.toml", rule_folders(config)))
    except ValueError as error:
        raise ResourceTrouble(str(error)) from None


def load_knowledge(config: Config) -> Knowledge:
    """Everything a Reader needs. Raises ResourceTrouble naming what is wrong."""
    books = load_rulebooks(config)
    try:
        automatic = load_automatic_rules(read_toml("automatic.toml", rule_folders(config)))
    except ValueError as error:
        raise ResourceTrouble(f"automatic.toml: {error}") from None
    sender = config.sender
    return Knowledge(
        policy=load_policy(config),
        automatic=automatic,
        classifier=Classifier(books),
        second=load_second_opinion(rule_folders(config)),
        guesser=LanguageGuesser(config.controller.languages),
        languages=tuple(books),
        own_addresses=frozenset(
            address.lower()
            for address in (
                config.controller.privacy_address,
                config.smtp.from_address,
                config.smtp.bounce_address,
            )
        ),
        sender=SenderSettings(
            frozenset(sender.authserv_ids), frozenset(sender.arc_sealers), frozenset(sender.own_hosts)
        ),
    )
