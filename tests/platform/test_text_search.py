"""Read-back looks into every text column that the map does not name, says where and how often, never what."""

from __future__ import annotations

import dataclasses
import time

import pytest
from sqlalchemy import text

from mailbot.core.plan import Deletion, ReadBack
from mailbot.demo.platform import PERSONAS
from mailbot.platform.sql import open_platform
from tests.platform.worlds import NOW, ON_EVERY_SERVER, World, example_map

CAMILLE = PERSONAS["delete_account"].address
ROWS = 120_000
LONGEST_SECONDS = 20


def run(world: World, statement: str, *rows: dict[str, object]) -> None:
    with world.engine.begin() as connection:
        connection.execute(text(statement), list(rows) or None)


def deleted(world: World, **search: object) -> ReadBack:
    data_map = example_map()
    rules = dataclasses.replace(data_map.text_search, **search)  # type: ignore[arg-type]  # keys of TextSearch
    platform = open_platform(
        world.url, dataclasses.replace(data_map, text_search=rules), world.files, lambda: NOW
    )
    plan = platform.plan(Deletion(world.user("delete_account")))
    platform.apply(plan, "case-1")
    result = platform.read_back(plan.change, plan)
    platform.close()
    return result


@ON_EVERY_SERVER
def test_an_address_in_unmapped_columns_is_told_by_table_column_and_count(world: World) -> None:
    run(world, "CREATE TABLE mail_log (id integer primary key, line text, extra varchar(99), size integer)")
    row = "INSERT INTO mail_log (id, line, extra) VALUES (:id, :line, :extra)"
    run(world, row, {"id": 1, "line": f"to=<{CAMILLE.upper()}>, sent", "extra": None})
    run(world, row, {"id": 2, "line": "nothing", "extra": CAMILLE})
    run(world, row, {"id": 3, "line": f"x{CAMILLE} y", "extra": f"{CAMILLE}.net"})
    result = deleted(world)
    assert not result.ok and not result.findings and not result.unsearched
    assert {(one.place, one.column, one.count) for one in result.unmapped} == {
        ("mail_log", "line", 1),
        ("mail_log", "extra", 1),
    }
    assert CAMILLE not in repr(result) and "mail_log.line (1)" in result.reason


def test_what_the_map_names_is_judged_by_the_map(world: World) -> None:
    world.add("chat_messages", id=90, webinar_id=1, author_email="bela@example.net", text=f"I miss {CAMILLE}")
    assert deleted(world).ok, "what others said stays theirs"


def test_a_table_that_is_left_out_or_a_search_that_is_off_finds_nothing(world: World) -> None:
    run(world, "CREATE TABLE mail_log (id integer primary key, line text)")
    run(world, "INSERT INTO mail_log VALUES (1, :line)", {"line": CAMILLE})
    assert deleted(world, leave_out=frozenset({"mail_log"})).ok


def test_json_and_other_kinds_of_text_are_searched_too(world: World) -> None:
    run(world, "CREATE TABLE hooks (id integer primary key, body json)")
    run(world, "INSERT INTO hooks VALUES (1, :body)", {"body": f'{{"to": ["{CAMILLE}"]}}'})
    assert [(one.place, one.column) for one in deleted(world).unmapped] == [("hooks", "body")]


@pytest.mark.parametrize("world", ["sqlite", "postgresql"], indirect=True)
def test_a_table_that_takes_too_long_is_said_not_to_be_searched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(world, "CREATE TABLE mail_log (id integer primary key, line text)")
    line = "x@example.org " * 400
    for start in range(0, 20_000, 5_000):
        rows = [{"id": start + n, "line": line} for n in range(5_000)]
        run(world, "INSERT INTO mail_log VALUES (:id, :line)", *rows)
    monkeypatch.setattr("mailbot.platform.text_search.LEAST_SECONDS", 0.01)
    result = deleted(world, seconds=0.01)
    assert not result.ok and "mail_log (took too long)" in result.reason


def test_more_than_100_000_rows_are_searched_in_seconds(world: World) -> None:
    run(world, "CREATE TABLE mail_log (id integer primary key, line text)")
    for start in range(0, ROWS, 10_000):
        rows = [{"id": start + n, "line": f"to=<reader{start + n}@example.net>, sent"} for n in range(10_000)]
        run(world, "INSERT INTO mail_log VALUES (:id, :line)", *rows)
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    world.platform.apply(plan, "case-1")
    started = time.monotonic()
    assert world.platform.read_back(plan.change, plan).ok
    assert time.monotonic() - started < LONGEST_SECONDS
