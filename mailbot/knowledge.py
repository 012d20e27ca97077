"""Rules, policy and language model loaded once: what a Reader needs to know."""

from __future__ import annotations

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


def load_rulebooks(config: Config) -> dict[Language, Rulebook]:
    """The rulebooks of the configured languages that have one. Raises ResourceTrouble naming file and rule."""
    places = rule_folders(config)
    names = {path.stem for place in places for path in (place / "requests").glob("*.toml")}
    books: dict[Language, Rulebook] = {}
    for language in config.controller.languages:
        if language.value in names:
            file = f"requests/{language.value}.toml"
            try:
                books[language] = load_rulebook(read_toml(file, places), language)
            except ValueError as error:
                raise ResourceTrouble(f"{file}: {error}") from None
    return books


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
