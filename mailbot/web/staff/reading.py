"""What mailbot understood of a mail, as it was stored with it (the object that `explain --json` prints)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mailbot.store.database import Transaction
from mailbot.store.encryption import Destroyed
from mailbot.store.tables import Message

_CONTEXT = "message.reading"
_ATTACHMENT = "attachment:"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class EvidenceRead(_Part):
    """The words that decided; offsets count characters of the new text, of the subject, or of an attached file."""

    rule: str
    sentence: str = ""
    text: str = ""
    start: int = 0
    end: int = 0
    in_: str | None = Field(default=None, alias="in")

    @property
    def title(self) -> str:
        """The rule, and what it recognises."""
        return f"{self.rule}: {self.sentence}" if self.sentence else self.rule

    @property
    def attachment(self) -> str:
        """The name of the attached file in which the words stand, or nothing."""
        return (self.in_ or "").partition(_ATTACHMENT)[2]


class FieldRead(_Part):
    """One field as it was asked to be."""

    field: str
    old: str | None = None
    new: str = ""


class AskedRead(_Part):
    """One request as understood."""

    kind: str
    capacity: str = ""
    confidence: float = 0.0
    evidence: tuple[EvidenceRead, ...] = ()
    fields: tuple[FieldRead, ...] = ()
    attachment: str | None = None


class AttachedRead(_Part):
    """An attached file as it was read: its text, or why there is none."""

    name: str
    kind: str = ""
    text: str | None = None
    by_the_sender: bool | None = None
    unread: str | None = None


class FeatureRead(_Part):
    """One thing that the second opinion weighed: letters, words or ideas; negative speaks against."""

    sort: str = ""
    name: str = ""
    weight: float = 0.0


class OpinionRead(_Part):
    """What each of both opinions says of one kind; `rules` None where the rules do not see it."""

    kind: str
    rules: float | None = None
    model: float = 0.0
    features: tuple[FeatureRead, ...] = ()

    @property
    def speaking(self) -> tuple[tuple[str, tuple[FeatureRead, ...]], ...]:
        """The features that speak for the kind, and those against it."""
        parts = (
            ("for", tuple(one for one in self.features if one.weight > 0)),
            ("against", tuple(one for one in self.features if one.weight <= 0)),
        )
        return tuple(part for part in parts if part[1])


class SenderRead(_Part):
    """What is known of who sent it, and why."""

    verdict: str = ""
    method: str | None = None
    domain: str | None = None
    reasons: tuple[str, ...] = ()
    pending: bool = False
    """DNS failed: not known yet, and asked again."""


class Reading(_Part):
    """The whole reading; empty for a mail that was never read or whose retention has ended."""

    language: str | None = None
    language_confidence: float | None = None
    new_text: str = ""
    subject: str = ""
    attachments: tuple[AttachedRead, ...] = ()
    requests: tuple[AskedRead, ...] = ()
    opinions: tuple[OpinionRead, ...] = ()
    sender: SenderRead = SenderRead()
    decision: str = ""
    reasons: tuple[str, ...] = ()
    error: str | None = None

    @property
    def verdict(self) -> str:
        """The verdict on the sender, or nothing."""
        return "not yet known" if self.sender.pending else self.sender.verdict

    def opinion(self, kind: str) -> OpinionRead | None:
        """What both opinions say of `kind`."""
        return next((one for one in self.opinions if one.kind == kind), None)

    def sentence(self, kind: str) -> str:
        """What the first rule that saw `kind` recognises."""
        every = (one.sentence for asked in self.requests if asked.kind == kind for one in asked.evidence)
        return next(every, "")

    @property
    def further_opinions(self) -> tuple[OpinionRead, ...]:
        """What both say of kinds that were not read into the mail in the end."""
        asked = {one.kind for one in self.requests}
        return tuple(one for one in self.opinions if one.kind not in asked)

    def evidence(self, place: str | None = None) -> tuple[EvidenceRead, ...]:
        """All evidence in the new text, or in another place ("subject", "attachment:NAME")."""
        every = (one for asked in self.requests for one in asked.evidence)
        return tuple(one for one in every if one.in_ == place)

    def evidence_in_file(self, name: str) -> tuple[EvidenceRead, ...]:
        """All evidence in the attached file `name`."""
        return self.evidence(_ATTACHMENT + name)


def reading_of(tx: Transaction, message: Message) -> Reading:
    """The stored reading of `message`."""
    if message.sealed_reading is None:
        return Reading()
    try:
        return Reading.model_validate_json(tx.seal(message.key_id).open(message.sealed_reading, _CONTEXT))
    except (Destroyed, ValidationError):
        return Reading()
