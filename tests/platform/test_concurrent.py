"""A platform goes on being used while mailbot changes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.engine import Connection

from mailbot.core.plan import Applied, Deletion, Plan, PlatformTrouble
from tests.platform.worlds import World, copy_of, make_world
from tests.servers.postgres import PrivatePostgres


@pytest.fixture
def world(
    postgres: PrivatePostgres, postgres_template: str, template: Path, tmp_path: Path
) -> Iterator[World]:
    url = postgres.new_database(postgres_template)
    yield from make_world(url, copy_of(template, tmp_path)[1])
    postgres.drop(url)


class Deleting(threading.Thread):
    """Applies a plan beside the test; keeps what came of it."""

    def __init__(self, world: World, plan: Plan) -> None:
        super().__init__()
        self.world = world
        self.plan = plan
        self.outcome: Applied | PlatformTrouble | None = None

    def run(self) -> None:
        try:
            self.outcome = self.world.platform.apply(self.plan, "case-1")
        except PlatformTrouble as trouble:
            self.outcome = trouble


def add(world: World, connection: Connection, table: str, **row: object) -> None:
    connection.execute(insert(world.table(table)).values(row))


def test_a_log_in_during_the_deletion_is_waited_for_and_goes_too(world: World) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    with world.engine.connect() as connection:
        add(world, connection, "sessions", id=900, account_id=3, x="new")
        deleting = Deleting(world, plan)
        deleting.start()
        deleting.join(1)
        assert deleting.is_alive(), "it waits until the log-in is committed"
        connection.commit()
    deleting.join()
    assert isinstance(deleting.outcome, Applied)
    assert world.platform.read_back(plan.change, plan).ok


def test_a_registration_during_the_deletion_leaves_all_or_nothing_and_is_met_by_trying_again(
    world: World,
) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    before = world.dump()
    with world.engine.connect() as connection:
        add(world, connection, "registrations", id=900, webinar_id=7, email="late@example.org")
        deleting = Deleting(world, plan)
        deleting.start()
        deleting.join(1)
        connection.commit()
    deleting.join()
    if isinstance(deleting.outcome, PlatformTrouble):
        assert deleting.outcome.later
        now = world.dump()
        assert now["registrations"].pop(900)
        assert now == before
        world.platform.apply(plan, "case-1")
    assert world.platform.read_back(plan.change, plan).ok


def test_other_peoples_work_is_not_held_up(world: World) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    with world.engine.connect() as connection:
        add(world, connection, "visits", id=900, account_id=3)
        deleting = Deleting(world, plan)
        deleting.start()
        deleting.join(0.5)
        world.change("accounts", 4, name="J. M.")
        world.add("visits", id=901, account_id=4)
        connection.rollback()
    deleting.join()
    assert isinstance(deleting.outcome, Applied)
