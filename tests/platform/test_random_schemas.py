"""Whatever the schema and the data: after a deletion nothing of the person is found, and everything of everybody
else is byte for byte as before. Schemas have composite keys, chains, circles, references of a table to itself,
polymorphic references, soft deletion, JSON columns and rows that only an address leads to."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    create_engine,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Engine

from mailbot.core.data_map import DataMap
from mailbot.core.data_map_reading import read_data_map
from mailbot.core.plan import Deletion
from mailbot.platform import read_back, sql_batches, sql_delete, sql_schema, sql_work
from mailbot.platform.sql import open_platform
from tests.servers.mariadb import PrivateMariaDb
from tests.servers.postgres import PrivatePostgres

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ALICE, OTHERS = "alice@example.org", ("bob@example.net", "malice@example.org")
PEOPLE = (ALICE, *OTHERS)
KINDS = ("linked", "polymorphic", "soft", "json", "by_address")
Dump = dict[str, list[dict[str, object]]]


@dataclass(frozen=True)
class Child:
    """A table of the random schema; `over` is the number of the child it hangs on, None: on people."""

    kind: str
    over: int | None
    refers_to_itself: bool
    rows: int


@dataclass(frozen=True)
class Shape:
    """A random schema. `favourite`: people refer to their first row in the first child, which closes a circle."""

    composite: bool
    favourite: bool
    children: tuple[Child, ...]


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    children: list[Child] = []
    for number in range(draw(st.integers(1, 5))):
        hosts = [None, *(at for at in range(number) if children[at].kind == "linked")]
        kind = draw(st.sampled_from(KINDS))
        over = draw(st.sampled_from(hosts)) if kind == "linked" else None
        children.append(Child(kind, over, draw(st.booleans()), draw(st.integers(0, 4))))
    return Shape(draw(st.booleans()), draw(st.booleans()), tuple(children))


class RandomPlatform:
    """The tables of a shape, its data map, and rows of three people in each table."""

    def __init__(self, shape: Shape, engine: Engine) -> None:
        self.shape = shape
        self.engine = engine
        self.metadata = MetaData()
        self.key = ("tenant", "no") if shape.composite else ("no",)
        circle = shape.favourite and shape.children[0].kind == "linked"
        own = [Column(name, Integer, primary_key=True, autoincrement=False) for name in self.key]
        foreign = (
            [ForeignKeyConstraint(["favourite"], ["child0.id"], use_alter=True, name="fk_fav")]
            if circle
            else []
        )
        self.people = Table(
            "people", self.metadata, *own, Column("email", String(99)), Column("name", String(99)),
            Column("favourite", Integer), *foreign,
        )  # fmt: skip
        self.children = [self._child(number, child) for number, child in enumerate(shape.children)]
        self.metadata.create_all(engine)
        self._fill(circle=circle)

    def _child(self, number: int, child: Child) -> Table:
        columns: list[Column[object]] = [Column("id", Integer, primary_key=True, autoincrement=False)]
        constraints = []
        columns += [Column("text", Text), Column("parent", Integer)]
        if child.refers_to_itself:
            constraints.append(ForeignKeyConstraint(["parent"], [f"child{number}.id"]))
        if child.over is not None:
            columns.append(Column("over_id", Integer, nullable=False))
            constraints.append(ForeignKeyConstraint(["over_id"], [f"child{child.over}.id"]))
        elif child.kind == "polymorphic":
            columns += [
                *(Column(f"owner_{name}", String(20)) for name in self.key),
                Column("owner_type", String(20)),
            ]
        else:
            names = [f"owner_{name}" for name in self.key]
            columns += [Column(name, Integer) for name in names]
            if child.kind != "by_address":
                constraints.append(ForeignKeyConstraint(names, [f"people.{name}" for name in self.key]))
        columns += [Column("document", JSON), Column("address", String(99)), Column("deleted_at", DateTime)]
        return Table(f"child{number}", self.metadata, *columns, *constraints)

    def _fill(self, *, circle: bool) -> None:
        with self.engine.begin() as connection:
            for index, address in enumerate(PEOPLE):
                row = {**self._key_of(index), "email": address, "name": f"Name {index}"}
                connection.execute(insert(self.people).values(row))
            for number, child in enumerate(self.shape.children):
                for index in range(len(PEOPLE)):
                    for row in self._rows(number, child, index):
                        connection.execute(insert(self.children[number]).values(row))
            if circle and self.shape.children[0].rows:
                for index in range(len(PEOPLE)):
                    mine = self.people.c.email == PEOPLE[index]
                    connection.execute(update(self.people).where(mine).values(favourite=self._id(index, 0)))

    def _rows(self, number: int, child: Child, index: int) -> Iterator[dict[str, object]]:
        over_rows = self.shape.children[child.over].rows if child.over is not None else 1
        for at in range(child.rows if over_rows else 0):
            row: dict[str, object] = {"id": self._id(index, at), "text": f"text {number} {index} {at}"}
            before = at - 2 if child.kind == "polymorphic" else at - 1  # of the same type
            if child.refers_to_itself and before >= 0:
                row["parent"] = self._id(index, before)
            if child.over is not None:
                row["over_id"] = self._id(index, at % over_rows)
            elif child.kind == "polymorphic":
                row |= {f"owner_{name}": str(value) for name, value in self._key_of(index).items()}
                row["owner_type"] = "person" if at % 2 == 0 else "thing"
            elif child.kind != "by_address":
                row |= {f"owner_{name}": value for name, value in self._key_of(index).items()}
            if child.kind in ("json", "soft"):
                row["document"] = {"to": [{"mail": PEOPLE[index]}, {"mail": PEOPLE[index]}], "kept": at}
            if child.kind in ("by_address", "soft"):
                row["address"] = f" {PEOPLE[index].title()}"
            yield row

    def _key_of(self, index: int) -> dict[str, int]:
        """With a composite key Alice shares each half of hers with somebody."""
        if not self.shape.composite:
            return {"no": 7 + index}
        return {"tenant": 1 + index % 2, "no": 7 + index // 2}

    def _id(self, index: int, at: int) -> int:
        return 100 * (index + 1) + at

    def data_map(self) -> DataMap:
        places = [
            {
                **WHY,
                "table": "people",
                "on_deletion": "delete",
                "columns": {"email": {"address": True}, "name": {}},
            },
            *(self._place(number, child) for number, child in enumerate(self.shape.children)),
        ]
        user = {"table": "people", "key": list(self.key), "address": "email", "name": "name"}
        found = read_data_map({"subjects": {"user": user}, "places": places})
        assert isinstance(found, DataMap), found
        return found

    def _place(self, number: int, child: Child) -> dict[str, object]:
        place: dict[str, object] = {**WHY, "table": f"child{number}"}
        if child.kind == "by_address":
            return {
                **place,
                "match": ["address"],
                "on_deletion": "delete",
                "columns": {"address": {"address": True}},
            }
        place["path"] = self._path(number)
        if child.kind in ("linked", "polymorphic"):
            return {**place, "on_deletion": "delete"}
        columns: dict[str, object] = {f"owner_{name}": {"on_deletion": "null"} for name in self.key}
        columns["document.to.*.mail"] = {"address": True, "on_deletion": "anonymise", "replacement": "gone"}
        if child.kind == "soft":
            columns |= {
                "address": {"address": True, "on_deletion": "anonymise", "replacement": "deleted-{key}"}
            }
            columns |= {"deleted_at": {"on_deletion": "now"}, "text": {"on_deletion": "null"}}
        return {**place, "on_deletion": "anonymise", "columns": columns}

    def _path(self, number: int) -> list[str]:
        child = self.shape.children[number]
        if child.over is not None:
            return [f"over_id = child{child.over}.id", *self._path(child.over)]
        link = " and ".join(f"owner_{name} = people.{name}" for name in self.key)
        return [f"{link} and owner_type = 'person'" if child.kind == "polymorphic" else link]

    def dump(self) -> Dump:
        with self.engine.connect() as connection:
            return {
                table.name: [
                    dict(row._mapping)
                    for row in connection.execute(select(table).order_by(*table.primary_key))
                ]
                for table in self.metadata.tables.values()
            }

    def is_alices(self, table: str, row: dict[str, object]) -> bool:
        """Worked out a second time: from the number of the row."""
        if table == "people":
            return row["email"] == ALICE
        kind = self.shape.children[int(table.removeprefix("child"))].kind
        mine = isinstance(row["id"], int) and row["id"] // 100 == 1
        return mine and (kind != "polymorphic" or row["owner_type"] == "person")


def _ordered(table: Table) -> Select[tuple[object, ...]]:
    return select(table).order_by(*table.primary_key)


WHY = {"subject": "user", "category": "1", "purpose": "p", "retention": "r"}


def holds(platform: RandomPlatform) -> None:
    before = platform.dump()
    mailbot = open_platform(str(platform.engine.url), platform.data_map(), None, lambda: NOW)
    try:
        (subject,) = mailbot.find(ALICE)
        plan = mailbot.plan(Deletion(subject))
        mailbot.apply(plan, "case-1")
        result = mailbot.read_back(plan.change, plan)
    finally:
        mailbot.close()
    assert result.ok, result
    after = platform.dump()
    words = json.dumps(after, default=str).lower().replace("malice@example.org", "")
    assert ALICE not in words
    for table, rows in before.items():
        others = [row for row in rows if not platform.is_alices(table, row)]
        assert [row for row in after[table] if row in others] == others, table
        stays = table != "people" and platform.shape.children[int(table[5:])].kind in ("soft", "json")
        assert len(after[table]) == (len(rows) if stays else len(others)), table


@contextmanager
def random_platform(shape: Shape, url: str) -> Iterator[RandomPlatform]:
    engine = create_engine(url)
    yield RandomPlatform(shape, engine)
    engine.dispose()


@settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
@given(shapes())
def test_deletions_take_exactly_what_is_theirs_on_sqlite(shape: Shape) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/random.db"
        with random_platform(shape, url) as platform:
            holds(platform)


@settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
@given(shapes())
def test_deletions_take_exactly_what_is_theirs_on_postgresql(postgres: PrivatePostgres, shape: Shape) -> None:
    url = postgres.new_database()
    with random_platform(shape, url) as platform:
        holds(platform)
    postgres.drop(url)


@settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
@given(shapes())
def test_large_deletions_take_exactly_what_is_theirs(monkeypatch: pytest.MonkeyPatch, shape: Shape) -> None:
    """The same where two rows are already too many for one transaction."""
    for module in (read_back, sql_batches, sql_delete, sql_schema, sql_work):
        monkeypatch.setattr(module, "BATCH", 2)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/random.db"
        with random_platform(shape, url) as platform:
            holds(platform)


@settings(max_examples=4, suppress_health_check=list(HealthCheck), deadline=None)
@given(shapes())
def test_deletions_take_exactly_what_is_theirs_on_mariadb(mariadb: PrivateMariaDb, shape: Shape) -> None:
    url = mariadb.new_database()
    with random_platform(shape, url) as platform:
        holds(platform)
    mariadb.drop(url)
