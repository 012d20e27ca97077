"""The check says what in the map and the schema does not fit, each with its mend."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from sqlalchemy import text

from mailbot.core.data_map import DataMap, OnDeletion
from mailbot.core.plan import PlatformTrouble
from mailbot.platform.interface import CheckLine, CheckStatus
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


def test_a_table_that_reaches_a_person_over_others_fails_with_the_path_to_write(world: World) -> None:
    run(world, "CREATE TABLE notes (id integer primary key, account_id integer references accounts(id))")
    run(world, "CREATE TABLE note_lines (id integer primary key, note_id integer references notes(id))")
    found = [line for line in checked(world) if '"note_lines"' in line.what]
    assert [line.status for line in found] == [CheckStatus.FAILED]
    assert 'path = ["note_id = notes.id", "account_id = accounts.id"]' in found[0].mend


def test_what_somebody_looked_at_is_not_told_again(world: World) -> None:
    run(world, "CREATE TABLE leads (id integer primary key, email varchar(99))")
    run(world, "ALTER TABLE accounts ADD COLUMN birth_date date")
    silent = dataclasses.replace(example_map(), not_personal=frozenset({"leads", "accounts.birth_date"}))
    assert [line.status for line in checked(world, silent)] == [CheckStatus.OK]


@pytest.mark.parametrize("world", ["postgresql"], indirect=True)
def test_rows_that_would_cascade_unseen_fail(world: World) -> None:
    run(world, "ALTER TABLE visits ADD COLUMN webinar_id integer REFERENCES webinars(id) ON DELETE CASCADE")
    run(world, "ALTER TABLE uploads ADD COLUMN by_id integer REFERENCES accounts(id) ON DELETE SET NULL")
    told = lines(world)
    what = '"visits.webinar_id" would cascade unseen when rows of webinars are deleted'
    assert (CheckStatus.FAILED, what) in told
    assert (
        CheckStatus.WARNING,
        '"uploads.by_id" is emptied unseen when rows of accounts are deleted',
    ) in told


@pytest.mark.parametrize("world", ["postgresql"], indirect=True)
def test_a_circle_that_cannot_be_opened_fails_and_one_that_can_does_not(world: World) -> None:
    run(world, "ALTER TABLE accounts ADD COLUMN best_webinar integer REFERENCES webinars(id)")
    assert not [what for _, what in lines(world) if "circle" in what]
    run(world, "UPDATE accounts SET best_webinar = 1")
    run(world, "ALTER TABLE accounts ALTER COLUMN best_webinar SET NOT NULL")
    assert [status for status, what in lines(world) if "closes a circle" in what] == [CheckStatus.FAILED]


def test_a_blank_that_the_column_does_not_take_fails(world: World) -> None:
    example = example_map()
    payments = next(place for place in example.places if place.table == "payments")
    uploads = next(place for place in example.places if place.table == "uploads")
    path = dataclasses.replace(uploads.columns[0], on_deletion=OnDeletion.NULL)
    changed = dataclasses.replace(
        payments,
        name="uploads too",
        table="uploads",
        columns=(path,),
        keeping=None,
        on_deletion=OnDeletion.ANONYMISE,
    )
    map_with = dataclasses.replace(example, places=(*example.places, changed))
    whats = [line.what for line in checked(world, map_with) if line.status is CheckStatus.FAILED]
    assert whats == ['places (uploads too, user): "path" cannot be null']


def test_a_large_table_of_addresses_wants_an_index_on_the_expression(world: World) -> None:
    def wants() -> bool:
        return any(
            '"registrations.email" has no index on lower(trim(email))' in line.what for line in checked(world)
        )

    registrations = world.table("registrations")
    rows = [{"id": 10_000 + n, "webinar_id": 1, "email": f"v{n}@example.org"} for n in range(10_001)]
    with world.engine.begin() as connection:
        for start in range(0, len(rows), 2_000):
            connection.execute(registrations.insert(), rows[start : start + 2_000])
    assert wants()
    run(world, "CREATE INDEX ix_lower ON registrations (lower(trim(email)))")
    assert not wants()


def checked(world: World, data_map: DataMap | None = None) -> tuple[CheckLine, ...]:
    platform = open_platform(world.url, data_map or example_map(), world.files)
    found = platform.check()
    platform.close()
    return found
