"""Mail pushed in by our own mail server: which recipients there are, and each mail stored before it is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailbot.config import Config, listen_address
from mailbot.core.address import normalise
from mailbot.core.token import detail_of
from mailbot.letters import letter_in
from mailbot.mail.lmtp import LmtpAnswer, LmtpDoor, LmtpLimits, LmtpMail
from mailbot.receive import Receive
from mailbot.store.database import Store
from mailbot.store.messages import Incoming


class Parts(Protocol):
    """What the door needs; mailbot.app.App is one."""

    @property
    def config(self) -> Config: ...
    @property
    def clock(self) -> Callable[[], datetime]: ...
    @property
    def store(self) -> Store: ...
    @property
    def receive(self) -> Receive: ...


def open_door(parts: Parts, on_mail: Callable[[], None]) -> LmtpDoor:
    """The door as configured, not yet listening. `on_mail` is told of each mail that was stored.

    Raises ConfigTrouble when it cannot be where it is told to be.
    """
    listen_address(parts.config.lmtp.listen, "lmtp.listen")
    table, keeper = parts.config.lmtp, _Doorkeeper(parts, on_mail)
    limits = LmtpLimits(table.max_message_bytes, table.max_connections, table.max_per_minute)
    return LmtpDoor(table.listen, keeper.accept, keeper.knows, limits)


@dataclass(frozen=True, slots=True)
class _Doorkeeper:
    parts: Parts
    on_mail: Callable[[], None]

    def knows(self, recipient: str) -> LmtpAnswer:
        """Whether mail for `recipient` is taken. A wrong token is refused, but not in an answer to a question of ours:
        what a person writes to the privacy address is read, whatever stands behind its plus sign."""
        return LmtpAnswer.TAKEN if self._is_known(recipient) else LmtpAnswer.UNKNOWN_RECIPIENT

    def accept(self, mail: LmtpMail) -> LmtpAnswer:
        """The mail is stored, with the trace lines of a final delivery (RFC 5321 §4.4) above it."""
        trace = f"Return-Path: <{mail.envelope_from}>\r\nDelivered-To: {mail.recipient}\r\n"
        raw = trace.encode("utf-8", "surrogateescape") + mail.raw
        self.parts.receive.take_pushed(Incoming(raw, self.parts.clock(), "lmtp"))
        self.on_mail()
        return LmtpAnswer.TAKEN

    def _is_known(self, recipient: str) -> bool:
        config, pseudonyms = self.parts.config, self.parts.store.pseudonyms
        if token := detail_of(recipient, config.smtp.bounce_address):
            return letter_in(pseudonyms, token) is not None
        if token := detail_of(recipient, config.unsubscribe_address()):
            return pseudonyms.is_mailto_token(token) or pseudonyms.address_in(token) is not None
        bare = (config.smtp.bounce_address, config.unsubscribe_address())
        with_detail = (config.controller.privacy_address, config.smtp.from_address, *config.lmtp.recipients)
        is_bare = normalise(recipient) in map(normalise, bare)
        return is_bare or any(detail_of(recipient, one) is not None for one in with_detail)
