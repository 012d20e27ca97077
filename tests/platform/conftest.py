"""Demo platforms to change: one fresh copy for each test, on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.demo.platform import create_demo_platform
from tests.platform.worlds import NOW, World, copy_of, make_world
from tests.servers.mariadb import PrivateMariaDb
from tests.servers.postgres import PrivatePostgres


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo platform on SQLite, and its files, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    create_demo_platform(f"sqlite:///{folder}/platform.db", folder / "files", NOW)
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of the demo platform on PostgreSQL, to be copied."""
    url = postgres.new_database()
    create_demo_platform(url, tmp_path_factory.mktemp("files"), NOW)
    return url


@pytest.fixture(scope="session")
def mariadb() -> Iterator[PrivateMariaDb]:
    with PrivateMariaDb() as server:
        yield server


@pytest.fixture
def sqlite_world(template: Path, tmp_path: Path) -> Iterator[World]:
    yield from make_world(*copy_of(template, tmp_path))


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Iterator[World]:
    url, files = copy_of(template, tmp_path)
    if request.param == "sqlite":
        yield from make_world(url, files)
        return
    if request.param == "mariadb":
        private: PrivateMariaDb = request.getfixturevalue("mariadb")
        url = private.new_database()
        create_demo_platform(url, files, NOW)
        yield from make_world(url, files)
        private.drop(url)
        return
    server: PrivatePostgres = request.getfixturevalue("postgres")
    url = server.new_database(request.getfixturevalue("postgres_template"))
    yield from make_world(url, files)
    server.drop(url)
