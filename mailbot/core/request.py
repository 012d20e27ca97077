"""What a person asks for: kinds, capacities, corrected fields, and the words that show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType


class Kind(StrEnum):
    """One thing that can be asked, in the order in which requests of one case are served."""

    AUTHORITY = "authority"
    COMPLAINT = "complaint"
    QUESTION = "question"
    OTHER = "other"
    UNSUBSCRIBE = "unsubscribe"
    OBJECTION = "objection"
    RESTRICTION = "restriction"
    CORRECTION = "correction"
    ACCESS = "access"
    PORTABILITY = "portability"
    DELETION = "deletion"


SERVING_ORDER = {kind: position for position, kind in enumerate(Kind)}


class Capacity(StrEnum):
    """As whom a person asks: with an account, as attendee of somebody's event, or as that somebody."""

    USER = "user"
    VISITOR = "visitor"
    HOST = "host"
    UNKNOWN = "unknown"


Language = NewType("Language", str)
"""A language's code (ISO 639, such as "lt"): its rules, examples and catalogue are files of that name."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words that decided. Offsets count characters of the new text, or of the subject when `in_subject`, or of
    the text in the file named `attachment`."""

    rule: str
    text: str
    start: int
    end: int
    in_subject: bool = False
    sentence: str = ""
    """What the rule recognises, as it stood in the rules when the mail was read."""
    attachment: str = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One corrected field, named as in the data map. `old` is None where data is added, not replaced."""

    field: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as understood from a mail. `confidence` is 0..1."""

    kind: Kind
    capacity: Capacity
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    agreed: bool = True
    """Rules and second opinion both see it; also where only the rules read."""
    attachment: str = ""
    """The attached file in which alone it is asked."""
    named: str | None = None
    """The address that the letter names as the one of the account, where it came from another; from a host the
    visitor's."""

    @property
    def elsewhere(self) -> str | None:
        """The address that must be asked instead of the writer's."""
        return None if self.capacity == Capacity.HOST else self.named


class FeatureSort(StrEnum):
    """What the second opinion looks at: runs of letters, words and pairs of words, and what words mean."""

    LETTERS = "letters"
    WORDS = "words"
    IDEAS = "ideas"


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing in a letter that the second opinion weighs: above 0 it speaks for a kind, below against it."""

    sort: FeatureSort
    name: str
    weight: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """What each of the two opinions says of one kind, 0..1: `rules` None where the rules do not see it.
    `features` are what weighed most in the second opinion, the heaviest first."""

    kind: Kind
    rules: float | None
    model: float
    features: tuple[Feature, ...] = ()


@dataclass(frozen=True, slots=True)
class Understanding:
    """All that one letter asks, in serving order. `doubts` are reasons why a person should look (guard
    words, contradictions, third persons); empty when the letter can be acted on."""

    asked: tuple[Asked, ...]
    doubts: tuple[str, ...] = field(default=())
    withdraws: bool = False
    """The letter takes an earlier request back ("I keep my account after all")."""
    formal: bool = False
    """An authority or a lawyer writes: never answered by a machine (law 10)."""
    opinions: tuple[Opinion, ...] = ()
    """Both opinions on each kind that one of them sees; empty where the rules alone read the letter."""
    declined: tuple[Kind, ...] = ()
    """Kinds whose words stand there, but the words around them deny them, ask about them or mean another thing."""
    told: tuple[FieldChange, ...] = ()
    """Values that seem to be corrected, whether or not the rules know the words that ask for it."""
