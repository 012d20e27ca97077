"""Rules, policy and language model loaded once: what a Reader needs to know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from mailbot.attachments.files import AttachmentReader
from mailbot.config import Config
from mailbot.core.address import domain_of
from mailbot.core.answer import AnswerRules, answer_rules
from mailbot.core.attached import ReferringWords
from mailbot.core.automatic import AutomaticRules, extended, load_automatic_rules
from mailbot.core.classify import Classifier
from mailbot.core.domains import ascii_domain
from mailbot.core.language import LanguageGuesser
from mailbot.core.language_file import LanguageFile
from mailbot.core.policy import Policy
from mailbot.core.quote_marks import QuoteMarks
from mailbot.core.request import Language
from mailbot.core.rules import Rulebook, load_rulebook
from mailbot.core.sender import SenderSettings
from mailbot.reading import Knowledge
from mailbot.resources import ResourceTrouble, files_in, folders, read_toml
from mailbot.second_opinion import load_second_opinion


def rule_folders(config: Config) -> tuple[Path, ...]:
    """Where rules are looked for."""
    return folders("rules", config.path(config.folders.rules) if config.folders.rules else None)


def load_policy(config: Config) -> Policy:
    """rules/policy.toml. Raises ResourceTrouble naming file and key."""
    places = rule_folders(config)
    try:
        policy = Policy.model_validate(read_toml("policy.toml", places))
    except ValidationError as error:
        raise ResourceTrouble(f"policy.toml: {_first(error)}") from None
    known = files_in("requests", places)
    for kind, one in policy.kinds.items():
        if unknown := sorted(set(one.languages) - known):
            raise ResourceTrouble(
                f"policy.toml: kinds.{kind}.languages.{unknown[0]}: no language with rules; known are "
                f"{', '.join(sorted(known))}"
            )
    return policy


class Rulebooks(Mapping[Language, Rulebook]):
    """The rulebooks by language, each compiled when it is first asked for: most runs need few of them."""

    def __init__(self, places: tuple[Path, ...], languages: Iterable[Language]) -> None:
        names = files_in("requests", places)
        self._places = places
        self._languages = tuple(language for language in languages if language in names)
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
        file = f"requests/{language}.toml"
        try:
            return load_rulebook(read_toml(file, self._places), language)
        except ValueError as error:
            raise ResourceTrouble(f"{file}: {error}") from None


def load_rulebooks(config: Config) -> Rulebooks:
    """The rulebooks of the configured languages that have one; nothing is compiled yet."""
    return Rulebooks(rule_folders(config), config.controller.languages)


def load_languages(config: Config) -> dict[Language, LanguageFile]:
    """What is known beside the rules of each configured language; nothing where there is no file.

    Raises ResourceTrouble naming file and key."""
    return {language: _language(language, rule_folders(config)) for language in config.controller.languages}


def _language(language: Language, places: tuple[Path, ...]) -> LanguageFile:
    name = f"languages/{language}.toml"
    if language not in files_in("languages", places):
        return LanguageFile(language=language)
    try:
        file = LanguageFile.model_validate(read_toml(name, places))
    except ValidationError as error:
        raise ResourceTrouble(f"{name}: {_first(error)}") from None
    if file.language != language:
        raise ResourceTrouble(f"{name}: language: is {file.language}; a file is named like its language")
    return file


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, by its key."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def load_answers(config: Config) -> AnswerRules:
    """What counts as a yes or a no, in all languages. Raises ResourceTrouble."""
    return answer_rules(file.answers for file in load_languages(config).values())


def _automatic(languages: Iterable[LanguageFile], places: tuple[Path, ...]) -> AutomaticRules:
    try:
        rules = load_automatic_rules(read_toml("automatic.toml", places))
    except ValueError as error:
        raise ResourceTrouble(f"automatic.toml: {error}") from None
    for file in languages:
        try:
            rules = extended(rules, file.automatic)
        except ValueError as error:
            raise ResourceTrouble(f"languages/{file.language}.toml: {error}") from None
    return rules


def own_addresses(config: Config) -> frozenset[str]:
    """The addresses that only we write from, lower case."""
    controller, smtp = config.controller, config.smtp
    ours = (controller.privacy_address, smtp.from_address, smtp.bounce_address, config.unsubscribe_address())
    return frozenset(address.lower() for address in ours)


def load_knowledge(config: Config, *, with_second: bool = True) -> Knowledge:
    """Everything a Reader needs; without the second opinion where that is only to be made. Raises ResourceTrouble
    naming what is wrong."""
    books, places = load_rulebooks(config), rule_folders(config)
    languages = load_languages(config)
    return Knowledge(
        policy=load_policy(config),
        automatic=_automatic(languages.values(), places),
        classifier=Classifier(books),
        second=load_second_opinion(places) if with_second else None,
        referring=ReferringWords(word for file in languages.values() for word in file.attached),
        marks=QuoteMarks(file.quotes for file in languages.values()),
        guesser=LanguageGuesser({language: file.signs for language, file in languages.items()}),
        languages=tuple(books),
        own_addresses=own_addresses(config),
        sender=_sender_settings(config),
    )


def _sender_settings(config: Config) -> SenderSettings:
    sender, controller = config.sender, config.controller
    addresses = (controller.privacy_address, config.smtp.from_address, *sender.own_domains)
    links = (config.web.public_url, controller.profile_url, controller.policy_url)
    named = (*map(domain_of, addresses), *(urlsplit(link).hostname or "" for link in links))
    return SenderSettings(
        authserv_ids=frozenset(sender.authserv_ids),
        arc_sealers=frozenset(sender.arc_sealers),
        own_hosts=frozenset(sender.own_hosts),
        own_domains=frozenset(domain for name in named if (domain := ascii_domain(name))),
    )


def attachment_reader(config: Config, knowledge: Knowledge) -> AttachmentReader | None:
    """What reads attachments; None where they are not read."""
    limits = config.attachment_limits()
    return AttachmentReader(limits, knowledge.marks) if limits else None
