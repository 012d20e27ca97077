"""Demo platforms to change: one fresh copy for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.worlds import World, make_world
from tests.servers.postgres import PrivatePostgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as server:
        yield server


@pytest.fixture
def sqlite_world(tmp_path: Path) -> Iterator[World]:
    yield from make_world(f"sqlite:///{tmp_path}/platform.db", tmp_path / "files")


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/platform.db"
    else:
        server: PrivatePostgres = request.getfixturevalue("postgres")
        url = server.new_database()
    yield from make_world(url, tmp_path / "files")
