"""A person with very many rows is deleted batch by batch: nobody waits, memory stays flat, a crash is resumed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Table, func, insert, select, text, update

from mailbot.core.plan import Applied, Deletion, PlanGrew
from mailbot.platform.sql import open_platform
from tests.platform.worlds import NOW, ON_EVERY_SERVER, World, copy_of, example_map, make_world
from tests.servers.postgres import PrivatePostgres

CHECKOUT = Path(__file__).parents[2]
CAMILLE = 3
LONGEST_WAIT_SECONDS = 1
MOST_MEBIBYTES = 48

MEASURED = """
import resource, sys
from pathlib import Path
from mailbot.core.plan import Deletion
from mailbot.demo.platform import PERSONAS
from mailbot.platform.sql import open_platform
from tests.platform.worlds import NOW, example_map
platform = open_platform(sys.argv[1], example_map(), Path(sys.argv[2]), lambda: NOW)
small = platform.plan(Deletion(platform.find(PERSONAS["one_click"].address)[0]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
plan = platform.plan(Deletion(platform.find(PERSONAS["delete_account"].address)[0]))
applied = platform.apply(plan, "case-1")
assert platform.read_back(plan.change, plan).ok
print(applied.rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def add_visits(world: World, number: int, account: int = CAMILLE) -> None:
    visits = world.table("visits")
    rows = [
        {"id": 10_000 + account * 1_000_000 + n, "account_id": account, "ip": "198.51.100.3"}
        for n in range(number)
    ]
    with world.engine.begin() as connection:
        for start in range(0, number, 5000):
            connection.execute(insert(visits), rows[start : start + 5000])


def count(world: World, table: str, **where: object) -> int:
    there = world.table(table)
    query = (
        select(func.count())
        .select_from(there)
        .where(*(there.c[name] == value for name, value in where.items()))
    )
    with world.engine.connect() as connection:
        return connection.execute(query).scalar_one()


def crash(world: World, moment: str) -> None:
    program = [sys.executable, "-m", "tests.platform.crash_while_applying"]
    done = subprocess.run([*program, world.url, str(world.files), moment], cwd=CHECKOUT, check=False)
    assert done.returncode == 9, "it died"


@pytest.mark.parametrize(
    "moment",
    ["begun", "in_batch:1", "after_batch:1", "in_batch:3", "after_batch:3", "before_commit", "after_commit"],
)
def test_a_crash_at_any_moment_is_resumed_and_everybody_else_is_as_before(world: World, moment: str) -> None:
    add_visits(world, 3_500)
    add_visits(world, 50, account=4)
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    before = world.dump()
    crash(world, moment)
    if moment != "after_commit":
        assert world.dump()["accounts"][CAMILLE]["ended_at"] is not None, "closed before anything else"
    assert not world.platform.read_back(plan.change, plan).ok, "not done yet, or its files are still there"
    applied = world.platform.apply(plan, "case-1")
    assert world.platform.read_back(plan.change, plan).ok
    assert applied.rows == plan.rows and applied.files == len(plan.files)
    after = world.dump()
    others = {number for number, row in before["visits"].items() if row["account_id"] != CAMILLE}
    assert after["visits"] == {number: before["visits"][number] for number in others}
    assert after["accounts"] == {key: row for key, row in before["accounts"].items() if key != CAMILLE}
    assert count(world, "mailbot_changes_begun") == 0 and count(world, "mailbot_changes") == 1


def test_what_came_meanwhile_stops_it_and_staff_may_go_on(world: World) -> None:
    add_visits(world, 2_500)
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    crash(world, "after_batch:1")
    world.add("uploads", id=900, account_id=CAMILLE, title="New", path="accounts/3/new.pdf")
    with pytest.raises(PlanGrew, match="uploads"):
        world.platform.apply(plan, "case-1")
    shown_again = world.platform.plan(plan.change)
    world.platform.apply(shown_again, "case-1")
    assert world.platform.read_back(plan.change, plan).ok


@ON_EVERY_SERVER
def test_two_processes_with_one_key_do_it_once(world: World) -> None:
    add_visits(world, 3_500)
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    results: list[Applied] = []

    def run() -> None:
        platform = open_platform(world.url, example_map(), world.files, lambda: NOW)
        results.append(platform.apply(plan, "case-1"))
        platform.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.again for result in results) == [False, True, True]
    assert {result.rows for result in results} == {plan.rows}
    assert world.platform.read_back(plan.change, plan).ok


@pytest.fixture
def postgres_world(
    postgres: PrivatePostgres, postgres_template: str, template: Path, tmp_path: Path
) -> Iterator[World]:
    url = postgres.new_database(postgres_template)
    yield from make_world(url, copy_of(template, tmp_path)[1])
    postgres.drop(url)


def test_with_100_000_rows_nobody_waits_a_second_and_memory_stays_flat(postgres_world: World) -> None:
    world = postgres_world
    add_visits(world, 100_000)
    program = [sys.executable, "-c", MEASURED, world.url, str(world.files)]
    deleting = subprocess.Popen(program, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    rounds = 0
    tables = [world.table(name) for name in ("accounts", "visits", "registrations")]
    while deleting.poll() is None:
        rounds += 1
        others_work(world, tables, rounds)
        time.sleep(0.02)
    assert deleting.returncode == 0 and deleting.stdout is not None
    rows, mebibytes = map(int, deleting.stdout.read().split())
    assert rows > 100_000 and rounds > 5
    assert mebibytes < MOST_MEBIBYTES, mebibytes


def others_work(world: World, tables: Sequence[Table], number: int) -> None:
    """What goes on at the same time: a change of another account, a visit of it, a registration elsewhere. The
    database itself refuses when one of them waits too long for a lock: a loaded machine is no excuse or blame."""
    accounts, visits, registrations = tables
    with world.engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_WAIT_SECONDS}s'"))
        connection.execute(update(accounts).where(accounts.c.id == 4).values(city=f"City {number}"))
        connection.execute(insert(visits).values(id=9_000_000 + number, account_id=4))
        row = {"id": 9_000_000 + number, "webinar_id": 1, "email": "late@example.org"}
        connection.execute(insert(registrations).values(row))
