"""rules/languages/<language>.toml as one typed object: short things about a language that are no rules."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from mailbot.core.answer import AnswerPhrases
from mailbot.core.language import Signs
from mailbot.core.quote_words import Mark
from mailbot.core.request import Language


class LanguageFile(BaseModel):
    """What is known of one language beside its rules; every key but its name may be left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language
    known_words: str = ""
    """Common words, apart by spaces: what shows the language in a text of a few words."""
    telling_letters: str = ""
    """Letters that few of the other languages have."""
    attached: tuple[str, ...] = ()
    """Words by which a letter speaks of what is attached to it; "*" ends one that may go on."""
    romanised: str = ""
    """Beginnings of common words as people type them in Latin letters."""
    answers: AnswerPhrases = AnswerPhrases()
    quotes: Mapping[Mark, tuple[str, ...]] = {}
    """Words that mail programs write around quoted mails in this language."""
    automatic: Mapping[str, tuple[str, ...]] = {}
    """Beginnings of subjects that machines write, by the id of the rule in automatic.toml that they extend."""

    @property
    def signs(self) -> Signs:
        """What the language is recognised by."""
        words = frozenset(self.known_words.lower().split())
        return Signs(words, self.telling_letters.lower(), tuple(self.romanised.lower().split()))
