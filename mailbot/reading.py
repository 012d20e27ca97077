"""One raw mail, read: parsed, machine or person, newest text, language, requests, sender, decision.

What `mailbot explain` prints and what `receive` acts on are the same reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.attachments.files import AttachmentReader
from mailbot.core.agreement import SecondOpinion
from mailbot.core.attached import (
    AttachedFile,
    AttachedText,
    Reason,
    ReferringWords,
    doubts_of_letter,
    with_attached,
)
from mailbot.core.automatic import AutomaticRules, AutomaticVerdict, find_automatic, relayed_for
from mailbot.core.classify import Classifier
from mailbot.core.decide import Decided, Decision, decide_mail
from mailbot.core.dns_answer import TxtLookup
from mailbot.core.language import LanguageGuess, LanguageGuesser
from mailbot.core.message import Address, NamedAddress, ParsedMail, Unreadable
from mailbot.core.named_address import about
from mailbot.core.newest_text import newest_text
from mailbot.core.parse import parse
from mailbot.core.policy import Policy
from mailbot.core.quote_marks import STANDARD, QuoteMarks
from mailbot.core.request import Asked, Evidence, FieldChange, Kind, Language, Understanding
from mailbot.core.sender import SenderSettings, SenderVerdict, Verdict, judge_sender

SURE_OF_LANGUAGE = 0.9
"""Below this every language's rules are tried and the answer is bilingual (measured: shared notes on py3langid)."""

_NOTHING = Understanding(asked=())
_RELAYED = "a web form passes it on; nothing shows that the address in Reply-To wrote it"
_UNDECIDED = Decided(Decision.REVIEW, ())


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was understood of one mail. `understanding` is empty for machines' mail."""

    mail: ParsedMail
    automatic: AutomaticVerdict | None
    new_text: str
    language: LanguageGuess
    understanding: Understanding
    sender: SenderVerdict
    decided: Decided
    relayed: NamedAddress | None = None
    """Who wrote through a web form, by its own word: staff answer, no letter goes out by itself."""
    attached: tuple[AttachedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the reader needs to know beside the mail itself."""

    policy: Policy
    automatic: AutomaticRules
    classifier: Classifier
    guesser: LanguageGuesser
    languages: tuple[Language, ...]
    own_addresses: frozenset[str]
    sender: SenderSettings
    referring: ReferringWords
    marks: QuoteMarks = STANDARD
    """What stands around quoted mails, in all languages."""
    second: SecondOpinion | None = None
    """None: the rules decide alone."""


class Reader:
    """Reads mails; holds no state of them. Without `lookup_txt` DNS is not asked, without `attachments` no file is
    opened."""

    def __init__(
        self,
        knowledge: Knowledge,
        lookup_txt: TxtLookup | None,
        attachments: AttachmentReader | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._lookup_txt = lookup_txt
        self._attachments = attachments

    def read(self, raw: bytes, now: datetime) -> Reading | Unreadable:
        """What `raw` is and asks; Unreadable with its reason when it cannot be read at all."""
        outer = parse(raw)
        if isinstance(outer, Unreadable):
            return outer
        known, files = self._knowledge, self._attachments
        opened = files.open(outer, raw) if files and outer.attachments else None
        mail = opened.mail if opened else outer
        new_text = newest_text(mail.text, known.marks)
        guess = known.guesser.guess(new_text or mail.subject)
        automatic = find_automatic(mail, known.own_addresses, known.automatic)
        sender = judge_sender(outer, raw, self._lookup_txt, known.sender, now)
        if automatic:
            decided = Decided(Decision.IGNORE, (automatic.reason,))
            return Reading(mail, automatic, new_text, guess, _NOTHING, sender, decided)
        understanding = self._understand(mail.subject, new_text, guess)
        relayed = relayed_for(mail, known.own_addresses, known.automatic)
        doubts = (*doubts_of_letter(mail.defects), *understanding.doubts, *([_RELAYED] if relayed else []))
        understanding = replace(understanding, doubts=doubts)
        read = Reading(mail, None, new_text, guess, understanding, sender, _UNDECIDED, relayed)
        return self._decided(self._with_attached(read, files.read(opened)) if files and opened else read)

    def _decided(self, reading: Reading) -> Reading:
        policy = self._knowledge.policy.in_language(sure_language(reading.language))
        understanding = self._about(reading.understanding, reading.new_text, reading.sender)
        decided = decide_mail(understanding, reading.sender, policy)
        return replace(reading, understanding=understanding, decided=decided)

    def _about(self, understanding: Understanding, new_text: str, sender: SenderVerdict) -> Understanding:
        ours = self._knowledge.own_addresses
        asked = (about(one, new_text, sender.address, ours) for one in understanding.asked)
        return replace(understanding, asked=tuple(asked))

    def _with_attached(self, reading: Reading, files: Iterable[AttachedFile]) -> Reading:
        """The reading with what stands in the attachments, and in their language where the letter's is unsure."""
        known, guess = self._knowledge, reading.language
        understood: list[AttachedFile] = []
        for file in files:
            if isinstance(file.said, AttachedText) and file.said.own:
                of_file = known.guesser.guess(file.said.text)
                understood.append(replace(file, understanding=self._understand("", file.said.text, of_file)))
                guess = of_file if is_sure(of_file) and not is_sure(guess) else guess
            else:
                understood.append(file)
        understanding = with_attached(
            reading.understanding,
            understood,
            reading.new_text,
            refers=known.referring.in_text(f"{reading.mail.subject}\n{reading.new_text}"),
            certainty=known.policy.attached.certainty,
        )
        return replace(reading, language=guess, understanding=understanding, attached=tuple(understood))

    def read_text(self, subject: str, text: str) -> Reading:
        """The same for a plain body without a mail around it (nothing is known of its sender)."""
        mail = ParsedMail("", subject, (), (), (), "", (), text, None, (), (), "text/plain", ())
        new_text = newest_text(text, self._knowledge.marks)
        guess = self._knowledge.guesser.guess(new_text or subject)
        sender = SenderVerdict(Verdict.UNPROVEN, None, None, ("a plain text has no sender",), None)
        policy = self._knowledge.policy.in_language(sure_language(guess))
        somebody = _unknown_but_plausible(sender)
        understanding = self._about(self._understand(subject, new_text, guess), new_text, somebody)
        decided = decide_mail(understanding, somebody, policy)
        return Reading(mail, None, new_text, guess, understanding, sender, decided)

    def _understand(self, subject: str, new_text: str, guess: LanguageGuess) -> Understanding:
        known, languages = self._knowledge, self._languages(guess)
        rules = known.classifier.understand(subject, new_text, languages)
        if known.second is None:
            return rules
        has_rules = known.classifier.knows(languages)
        joined = known.second.join(rules, subject, new_text, sure_language(guess), has_rules=has_rules)
        return _with_fields(joined, lambda: known.classifier.fields(subject, new_text, languages))

    def _languages(self, guess: LanguageGuess) -> Sequence[Language]:
        if guess.language is None or not is_sure(guess):
            return self._knowledge.languages
        return (guess.language,)


def _with_fields(understanding: Understanding, read: Callable[[], tuple[FieldChange, ...]]) -> Understanding:
    """A correction that only the second opinion sees gets its fields, too."""
    if all(one.kind is not Kind.CORRECTION or one.fields for one in understanding.asked):
        return understanding
    fields = read()
    asked = (
        replace(one, fields=fields) if one.kind is Kind.CORRECTION else one for one in understanding.asked
    )
    return replace(understanding, asked=tuple(asked))


def is_sure(guess: LanguageGuess) -> bool:
    """The language is known well enough to read the letter in it alone."""
    return guess.language is not None and guess.confidence >= SURE_OF_LANGUAGE


def sure_language(guess: LanguageGuess) -> Language | None:
    """The language, where it is known well enough."""
    return guess.language if is_sure(guess) else None


def as_json(reading: Reading, path: str) -> dict[str, object]:
    """One line of `mailbot explain --json`."""
    mail, guess = reading.mail, reading.language
    return {
        "path": path,
        "from": mail.from_[0].address if len(mail.from_) == 1 else None,
        "subject": mail.subject,
        "message_id": mail.message_id,
        "automatic": reading.automatic.kind.value if reading.automatic else None,
        "language": guess.language,
        "language_confidence": round(guess.confidence, 3),
        "new_text": reading.new_text,
        "attachments": [_attached_json(file) for file in reading.attached],
        "requests": [_asked_json(asked) for asked in reading.understanding.asked],
        "sender": {
            "verdict": reading.sender.verdict.value,
            "method": reading.sender.method,
            "domain": reading.sender.domain,
            "reasons": list(reading.sender.reasons),
            "pending": reading.sender.retry,
        },
        "opinions": [
            {
                "kind": one.kind.value,
                "rules": one.rules,
                "model": one.model,
                "features": [
                    {"sort": x.sort.value, "name": x.name, "weight": x.weight} for x in one.features
                ],
            }
            for one in reading.understanding.opinions
        ],
        "decision": reading.decided.decision.value,
        "reasons": list(reading.decided.reasons),
        "error": None,
    }


def unreadable_json(path: str, reason: str) -> dict[str, object]:
    """The line of a mail that cannot be read at all."""
    return {
        "path": path,
        "from": None,
        "subject": "",
        "message_id": "",
        "automatic": None,
        "language": None,
        "language_confidence": 0.0,
        "new_text": "",
        "attachments": [],
        "requests": [],
        "sender": {
            "verdict": Verdict.UNPROVEN.value,
            "method": None,
            "domain": None,
            "reasons": [],
            "pending": False,
        },
        "opinions": [],
        "decision": Decision.REVIEW.value,
        "reasons": ["the mail cannot be read"],
        "error": reason,
    }


def _asked_json(asked: Asked) -> dict[str, object]:
    return {
        "kind": asked.kind.value,
        "capacity": asked.capacity.value,
        "confidence": round(asked.confidence, 3),
        "evidence": [_evidence_json(evidence) for evidence in asked.evidence],
        "fields": [{"field": one.field, "old": one.old, "new": one.new} for one in asked.fields],
        "attachment": asked.attachment or None,
    }


def _attached_json(file: AttachedFile) -> dict[str, object]:
    said = file.said
    return {
        "name": file.name,
        "type": file.content_type,
        "size": file.size,
        "kind": file.kind.value,
        "text": said.text if isinstance(said, AttachedText) else None,
        "by_the_sender": said.own if isinstance(said, AttachedText) else None,
        "unread": said.value if isinstance(said, Reason) else None,
    }


def _evidence_json(evidence: Evidence) -> dict[str, object]:
    shown: dict[str, object] = {
        "rule": evidence.rule,
        "sentence": evidence.sentence,
        "text": evidence.text,
        "start": evidence.start,
        "end": evidence.end,
    }
    if evidence.attachment:
        return {**shown, "in": f"attachment:{evidence.attachment}"}
    return {**shown, "in": "subject"} if evidence.in_subject else shown


def _unknown_but_plausible(sender: SenderVerdict) -> SenderVerdict:
    """A plain text is judged by what it asks, as if somebody with an address had mailed it."""
    return SenderVerdict(sender.verdict, None, None, sender.reasons, Address("somebody@example.org"))
