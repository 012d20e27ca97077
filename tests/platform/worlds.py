"""A demo platform that a test may change, and a way to look at it past mailbot."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, create_engine, delete, insert, select, update
from sqlalchemy.engine import Engine

from mailbot.core.data_map import DataMap
from mailbot.core.data_map_reading import read_data_map
from mailbot.core.plan import Subject
from mailbot.core.request import Capacity
from mailbot.demo.platform import PERSONAS
from mailbot.platform.sql import SqlPlatform, open_platform

ON_EVERY_SERVER = pytest.mark.parametrize("world", ["sqlite", "postgresql", "mariadb"], indirect=True)
"""For tests whose SQL differs among databases; a copy of the platform takes long on MariaDB."""

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Row = dict[str, object]
Dump = dict[str, dict[object, Row]]
EXAMPLE_MAP = Path(__file__).parents[2] / "rules" / "platform.toml"


def example_map() -> DataMap:
    """The data map that is delivered, which describes the demo platform."""
    data_map = read_data_map(tomllib.loads(EXAMPLE_MAP.read_text()))
    assert isinstance(data_map, DataMap)
    return data_map


@dataclass
class World:
    """A platform, and a way round mailbot to look at and disturb it."""

    platform: SqlPlatform
    engine: Engine
    url: str
    files: Path

    def table(self, name: str) -> Table:
        return Table(name, MetaData(), autoload_with=self.engine)

    def dump(self) -> Dump:
        """Every row of every table of the platform (mailbot's own journal apart), by its id."""
        metadata = MetaData()
        metadata.reflect(self.engine)
        with self.engine.connect() as connection:
            return {
                table.name: {row.id: dict(row._mapping) for row in connection.execute(select(table))}
                for table in metadata.sorted_tables
                if not table.name.startswith("mailbot_changes")
            }

    def uploads(self) -> dict[str, bytes]:
        """Every file with its content."""
        return {
            str(path.relative_to(self.files)): path.read_bytes()
            for path in self.files.rglob("*")
            if path.is_file()
        }

    def add(self, table: str, **row: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(self.table(table)).values(row))

    def change(self, table: str, number: int, **values: object) -> None:
        there = self.table(table)
        with self.engine.begin() as connection:
            connection.execute(update(there).where(there.c.id == number).values(values))

    def remove(self, table: str, number: int) -> None:
        there = self.table(table)
        with self.engine.begin() as connection:
            connection.execute(delete(there).where(there.c.id == number))

    def user(self, role: str) -> Subject:
        found = [one for one in self.platform.find(PERSONAS[role].address) if one.capacity is Capacity.USER]
        return found[0]

    def visitor(self, role: str, host: str) -> Subject:
        wanted = PERSONAS[host].address
        found = self.platform.find(PERSONAS[role].address)
        return next(one for one in found if one.host is not None and one.host.address == wanted)


def make_world(url: str, files: Path) -> Iterator[World]:
    """The demo platform at `url` and `files`, which are there already."""
    platform = open_platform(url, example_map(), files, lambda: NOW)
    engine = create_engine(url)
    yield World(platform, engine, url, files)
    engine.dispose()
    platform.close()


def copy_of(template: Path, folder: Path) -> tuple[str, Path]:
    """URL and files root of a copy in `folder` of the SQLite demo platform in `template`."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    return f"sqlite:///{folder}/platform.db", folder / "files"
