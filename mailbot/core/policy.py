"""rules/policy.toml as one typed object: which proof each kind needs, how sure mailbot must be, how long it waits."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mailbot.core.freemail import is_freemail
from mailbot.core.request import Kind, Language
from mailbot.core.workflow import Patience


class Proof(StrEnum):
    """What is known of who asks, weakest first."""

    NONE = "none"
    SENDER = "sender"
    CONTROL = "control"
    STAFF = "staff"


def strongest(*proofs: Proof) -> Proof:
    """The highest level of these."""
    return max(proofs, key=list(Proof).index)


class Handling(StrEnum):
    """What happens to a clearly understood request: done at once, confirmed first, or read by staff."""

    ACT = "act"
    CONFIRM = "confirm"
    STAFF = "staff"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LanguagePolicy(_Strict):
    """What differs for mails in one language; what is not given is as for the kind."""

    handling: Handling | None = None
    minimum_confidence: float | None = Field(default=None, ge=0, le=1)
    minimum_confidence_alone: float | None = Field(default=None, ge=0, le=1)


LanguageCode = Annotated[Language, Field(pattern="^[a-z]{2,3}$")]
_CAREFUL = (Handling.ACT, Handling.CONFIRM, Handling.STAFF)


class KindPolicy(_Strict):
    """How one kind of request is handled when it is clear, and how sure (0..1) mailbot must be of it."""

    handling: Handling
    proof: Proof
    minimum_confidence: float = Field(ge=0, le=1)
    minimum_confidence_alone: float = Field(default=0.95, ge=0, le=1)
    """The same for what only one of the two opinions sees; 1 sends all of that to staff."""
    stopped: bool = False
    """Emergency stop: requests are taken, acknowledged and timed; the change waits for staff."""
    languages: Mapping[LanguageCode, LanguagePolicy] = {}
    """Automation switched on or off, and thresholds, for single languages."""

    @model_validator(mode="after")
    def _acts_only_without_proof(self) -> KindPolicy:
        for language, one in self.languages.items():
            if one.handling is Handling.ACT and self.proof is not Proof.NONE:
                raise ValueError(f"languages.{language}.handling: act is not for a kind that needs proof")
        return self

    def in_language(self, language: Language | None) -> KindPolicy:
        """What holds for a mail in `language`; None, an unsure language: the most careful of all of them."""
        if language is not None:
            return self._with(self.languages.get(language, LanguagePolicy()))
        every = [self, *(self._with(one) for one in self.languages.values())]
        careful = LanguagePolicy(
            handling=max((one.handling for one in every), key=_CAREFUL.index),
            minimum_confidence=max(one.minimum_confidence for one in every),
            minimum_confidence_alone=max(one.minimum_confidence_alone for one in every),
        )
        return self._with(careful)

    def _with(self, language: LanguagePolicy) -> KindPolicy:
        return self.model_copy(update=language.model_dump(exclude_none=True))


class Caps(_Strict):
    """At most so many automatic letters a day; what exceeds them is recorded, not sent."""

    letters_to_one_address_a_day: int = Field(default=5, ge=1)
    challenges_to_one_address_a_day: int = Field(default=3, ge=1)
    forged_mails_of_one_domain_an_hour: int = Field(default=20, ge=1)
    """Mails for staff beyond these are kept as one case, unanswered, until staff let them in or close them."""
    staff_mails_of_one_domain_an_hour: int = Field(default=500, ge=1)


class RaisedProof(_Strict):
    """What makes a kind need more proof than its own. A higher level replaces a lower one, never the other way."""

    address_changed: Proof = Proof.STAFF
    """Where the address on file was another one until `address_changed_days` ago."""
    address_changed_days: int = Field(default=14, ge=0)
    freemail: Proof = Proof.NONE
    """Where the sender's domain gives addresses to anybody."""
    freemail_domains: frozenset[str] = frozenset()
    """Such domains beside those that are known."""


class PatienceDays(_Strict):
    """Days to wait for people; see core/workflow.Patience."""

    proof_reminders: tuple[int, ...] = (3, 10)
    proof_gives_up: int = 30
    host_reminders: tuple[int, ...] = (5, 9)
    host_gives_up: int = 14
    export_kept: int = 14


class Retention(_Strict):
    """Days after which mailbot destroys the keys of its own copies."""

    closed_case_days: int = Field(default=1095, ge=1)
    ignored_mail_days: int = Field(default=30, ge=1)


class Attached(_Strict):
    """How much less sure a request is that stands only in an attached file."""

    certainty: float = Field(default=0.95, ge=0, le=1)


class Policy(_Strict):
    """The whole of rules/policy.toml."""

    kinds: Mapping[Kind, KindPolicy]
    raised_proof: RaisedProof = RaisedProof()
    caps: Caps = Caps()
    patience_days: PatienceDays = PatienceDays()
    retention: Retention = Retention()
    attached: Attached = Attached()
    staff_warning_days: tuple[int, ...] = (10, 5, 1)

    def in_language(self, language: Language | None) -> Policy:
        """What holds for mails in `language`; None, an unsure language: the most careful of all languages."""
        if not any(one.languages for one in self.kinds.values()):
            return self
        return self.model_copy(
            update={"kinds": {kind: x.in_language(language) for kind, x in self.kinds.items()}}
        )

    def needed(self, kind: Kind, sender_domain: str | None) -> Proof:
        """The proof that a request of `kind` from an address of `sender_domain` needs."""
        own, raised = self.kinds[kind].proof, self.raised_proof
        known = sender_domain is not None and is_freemail(sender_domain, raised.freemail_domains)
        return strongest(own, raised.freemail) if known else own

    @property
    def patience(self) -> Patience:
        """The waiting times as the workflow takes them."""
        days = self.patience_days
        return Patience(
            days.proof_reminders,
            days.proof_gives_up,
            days.host_reminders,
            days.host_gives_up,
            days.export_kept,
        )
