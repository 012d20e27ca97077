"""The check says what in the map and the schema does not fit, each with its mend."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from sqlalchemy import text

from mailbot.core.plan import PlatformTrouble
from mailbot.platform.interface import CheckStatus
from mailbot.platform.sql import open_platform
from tests.platform.worlds import ON_EVERY_SERVER, World, example_map


def run(world: World, statement: str) -> None:
    with world.engine.begin() as connection:
        connection.execute(text(statement))


def lines(world: World) -> list[tuple[CheckStatus, str]]:
    platform = open_platform(world.url, example_map(), world.files)
    found = [(line.status, line.what) for line in platform.check()]
    platform.close()
    return found


@ON_EVERY_SERVER
def test_the_example_map_fits_the_demo_platform(world: World) -> None:
    assert [status for status, _ in lines(world)] == [CheckStatus.OK]


def test_a_vanished_column_is_named_with_the_place_that_needs_it(world: World) -> None:
    run(world, "ALTER TABLE accounts DROP COLUMN job_title")
    assert (CheckStatus.FAILED, 'places (accounts, user): column "job_title" is not in "accounts"') in lines(
        world
    )


@ON_EVERY_SERVER
def test_an_unmapped_table_that_refers_to_a_person_fails(world: World) -> None:
    run(world, "CREATE TABLE notes (id integer primary key, account_id integer references accounts(id))")
    assert (CheckStatus.FAILED, 'table "notes" refers to accounts and is not in the data map') in lines(world)


def test_columns_and_tables_that_look_personal_are_warned_of(world: World) -> None:
    run(world, "ALTER TABLE accounts ADD COLUMN birth_date date")
    run(world, "CREATE TABLE leads (id integer primary key, email varchar(99))")
    whats = [what for status, what in lines(world) if status is CheckStatus.WARNING]
    assert any('"birth_date"' in what for what in whats) and any('"leads"' in what for what in whats)


def test_a_link_without_index_is_warned_of(world: World) -> None:
    run(world, "DROP INDEX ix_visits_account_id")
    assert (CheckStatus.WARNING, '"visits.account_id" has no index') in lines(world)


def test_a_map_of_another_database_is_trouble_with_a_hint_not_a_crash(sqlite_world: World) -> None:
    run(sqlite_world, "ALTER TABLE accounts RENAME TO members")
    platform = open_platform(sqlite_world.url, example_map(), sqlite_world.files)
    try:
        platform.find("alice.martin@example.org")
    except PlatformTrouble as trouble:
        assert "platform check" in str(trouble) and not trouble.later
    assert any(line.status is CheckStatus.FAILED for line in platform.check())


def test_a_missing_files_root_fails(sqlite_world: World, tmp_path: Path) -> None:
    platform = open_platform(sqlite_world.url, example_map(), tmp_path / "nowhere")
    assert [line.status for line in platform.check()] == [CheckStatus.FAILED]
    bare = open_platform(sqlite_world.url, dataclasses.replace(example_map()), None)
    assert [line.status for line in bare.check()] == [CheckStatus.FAILED]
