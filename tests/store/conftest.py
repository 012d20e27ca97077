"""The store on SQLite and on PostgreSQL: every test here runs on both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from mailbot.core.case import Person
from mailbot.store import cases
from mailbot.store.database import Store, Transaction
from mailbot.store.encryption import Keyring
from mailbot.store.tables import Case
from tests.servers.postgres import PrivatePostgres

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MASTER = bytes(range(32))
ALICE = "alice.martin@example.org"


@pytest.fixture(scope="session")
def empty_postgres(postgres: PrivatePostgres) -> str:
    """A PostgreSQL database with the newest schema and nothing in it."""
    url = postgres.new_database()
    store = Store(url, Keyring([MASTER]))
    store.upgrade()
    store.engine.dispose()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty store is."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'mailbot.db'}"
        return
    server: PrivatePostgres = request.getfixturevalue("postgres")
    made = server.new_database(request.getfixturevalue("empty_postgres"))
    yield made
    server.drop(made)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store, open."""
    made = Store(url, Keyring([MASTER]))
    made.open()
    yield made
    made.engine.dispose()


def a_case(tx: Transaction, address: str = ALICE) -> Case:
    """A case of somebody."""
    return cases.open_case(
        tx,
        Person(address, "Alice Martin", "My data", "<1@example.org>"),
        channel="mail",
        language="en",
        bilingual=False,
        answerable=True,
        received_at=NOW,
        due_on=date(2026, 12, 23),
        due_why="1 month after receipt",
        now=NOW,
    )
