"""A deletion takes what is the person's and nothing else, once, and can be finished after a crash."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot.core.plan import Action, Applied, Deletion, NothingChanged, PlanGrew, PlatformTrouble, Subject
from mailbot.demo.platform import PERSONAS
from mailbot.platform.sql import open_platform
from tests.platform.worlds import NOW, ON_EVERY_SERVER, Dump, World, example_map

CHECKOUT = Path(__file__).parents[2]


def untouched(before: Dump, after: Dump, allowed: dict[str, set[object]]) -> None:
    """Every row that was not allowed to change is there and equal, and nothing was added."""
    for table, rows in before.items():
        expected = {key: row for key, row in rows.items() if key not in allowed.get(table, set())}
        remaining = {key: row for key, row in after[table].items() if key not in allowed.get(table, set())}
        assert remaining == expected, table


def rows_where(dump: Dump, table: str, **wanted: object) -> set[object]:
    return {
        key
        for key, row in dump[table].items()
        if all(row[column] == value for column, value in wanted.items())
    }


def delete(world: World, subject: Subject, key: str = "case-1") -> Applied:
    plan = world.platform.plan(Deletion(subject))
    applied = world.platform.apply(plan, key)
    result = world.platform.read_back(plan.change, plan)
    assert result.ok, result.findings
    return applied


def crash(world: World, moment: str) -> int:
    """A process of its own deletes Camille and dies; its exit status."""
    program = [sys.executable, "-m", "tests.platform.crash_while_applying"]
    done = subprocess.run([*program, world.url, str(world.files), moment], cwd=CHECKOUT, check=False)
    return done.returncode


@ON_EVERY_SERVER
def test_a_user_is_gone_everywhere_and_everybody_else_is_as_before(world: World) -> None:
    before, files = world.dump(), world.uploads()
    delete(world, world.user("delete_account"))
    after = world.dump()
    gone = {
        "accounts": {3},
        "webinars": {7},
        "registrations": rows_where(before, "registrations", webinar_id=7),
        "chat_messages": rows_where(before, "chat_messages", webinar_id=7),
        "uploads": rows_where(before, "uploads", account_id=3),
        "sessions": rows_where(before, "sessions", account_id=3),
        "visits": rows_where(before, "visits", account_id=3),
        "newsletter_subscribers": {3},
    }
    for table, keys in gone.items():
        assert keys and not keys & after[table].keys(), table
    untouched(before, after, {**gone, "payments": rows_where(before, "payments", account_id=3)})
    assert world.uploads() == {
        path: kept for path, kept in files.items() if not path.startswith("accounts/3/")
    }
    assert world.platform.find(PERSONAS["delete_account"].address) == ()


@ON_EVERY_SERVER
def test_payments_stay_on_their_ground_without_naming_the_person(world: World) -> None:
    before = world.dump()["payments"]
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    kept = next(step for step in plan.kept if step.place == "payments")
    assert kept.rows == 2 and "accounting" in kept.why and kept.until is not None and kept.until.year == 2036
    world.platform.apply(plan, "case-1")
    after = world.dump()["payments"]
    for key in (30, 31):
        assert after[key] == {**before[key], "account_id": None, "payer_email": None}


def test_payments_past_their_end_are_deleted_with_the_account(world: World) -> None:
    world.change("payments", 31, paid_at=NOW - timedelta(days=11 * 366))
    delete(world, world.user("delete_account"))
    assert world.dump()["payments"].keys() >= {30} and 31 not in world.dump()["payments"]


@ON_EVERY_SERVER
def test_a_company_goes_only_with_its_last_account(world: World) -> None:
    delete(world, world.user("delete_account"), "first")
    assert 3 in world.dump()["companies"]
    delete(world, world.user("two_things"), "second")
    assert 3 in world.dump()["companies"]
    delete(world, world.user("lithuanian"), "third")
    assert 3 not in world.dump()["companies"]


@ON_EVERY_SERVER
def test_a_visitor_is_deleted_at_one_host_only(world: World) -> None:
    before = world.dump()
    delete(world, world.visitor("visitor", "host"))
    after = world.dump()
    untouched(before, after, {"registrations": {1, 2}, "chat_messages": {1}})
    assert not {1, 2} & after["registrations"].keys() and 1 not in after["chat_messages"]
    hosts = [subject.host.key for subject in world.platform.find(PERSONAS["visitor"].address) if subject.host]
    assert hosts == ["accounts:2"]


def test_a_chat_message_that_names_a_visitor_without_a_registration_goes_too(world: World) -> None:
    vera = PERSONAS["visitor"].address
    world.add("chat_messages", id=90, webinar_id=1, author_email=vera.upper(), text="hello")
    world.add("chat_messages", id=91, webinar_id=4, author_email=vera, text="elsewhere")
    delete(world, world.visitor("visitor", "host"))
    assert 90 not in world.dump()["chat_messages"] and 91 in world.dump()["chat_messages"]


def test_deleting_an_account_leaves_what_its_owner_left_with_other_hosts(world: World) -> None:
    before = world.dump()
    plan = world.platform.plan(Deletion(world.user("user_and_visitor")))
    assert [step.rows for step in plan.kept if step.place == "registrations"] == [2]
    delete(world, world.user("user_and_visitor"))
    kept = rows_where(before, "registrations", email=PERSONAS["user_and_visitor"].address)
    assert kept <= world.dump()["registrations"].keys()


def test_the_plan_is_what_is_done(world: World) -> None:
    subject = world.user("host")
    before = world.dump()
    plan = world.platform.plan(Deletion(subject))
    applied = world.platform.apply(plan, "case-1")
    after = world.dump()
    assert applied.rows == plan.rows and applied.files == len(plan.files) == 4
    gone = {table: len(rows) - len(after[table]) for table, rows in before.items()}
    planned = {step.place: step.rows for step in plan.steps if step.action is Action.DELETE}
    assert {place: rows for place, rows in planned.items() if not place.startswith("files:")} == {
        table: count for table, count in gone.items() if count
    }


def test_a_host_with_events_to_come_or_many_visitors_needs_a_second_pair_of_eyes(world: World) -> None:
    def vetoes(role: str) -> list[str]:
        plan = world.platform.plan(Deletion(world.user(role)))
        return [veto.partition(":")[0] for veto in plan.vetoes]

    assert vetoes("host") == ["future_events"]
    assert vetoes("many_visitors") == ["many_visitors"]
    assert vetoes("delete_account") == []


def test_planning_changes_nothing(world: World) -> None:
    before = world.dump()
    world.platform.plan(Deletion(world.user("host")))
    world.platform.check()
    assert world.dump() == before


def test_the_same_platform_makes_the_same_plan(world: World) -> None:
    change = Deletion(world.user("host"))
    assert world.platform.plan(change) == world.platform.plan(change)


@ON_EVERY_SERVER
def test_a_plan_that_grew_is_stopped_and_nothing_is_changed(world: World) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    world.add("uploads", id=900, account_id=3, title="New", path="accounts/3/new.pdf")
    before = world.dump()
    with pytest.raises(PlanGrew) as stopped:
        world.platform.apply(plan, "case-1")
    assert "uploads" in stopped.value.places
    assert world.dump() == before and len(world.uploads()) > 0
    shown_again = world.platform.plan(plan.change)
    assert world.platform.apply(shown_again, "case-1").rows == shown_again.rows


def test_an_event_announced_after_the_plan_was_shown_stops_it(world: World) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    world.add("webinars", id=900, host_id=3, title="Soon", starts_at=NOW + timedelta(days=1))
    with pytest.raises(PlanGrew, match="future_events"):
        world.platform.apply(plan, "case-1")


def test_a_new_session_or_visit_is_no_surprise_and_goes_too(world: World) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    world.add("visits", id=900, account_id=3, ip="198.51.100.3")
    world.platform.apply(plan, "case-1")
    assert world.platform.read_back(plan.change, plan).ok
    assert 900 not in world.dump()["visits"]


def test_an_address_changed_between_proof_and_deletion_stops_it(world: World) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    world.change("accounts", 3, email="mallory@example.net")
    with pytest.raises(PlanGrew, match="address_changed"):
        world.platform.apply(plan, "case-1")
    assert 3 in world.dump()["accounts"]


def test_somebody_else_having_deleted_it_is_to_be_explained(world: World) -> None:
    subject = world.visitor("visitor", "host_ask")
    plan = world.platform.plan(Deletion(subject))
    world.remove("chat_messages", 2)
    world.remove("registrations", 3)
    with pytest.raises(NothingChanged):
        world.platform.apply(plan, "case-1")


def test_the_same_key_again_changes_nothing_more(world: World) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    first = world.platform.apply(plan, "case-1")
    after = world.dump()
    again = world.platform.apply(plan, "case-1")
    assert not first.again and again.again and again.rows == first.rows
    assert world.dump() == after and world.platform.read_back(plan.change, plan).ok


@ON_EVERY_SERVER
def test_two_processes_with_one_key_do_it_once(world: World) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    results: list[Applied] = []

    def run() -> None:
        platform = open_platform(world.url, example_map(), world.files, lambda: NOW)
        results.append(platform.apply(plan, "case-1"))
        platform.close()

    world.platform.find("nobody@example.org")
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.again for result in results) == [False, True, True, True]
    assert world.platform.read_back(plan.change, plan).ok


@ON_EVERY_SERVER
@pytest.mark.parametrize("moment", ["before_commit", "after_commit", "between_files"])
def test_a_crash_at_any_moment_leaves_it_resumable(world: World, moment: str) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    assert crash(world, moment) == 9
    assert any(path.startswith("accounts/3/") for path in world.uploads())
    assert not world.platform.read_back(plan.change, plan).ok
    world.platform.apply(plan, "case-1")
    assert world.platform.read_back(plan.change, plan).ok
    assert not any(path.startswith("accounts/3/") for path in world.uploads())


def test_files_left_open_by_a_crash_are_removed_at_the_next_start(world: World) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    assert crash(world, "after_commit") == 9
    assert world.platform.finish_open() == 2
    assert world.platform.finish_open() == 0
    assert world.platform.read_back(plan.change, plan).ok


@pytest.mark.parametrize(
    "path", ["../outside.txt", "/etc/outside.txt", "accounts/3/../4/portrait.png", "link/x"]
)
def test_a_path_that_leads_elsewhere_is_never_followed(
    sqlite_world: World, tmp_path: Path, path: str
) -> None:
    world = sqlite_world
    (tmp_path / "outside.txt").write_text("not theirs")
    (tmp_path / "x").write_text("not theirs")
    (world.files / "link").symlink_to(tmp_path)
    world.add("uploads", id=900, account_id=3, title="?", path=path)
    before = world.uploads()
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    assert any(veto.startswith("unsafe_path: 1") for veto in plan.vetoes) and path not in plan.files
    world.platform.apply(plan, "case-1")
    assert world.platform.read_back(plan.change, plan).ok
    assert (tmp_path / "outside.txt").exists() and (tmp_path / "x").exists()
    assert world.uploads() == {
        name: kept for name, kept in before.items() if not name.startswith("accounts/3/")
    }


def test_a_file_that_another_account_names_too_stays(sqlite_world: World) -> None:
    world = sqlite_world
    world.add("uploads", id=900, account_id=3, title="?", path="accounts/4/portrait.png")
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    assert any(veto.startswith("shared_file: 1") for veto in plan.vetoes)
    world.platform.apply(plan, "case-1")
    assert "accounts/4/portrait.png" in world.uploads()


def test_a_link_is_removed_itself_and_not_what_it_points_to(sqlite_world: World) -> None:
    world = sqlite_world
    (world.files / "accounts/3/shared.png").symlink_to(world.files / "accounts/4/portrait.png")
    world.add("uploads", id=900, account_id=3, title="?", path="accounts/3/shared.png")
    delete(world, world.user("delete_account"))
    assert not (world.files / "accounts/3/shared.png").is_symlink()
    assert (world.files / "accounts/4/portrait.png").exists()


@ON_EVERY_SERVER
def test_read_back_sees_every_kind_of_leftover(world: World) -> None:
    plan = world.platform.plan(Deletion(world.user("delete_account")))
    world.platform.apply(plan, "case-1")
    camille = PERSONAS["delete_account"].address
    world.add("newsletter_subscribers", id=900, email=f"  {camille.title()} ")
    world.change("payments", 30, payer_email=camille)
    (world.files / "accounts/3/portrait.png").write_bytes(b"back again")
    found = world.platform.read_back(plan.change, plan)
    assert not found.ok
    assert {(one.place, one.column, one.count) for one in found.findings} == {
        ("newsletter_subscribers", "email", 1),
        ("payments", "payer_email", 1),
        ("files", "path", 1),
    }
    assert camille not in repr(found)


def test_a_former_address_that_is_anothers_by_now_touches_nothing_of_theirs(world: World) -> None:
    world.add("former_emails", id=900, account_id=3, email=PERSONAS["one_click"].address)
    before = world.dump()
    delete(world, world.user("delete_account"))
    assert world.dump()["newsletter_subscribers"][2] == before["newsletter_subscribers"][2]


def test_a_person_with_very_many_rows_is_deleted_in_batches(sqlite_world: World) -> None:
    world = sqlite_world
    visits = world.table("visits")
    with world.engine.begin() as connection:
        connection.execute(visits.insert(), [{"id": 10_000 + n, "account_id": 3} for n in range(5_500)])
    assert delete(world, world.user("delete_account")).rows > 5_500


def test_a_database_that_is_away_is_trouble_for_later(tmp_path: Path) -> None:
    platform = open_platform("postgresql+psycopg://nobody@127.0.0.1:1/none", example_map(), tmp_path)
    with pytest.raises(PlatformTrouble) as trouble:
        platform.find("alice.martin@example.org")
    assert trouble.value.later and "alice" not in str(trouble.value)


def test_read_back_sees_rows_left_of_an_event_that_is_gone(sqlite_world: World) -> None:
    """A platform without enforced foreign keys may leave a row whose way to the person is cut."""
    plan = sqlite_world.platform.plan(Deletion(sqlite_world.user("delete_account")))
    sqlite_world.platform.apply(plan, "case-1")
    sqlite_world.add("registrations", id=900, webinar_id=7, email="late@example.org")
    found = sqlite_world.platform.read_back(plan.change, plan)
    assert [(one.place, one.column, one.count) for one in found.findings] == [
        ("registrations", "webinar_id", 1)
    ]
