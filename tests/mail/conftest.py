"""The same mailbox on two servers: Dovecot, and the one that the demo brings along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

import pytest

from mailbot.demo.imap_server import EmbeddedImap
from mailbot.mail.settings import MailboxSettings
from tests.servers.dovecot import Dovecot

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Account:
    """One mailbox on one server, and the way mail gets into it."""

    settings: MailboxSettings
    deliver: Callable[..., None]

    def with_settings(self, **changes: object) -> MailboxSettings:
        return replace(self.settings, **changes)  # type: ignore[arg-type]  # fields of MailboxSettings


def dovecot_account(server: Dovecot) -> Account:
    """A mailbox that no other test knows."""
    user = f"privacy{next(_numbers)}@example.test"
    return Account(server.settings(user), lambda *mails: server.deliver(user, *mails))


@pytest.fixture
def account(dovecot: Dovecot) -> Account:
    """A fresh mailbox on Dovecot."""
    return dovecot_account(dovecot)


@pytest.fixture(params=["dovecot", "embedded"])
def any_account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """A fresh mailbox on Dovecot, then one on the embedded server."""
    if request.param == "dovecot":
        yield dovecot_account(request.getfixturevalue("dovecot"))
        return
    with EmbeddedImap("privacy@example.test", "secret") as server:
        yield Account(server.settings(), server.deliver)


def letter(number: int, lines: int = 3) -> bytes:
    """A small mail of Vera's that names its number."""
    head = f"From: Vera <vera@visitors.example>\r\nSubject: letter {number}\r\nMessage-ID: <{number}@visitors.example>"
    return f"{head}\r\n\r\n".encode() + b"Please delete my data.\r\n" * lines
