"""Servers for the whole test run. One that is missing on this machine fails the tests that need it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.demo.smtp_sink import SmtpSink
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import PrivatePostgres
from tests.world import Builder, World, building


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """A private PostgreSQL; ask it for a database of one's own."""
    with PrivatePostgres() as server:
        yield server


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """Builds complete mailbots; its DNS and SMTP servers serve the whole run."""
    with building(tmp_path_factory.mktemp("template")) as made:
        yield made


@pytest.fixture
def world(builder: Builder, tmp_path: Path) -> Iterator[World]:
    """A complete mailbot on SQLite, all mail so far forgotten; mails are handed to its intake."""
    builder.smtp.clear()
    with builder.world(tmp_path) as made:
        yield made
