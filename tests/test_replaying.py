"""After a restored backup of the platform the deleted are deleted again and the unsubscribed unsubscribed, by keyed
hashes alone; who registered again stays. Restored from a real dump: an SQLite file, pg_dump and pg_restore."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from mailbot.alarms import Alarms
from mailbot.cli.program import app as program
from mailbot.core.plan import PlatformTrouble
from mailbot.demo.platform import create_demo_platform
from mailbot.platform.interface import WalkedPlatform
from mailbot.replaying import Limits, Replayed, Replaying
from mailbot.store import cases, ledger, suppressions
from mailbot.store.database import Transaction
from mailbot.store.tables import LedgerEntry
from tests.servers.postgres import PrivatePostgres
from tests.world import CAMILLE, DELETE_EN, EMILY, JUERGEN, START, VERA, Builder, World


@dataclass
class Restorable:
    """A world whose platform can be put back to where it was when the backup was made."""

    world: World
    back_up: Callable[[], None]
    restore: Callable[[], None]
    told: list[int] = field(default_factory=list)

    def replay(self, *, dry: bool = False, limits: Limits | None = None) -> Replayed:
        app = self.world.app
        alarms = Alarms(app.advance, app.config.controller)
        return Replaying(app.store, app.platform, app.clock, alarms, self.told.append).run(
            limits or Limits(most_percent=100), dry=dry
        )

    def count(self, table: str, address: str) -> int:
        ((count,),) = self.world.platform(
            f"SELECT count(*) FROM {table} WHERE email = :a", a=address
        )  # a name of ours
        return int(count)


@pytest.fixture(params=["sqlite", "postgresql"])
def backed_up(request: pytest.FixtureRequest, builder: Builder, tmp_path: Path) -> Iterator[Restorable]:
    builder.smtp.clear()
    with ExitStack() as stack:
        if request.param == "sqlite":
            world = stack.enter_context(builder.world(tmp_path / "world"))
            file, copy = tmp_path / "world" / "platform.db", tmp_path / "backup.db"
            made = Restorable(world, lambda: _copy(world, file, copy), lambda: _copy(world, copy, file))
        else:
            server: PrivatePostgres = request.getfixturevalue("postgres")
            url = server.new_database()
            create_demo_platform(url, tmp_path / "files", START)
            world = stack.enter_context(
                builder.world(
                    tmp_path / "world", more={"platform": {"url": url, "files_root": str(tmp_path / "files")}}
                )
            )
            dump = tmp_path / "backup.dump"
            made = Restorable(
                world, lambda: server.dump(url, dump), lambda: _pg_restore(world, server, dump, url)
            )
        made.back_up()
        yield made


def _copy(world: World, source: Path, target: Path) -> None:
    world.app.platform.close()
    shutil.copy(source, target)


def _pg_restore(world: World, server: PrivatePostgres, dump: Path, url: str) -> None:
    world.app.platform.close()
    server.restore(dump, url)


def delete(world: World, address: str) -> None:
    world.write(address, "Delete my account", DELETE_EN)
    world.confirm(address)
    assert ("deletion", "done") in world.states(address)


def test_after_a_restored_dump_the_deleted_go_again_and_the_unsubscribed_get_no_mail(
    backed_up: Restorable,
) -> None:
    world = backed_up.world
    delete(world, CAMILLE)
    world.app.unsubscribing.unsubscribe(EMILY, how="link", language=None, now=world.clock.now)
    world.work()
    backed_up.restore()
    assert backed_up.count("accounts", CAMILLE) == 1
    assert world.platform(
        "SELECT count(*) FROM newsletter_subscribers WHERE email = :a AND unsubscribed_at IS NULL", a=EMILY
    ) == [(1,)]

    dry = backed_up.replay(dry=True)
    assert (dry.to_delete, dry.deleted, dry.to_unsubscribe, dry.unsubscribed) == (1, 0, 1, 0)
    assert backed_up.count("accounts", CAMILLE) == 1

    done = backed_up.replay()
    assert (done.deleted, done.unsubscribed, done.left, done.stopped) == (1, 1, [], "")
    assert backed_up.told[-1] == done.addresses
    assert backed_up.count("accounts", CAMILLE) == 0
    assert backed_up.count("accounts", JUERGEN) == 1
    assert world.platform(
        "SELECT count(*) FROM newsletter_subscribers WHERE email = :a AND unsubscribed_at IS NULL", a=EMILY
    ) == [(0,)]

    again = backed_up.replay()
    assert (again.to_delete, again.to_unsubscribe, again.left) == (0, 0, [])
    with world.app.store.read() as tx:
        assert isinstance(ledger.check(tx), int)
        entries = tx.session.exec(select(LedgerEntry)).all()
    assert [one.action for one in entries if one.action.endswith("_again")] == [
        "deleted_again",
        "unsubscribed_again",
    ]
    assert not any("@" in str(one.details) for one in entries)


def test_who_registered_again_after_the_deletion_stays(backed_up: Restorable) -> None:
    world = backed_up.world
    delete(world, CAMILLE)
    backed_up.restore()
    later = world.clock.now + timedelta(hours=1)
    world.platform(
        "UPDATE accounts SET created_at = :t WHERE email = :a", a=CAMILLE, t=later.replace(tzinfo=None)
    )
    done = backed_up.replay()
    assert (done.deleted, done.registered_again, done.left) == (0, 1, [])
    assert backed_up.count("accounts", CAMILLE) == 1


def test_an_account_that_the_backup_gave_another_key_is_left_to_staff(backed_up: Restorable) -> None:
    world = backed_up.world
    delete(world, CAMILLE)
    world.platform("UPDATE accounts SET email = :a WHERE email = :b", a=CAMILLE, b=JUERGEN)
    done = backed_up.replay()
    assert done.deleted == 0
    assert [one.why for one in done.left] == [
        "an account with another key was deleted under the same address"
    ]
    assert not done.is_clean

    backed_up.replay()
    with world.app.store.read() as tx:
        ((request, case),) = cases.waiting_for_staff(tx)
        note = cases.result_of(tx, case, request).note
    assert (case.channel, request.kind) == ("replay", "other"), "one line, though the run was made again"
    assert "1 because: an account with another key" in request.reason
    assert CAMILLE not in request.reason
    assert done.left[0].key not in request.reason
    assert note == f"{done.left[0].key}: {done.left[0].why}"
    assert len(world.letters(CAMILLE)) == 2, "the question and the answer of the deletion; nothing since"


def test_a_dry_run_and_a_clean_one_bring_nothing_to_staff(backed_up: Restorable) -> None:
    world = backed_up.world
    delete(world, CAMILLE)
    backed_up.replay()
    world.platform("UPDATE accounts SET email = :a WHERE email = :b", a=CAMILLE, b=JUERGEN)
    assert backed_up.replay(dry=True).left
    with world.app.store.read() as tx:
        assert cases.waiting_for_staff(tx) == []


def test_a_visitor_is_deleted_again_at_the_host_where_they_were_and_nowhere_else(
    backed_up: Restorable,
) -> None:
    world = backed_up.world
    everywhere = backed_up.count("registrations", VERA)
    subject = next(one for one in world.app.platform.find(VERA) if one.host is not None)
    with world.app.store.begin() as tx:
        was_deleted(tx, subject.address, subject.key, world)
    done = backed_up.replay()
    assert done.deleted == 1
    here = [one for one in world.app.platform.find(VERA) if one.host and one.host.key == subject.host.key]  # type: ignore[union-attr]  # it has one
    assert here == []
    assert backed_up.count("registrations", VERA) < everywhere


def test_too_large_a_share_stops_the_run_before_anything_is_changed(backed_up: Restorable) -> None:
    world = backed_up.world
    ((accounts,),) = world.platform("SELECT count(*) FROM accounts")
    with world.app.store.begin() as tx:
        for number, address in world.platform("SELECT id, email FROM accounts"):
            was_deleted(tx, str(address), f"accounts:{number}", world)
    done = backed_up.replay(limits=Limits(most_percent=5))
    assert done.stopped.endswith(f"--yes-delete-all {accounts}")
    assert world.platform("SELECT count(*) FROM accounts") == [(accounts,)]
    wrong = backed_up.replay(limits=Limits(most_percent=5, agreed=accounts - 1))
    assert wrong.stopped
    right = backed_up.replay(limits=Limits(5, accounts, despite_vetoes=True))
    assert (right.stopped, right.deleted, right.left) == ("", accounts, [])


def test_what_the_map_wants_staff_to_see_first_is_left_to_them(backed_up: Restorable) -> None:
    world = backed_up.world
    ((number, address),) = world.platform(
        "SELECT id, email FROM accounts WHERE id IN (SELECT host_id FROM webinars WHERE starts_at > :t) "
        "ORDER BY id LIMIT 1",
        t=world.clock.now.replace(tzinfo=None),
    )
    with world.app.store.begin() as tx:
        was_deleted(tx, str(address), f"accounts:{number}", world)
    done = backed_up.replay()
    assert done.deleted == 0
    assert done.left[0].why.startswith("future_events:")


def test_a_run_that_was_cut_off_is_run_again_and_finds_what_is_left(
    backed_up: Restorable, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = backed_up.world
    delete(world, CAMILLE)
    delete(world, JUERGEN)
    backed_up.restore()
    platform: WalkedPlatform = world.app.platform
    real, calls = type(platform).plan, iter(range(9))

    def plan(self: WalkedPlatform, change: object) -> object:
        if next(calls) == 1:
            raise PlatformTrouble("the connection is gone", later=True)
        return real(self, change)  # type: ignore[arg-type]  # passed on as it came

    with monkeypatch.context() as patched:
        patched.setattr(type(platform), "plan", plan)
        with pytest.raises(PlatformTrouble):
            backed_up.replay()
    done = backed_up.replay()
    assert (done.to_delete, done.deleted) == (1, 1)
    assert backed_up.count("accounts", CAMILLE) == backed_up.count("accounts", JUERGEN) == 0


def was_deleted(tx: Transaction, address: str, scope: str, world: World) -> None:
    """The erasure ledger says that somebody was deleted just now."""
    suppressions.remember_erasure(tx, [address], scope, world.clock.now)


def test_the_commands_say_what_they_did_in_one_object(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    made = CliRunner().invoke(program, ["demo", "--files", str(folder)])
    assert made.exit_code == 0, made.output
    listed = tmp_path / "list.csv"
    listed.write_text(f"email\n{EMILY}\n", encoding="utf-8")

    def call(*words: str) -> dict[str, object]:
        ended = CliRunner().invoke(program, ["--config", str(folder / "config.toml"), "--json", *words])
        assert ended.exit_code == 0, ended.output
        said: dict[str, object] = json.loads(ended.stdout)
        return said

    call("db", "upgrade")
    imported = call("unsubscribe", "import", "--platform", str(listed))
    assert (imported["added"], imported["switched_off"], imported["left"]) == (1, 1, 0)
    done = call("platform", "replay")
    assert (done["to_delete"], done["to_unsubscribe"], done["left"], done["stopped"]) == (0, 0, [], "")
    assert int(str(done["addresses"])) > int(str(done["accounts"])) > 0
