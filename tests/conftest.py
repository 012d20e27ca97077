"""Servers for the whole test run. One that is missing on this machine fails the tests that need it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailbot.demo.smtp_sink import SmtpSink
from tests.servers.dovecot import Dovecot


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A private Dovecot; every test takes a user name of its own, which needs no registration."""
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def smtp_sink() -> Iterator[SmtpSink]:
    """A mail server that takes everything and keeps it; ask it by recipient."""
    with SmtpSink() as sink:
        yield sink
