"""Letters put into the outbox: rendered, composed and saved in the caller's transaction.

The laws that keep mailbot from pestering people are kept here: no automatic letter to a suspect sender,
and at most a few a day to one address, whatever it sends.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from mailbot.config import Config
from mailbot.config import Controller as ControllerTable
from mailbot.core.case import Person
from mailbot.core.policy import Policy
from mailbot.core.telling import Recipient
from mailbot.core.token import address_with, detail_of, spell, unspell
from mailbot.core.workflow import Effect
from mailbot.drafts import Draft, Drafting, Occasion
from mailbot.mail.compose import OutgoingMail, compose, new_message_id
from mailbot.mail.contexts import Controller, RecipientTold
from mailbot.mail.replies import Replies
from mailbot.store import cases, letters, works
from mailbot.store.database import Transaction
from mailbot.store.encryption import Pseudonyms
from mailbot.store.letters import CHALLENGES, Envelope
from mailbot.store.tables import Case, Letter
from mailbot.store.works import WorkKind

_BOUNCE_MAC_BYTES = 4


class LetterWriter:
    """Writes letters and puts them into the outbox."""

    def __init__(self, replies: Replies, config: Config, policy: Policy) -> None:
        self._replies = replies
        self._config = config
        self._policy = policy
        self._from_domain = config.smtp.from_address.rpartition("@")[2]

    def write(
        self, tx: Transaction, case: Case, effect: Effect, occasions: Sequence[Occasion], now: datetime
    ) -> None:
        """The letters that `effect` calls for are in the outbox; one covers several requests where it can."""
        for draft in Drafting(self._config, self._policy, tx, case, now).drafts(effect, occasions):
            self._post(tx, case, draft, now)

    def write_extension(self, tx: Transaction, case: Case, text: str, first_due: date, now: datetime) -> None:
        """The person is told of the extension and its reasons (GDPR Art. 12(3))."""
        for draft in Drafting(self._config, self._policy, tx, case, now).extension(text, first_due):
            self._post(tx, case, draft, now)

    def write_to_recipient(
        self,
        tx: Transaction,
        case: Case,
        request_id: UUID,
        recipient: Recipient,
        context: RecipientTold,
        now: datetime,
    ) -> UUID:
        """A recipient of the data is told what was done (GDPR Art. 19); returns the letter's id."""
        language = recipient.language or self._config.controller.fallback_language
        draft = Draft(context, recipient.address, (language,), request_id=request_id, by_hand=True)
        return self._post(tx, case, draft, now)

    def _post(self, tx: Transaction, case: Case, draft: Draft, now: datetime) -> UUID:
        state = self._state_of(tx, case, draft, now)
        letter_id = _new_letter_id()
        message_id = new_message_id(os.urandom(16), self._from_domain)
        smtp = self._config.smtp
        envelope = Envelope(address_with(smtp.bounce_address, bounce_token(tx, letter_id)), draft.to)
        letters.save(
            tx,
            case,
            letter_id=letter_id,
            template=draft.context.template,
            message_id=message_id,
            envelope=envelope,
            raw=self._raw(case, cases.person_of(tx, case), draft, message_id, now),
            now=now,
            request_id=draft.request_id,
            state=state,
        )
        if state == "queued":
            works.add(tx, WorkKind.SEND, case_id=case.id, letter_id=letter_id, now=now)
        return letter_id

    def _state_of(self, tx: Transaction, case: Case, draft: Draft, now: datetime) -> str:
        """queued, or why it is not sent: withheld (suspect sender) or capped (too many today)."""
        if draft.by_hand:
            return "queued"
        if not case.answerable:
            return "withheld"
        caps = self._policy.caps
        if letters.written_today(tx, draft.to, now) >= caps.letters_to_one_address_a_day:
            return "capped"
        if draft.context.template in CHALLENGES:
            challenges = letters.written_today(tx, draft.to, now, CHALLENGES)
            return "capped" if challenges >= caps.challenges_to_one_address_a_day else "queued"
        return "queued"

    def _raw(self, case: Case, person: Person, draft: Draft, message_id: str, now: datetime) -> bytes:
        letter = self._replies.render(draft.context.template, draft.languages, draft.context)
        controller, smtp = self._config.controller, self._config.smtp
        is_answer = draft.to == person.address and case.channel == "mail"
        privacy = controller.privacy_address
        return compose(
            OutgoingMail(
                from_name=controller.name,
                from_address=smtp.from_address,
                to=draft.to,
                subject=letter.subject,
                text=letter.text,
                html=letter.html,
                message_id=message_id,
                date=now,
                reference=case.reference,
                reply_to=address_with(privacy, draft.reply_token) if draft.reply_token else privacy,
                in_reply_to=person.message_id if is_answer else "",
                references=(*person.references, person.message_id) if is_answer else (),
                auto_submitted="auto-replied" if is_answer else "auto-generated",
                language=draft.languages[0],
            )
        )


def controller_of(table: ControllerTable) -> Controller:
    """The controller as the letters show it."""
    return Controller(
        name=table.name,
        legal_name=table.legal_name,
        address=table.address,
        country=table.country,
        timezone=ZoneInfo(table.timezone),
        privacy_address=table.privacy_address,
        policy_url=table.policy_url,
        policy_version=table.policy_version,
        profile_url=table.profile_url,
    )


def bounce_token(tx: Transaction, letter_id: UUID) -> str:
    """The envelope token of a letter: its id and a short keyed hash, so that nothing more must be stored."""
    return spell(letter_id.bytes + _bounce_mac(tx.pseudonyms, letter_id))


def letter_of_bounce(tx: Transaction, recipients: Sequence[str], bounce_address: str) -> Letter | None:
    """The letter whose envelope token stands in one of `recipients`."""
    for recipient in recipients:
        letter_id = letter_in(tx.pseudonyms, detail_of(recipient, bounce_address) or "")
        if letter_id is not None:
            return tx.session.get(Letter, letter_id)
    return None


def letter_in(pseudonyms: Pseudonyms, token: str) -> UUID | None:
    """The letter of an envelope token; None when we did not make the token."""
    raw = unspell(token)
    if raw is None:
        return None
    letter_id = UUID(bytes=raw[:-_BOUNCE_MAC_BYTES])
    is_ours = hmac.compare_digest(raw[-_BOUNCE_MAC_BYTES:], _bounce_mac(pseudonyms, letter_id))
    return letter_id if is_ours else None


def _bounce_mac(pseudonyms: Pseudonyms, letter_id: UUID) -> bytes:
    return pseudonyms.text("bounce", letter_id.hex)[:_BOUNCE_MAC_BYTES]


def _new_letter_id() -> UUID:
    """Wholly random, not ordered by time: it stands in envelope addresses, where nobody shall guess the next."""
    random = bytearray(os.urandom(16))
    random[6] = random[6] & 0x0F | 0x40
    random[8] = random[8] & 0x3F | 0x80
    return UUID(bytes=bytes(random))
