"""The suppression list: who, when, how; written to the platform and read back; outlives what happens to the account."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import col, select

from mailbot.alarms import Alarms
from mailbot.cli.suppression_files import import_file
from mailbot.core.plan import PlatformTrouble, Resubscribe
from mailbot.core.workflow import State
from mailbot.platform.sql import SqlPlatform
from mailbot.replaying import Replaying
from mailbot.store.tables import LedgerEntry, Suppression
from tests.world import CAMILLE, DELETE_EN, EMILY, World


def standing(world: World, address: str) -> Suppression:
    found = world.app.unsubscribing.status(address)
    assert found is not None
    return found


def subscribed(world: World) -> bool:
    query = "SELECT count(*) FROM newsletter_subscribers WHERE email = :a AND unsubscribed_at IS NULL"
    return world.platform(query, a=EMILY) == [(1,)]


def unsubscribe(world: World, address: str) -> None:
    world.app.unsubscribing.unsubscribe(address, how="link", language=None, now=world.clock.now)
    world.work()


def imported(world: World, folder: Path, *addresses: str) -> str:
    file = folder / "list.csv"
    file.write_text("email\n" + "\n".join(addresses) + "\n", encoding="utf-8")
    return import_file(world.app.store, file, world.clock.now, lambda _: None).by


def alarms_of(world: World) -> Alarms:
    return Alarms(world.app.advance, world.app.config.controller)


def test_who_when_and_how_are_kept_and_the_platform_is_switched_off(world: World) -> None:
    assert subscribed(world)
    unsubscribe(world, EMILY)
    found = standing(world, EMILY)
    assert (found.how, found.by, found.since) == ("link", "person", world.clock.now)
    assert not subscribed(world)


def test_it_outlives_deletion_and_registration_under_the_same_address(world: World) -> None:
    unsubscribe(world, CAMILLE)
    before = standing(world, CAMILLE)
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.confirm(CAMILLE)
    world.platform(
        "INSERT INTO accounts (id, email, name, newsletter, created_at) VALUES (900, :a, 'C', 1, :t)",
        a=CAMILLE,
        t=world.clock.now.replace(tzinfo=None),
    )
    assert standing(world, CAMILLE).since == before.since
    assert standing(world, CAMILLE).lifted_at is None
    Replaying(world.app.store, world.app.platform, world.clock, alarms_of(world)).unsubscribe()
    assert world.platform("SELECT newsletter FROM accounts WHERE id = 900") == [(0,)]


def test_an_import_changes_nothing_about_who_is_on_the_list_and_brings_nobody_back(
    world: World, tmp_path: Path
) -> None:
    unsubscribe(world, EMILY)
    before = standing(world, EMILY)
    imported(world, tmp_path, EMILY, CAMILLE)
    assert (standing(world, EMILY).how, standing(world, EMILY).since) == (before.how, before.since)
    assert standing(world, CAMILLE).how == "import"


def test_an_import_can_be_written_to_the_platform(world: World, tmp_path: Path) -> None:
    imported(world, tmp_path, EMILY)
    assert subscribed(world)
    done = Replaying(world.app.store, world.app.platform, world.clock, alarms_of(world)).unsubscribe()
    assert (done.unsubscribed, done.left) == (1, [])
    assert not subscribed(world)


def test_an_undo_of_an_imported_address_says_who_imported_it_and_who_took_it_back(
    world: World, tmp_path: Path
) -> None:
    by = imported(world, tmp_path, EMILY)
    assert world.app.unsubscribing.undo(EMILY, how="staff", now=world.clock.now, by="staff:stan")
    world.work()
    found = standing(world, EMILY)
    assert (found.how, found.by, found.lifted_at) == ("import", by, world.clock.now)
    with world.app.store.read() as tx:
        entries = tx.session.exec(select(LedgerEntry).order_by(col(LedgerEntry.sequence))).all()
    assert [(one.action, one.actor) for one in entries if one.case_reference] == [
        ("understood_to_act", by),
        ("undone", "staff:stan"),
    ]
    assert subscribed(world)


def test_an_undo_that_the_platform_refuses_is_tried_again_then_shown_to_staff(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsubscribe(world, EMILY)
    real = SqlPlatform.plan

    def plan(self: SqlPlatform, change: object) -> object:
        if isinstance(change, Resubscribe):
            raise PlatformTrouble("the platform is down", later=True)
        return real(self, change)  # type: ignore[arg-type]  # passed on as it came

    with monkeypatch.context() as patched:
        patched.setattr(SqlPlatform, "plan", plan)
        world.app.unsubscribing.undo(EMILY, how="link", now=world.clock.now)
        for _ in range(9):
            world.work()
            world.clock.forward(hours=6)
        assert world.states(EMILY) == [("unsubscribe", State.NOT_UNDONE)]
        assert world.the_request(EMILY).reason == "the platform is down"
        assert not subscribed(world)
    world.staff(EMILY, "approve")
    world.work()
    assert world.states(EMILY) == [("unsubscribe", State.WITHDRAWN)]
    assert subscribed(world)
