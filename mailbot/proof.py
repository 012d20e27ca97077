"""A person proves control of an address by a token that was sent there: what its page shows, and its buttons.

`targets` looks up what it is about, `confirmation` shows it, `settling` does what is answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from mailbot.confirmation import Confirmation, confirmation_of
from mailbot.core.answer import Answer
from mailbot.core.policy import Policy
from mailbot.core.token import Purpose
from mailbot.settling import Settling
from mailbot.store import tokens
from mailbot.store.database import Store, Transaction
from mailbot.store.tables import Case
from mailbot.targets import Prepared, Targets, waiting_for


class Proof:
    """Shows and takes confirmations."""

    def __init__(self, store: Store, targets: Targets, settling: Settling, policy: Policy) -> None:
        self._store = store
        self._targets = targets
        self._settling = settling
        self._policy = policy

    def view(self, token: str, now: datetime) -> Confirmation | None:
        """What the token opens; None for unknown, ended and spent ones alike. Changes nothing."""
        prepared = self._targets.of_token(token, {}, now)
        if prepared is None:
            return None
        with self._store.read() as tx:
            return self._shown(tx, prepared, now)

    def confirm(
        self, token: str, fields: Mapping[str, Mapping[str, str]], now: datetime, mark: str = ""
    ) -> Confirmation | None:
        """Control is proven and what was asked goes its way; None when the token opens nothing.

        `fields`: request id to field to value, as the person edited them. When a value is not valid, nothing
        happens yet and the confirmation comes back open, with the refusals to mend; so it does when the platform
        is not as it was shown (`mark`; empty where nothing was).
        """
        prepared = self._targets.of_token(token, fields, now)
        if prepared is None:
            return None
        with self._store.begin() as tx:
            shown = self._shown(tx, prepared, now)
            if shown is None or any(view.is_to_mend for view in shown.requests):
                return shown
            if mark and mark != shown.mark and not any(one.may_pass for one in prepared.targets):
                return replace(shown, changed=True)
            states = self._settling.confirmed(tx, prepared, now)
        after = zip(shown.requests, states, strict=True)
        return replace(shown, requests=tuple(replace(one, state=state) for one, state in after), open=False)

    def cancel(self, token: str, now: datetime) -> bool:
        """The requests are withdrawn; False when the token opens nothing."""
        return self._otherwise(token, Answer.NO, now)

    def deny(self, token: str, now: datetime) -> bool:
        """The requests are stopped and staff are told that somebody else asked; False when nothing was open."""
        return self._otherwise(token, Answer.NOT_ME, now)

    def _otherwise(self, token: str, answer: Answer, now: datetime) -> bool:
        with self._store.begin() as tx:
            taken = tokens.take(tx, token, Purpose.CONFIRM, now)
            if taken is None or not waiting_for(tx, taken[0])[1]:
                return False
            self._settling.otherwise(tx, token, answer, now)
            return True

    def _shown(self, tx: Transaction, prepared: Prepared, now: datetime) -> Confirmation | None:
        row = tokens.find(tx, prepared.token, Purpose.CONFIRM, now)
        if row is None:
            return None
        return confirmation_of(tx, self._policy, tx.session.get_one(Case, row.case_id), prepared)
