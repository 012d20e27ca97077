"""Ended accounts and old sessions go by themselves: few at a time, never very many, as if the person had asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailbot.core.data_map import SweepRule, Swept
from mailbot.demo.people import PERSONAS
from mailbot.store import brakes, cases, ledger
from mailbot.store.tables import Case, Request
from tests.world import World

ENDED = PERSONAS["ended"].address
ENDED_ID = PERSONAS["ended"].account


def rule(world: World, name: str, **changes: object) -> SweepRule:
    """One sweep of the demo's map, the only one that runs."""
    found = next(one for one in world.app.data_map.sweeps if one.id == name)
    changed = replace(found, **changes)  # type: ignore[arg-type]  # fields by name
    world.app.sweeping.rules = world.app.worker.sweeps = (changed,)
    return changed


def swept(world: World) -> list[tuple[Case, Request]]:
    """What sweeps brought up."""
    with world.app.store.read() as tx:
        found = cases.list_requests(tx, limit=1000)
        return [(case, request) for request, case in found if case.channel == "sweep"]


def accounts(world: World) -> int:
    ((count,),) = world.platform("SELECT count(*) FROM accounts")
    return int(count)


def test_an_ended_account_goes_the_way_of_a_deletion_and_nobody_is_written_to(world: World) -> None:
    before = accounts(world)
    rule(world, "ended_accounts")

    world.app.sweeping.sweep_due()
    world.work()

    ((_case, request),) = swept(world)
    assert (request.kind, request.state, request.reason) == ("deletion", "done", "read back")
    assert accounts(world) == before - 1
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=ENDED) == [(0,)]
    assert not list((world.folder / "files" / "accounts" / str(ENDED_ID)).glob("*"))
    assert world.sent() == []
    with world.app.store.read() as tx:
        actions = [entry.action for entry in ledger.entries(tx)]
        assert isinstance(ledger.check(tx), int)
    assert actions == ["swept", "swept", "applied"]
    assert len(world.dump()["erasure"]) == 1


def test_a_sweep_runs_once_a_day_and_brings_nothing_up_twice(world: World) -> None:
    rule(world, "ended_accounts")
    assert len(world.app.sweeping.sweep_due()) == 1
    assert world.app.sweeping.sweep_due() == []
    world.app.sweeping.sweep()
    assert len(swept(world)) == 1
    world.clock.forward(days=1)
    assert len(world.app.sweeping.sweep_due()) == 1


def test_old_sessions_go_at_most_so_many_a_run(world: World) -> None:
    rule(world, "sessions", at_most=3)
    (dry,) = world.app.sweeping.look()
    assert dry.due > 3

    (report,) = world.app.sweeping.sweep_due()

    assert report.taken == 3
    (after,) = world.app.sweeping.look()
    assert (after.due, after.total) == (dry.due - 3, dry.total - 3)


def test_a_look_changes_nothing(world: World) -> None:
    before, count = world.dump(), accounts(world)
    world.app.sweeping.rules = world.app.data_map.sweeps
    reports = world.app.sweeping.look()
    assert [one.id for one in reports] == ["ended_accounts", "sessions"]
    assert (world.dump(), accounts(world)) == (before, count)


def test_a_sweep_of_very_many_deletes_nothing_and_tells_staff_once(world: World) -> None:
    before = accounts(world)
    rule(world, "ended_accounts", only_with=(), last_used=("created_at",), after_days=1)

    (report,) = world.app.sweeping.sweep_due()
    world.clock.forward(days=1)
    world.app.sweeping.sweep_due()
    world.work()

    assert report.taken == 0
    assert "more than 10 %" in report.stopped
    assert accounts(world) == before
    ((_, line),) = swept(world)
    assert line.state == "awaiting_staff"
    assert "deleted nothing" in line.reason


def test_a_person_may_let_a_large_sweep_pass_and_is_named_for_it(world: World) -> None:
    rule(world, "sessions", alarm_above_percent=1)
    (report,) = world.app.sweeping.sweep(by="staff:stan", even_if_many=True)
    assert report.taken == report.due > 0
    with world.app.store.read() as tx:
        (entry,) = ledger.entries(tx)
    assert (entry.action, entry.actor) == ("swept", "staff:stan")


def test_what_speaks_against_a_deletion_brings_it_to_staff(world: World) -> None:
    with world.app.store.begin() as tx:
        brakes.hold(tx, ENDED, "K7Q2-9MXF", "stan", world.clock.now)
    rule(world, "ended_accounts")

    world.app.sweeping.sweep_due()
    world.work()

    ((_, request),) = swept(world)
    assert request.state == "awaiting_staff"
    assert "legal hold" in request.reason
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=ENDED) == [(1,)]


def test_an_account_that_is_used_again_before_its_turn_stays(world: World) -> None:
    rule(world, "ended_accounts")
    world.app.sweeping.sweep_due()
    world.platform("UPDATE accounts SET ended_at = NULL WHERE email = :a", a=ENDED)

    world.work()

    ((_, request),) = swept(world)
    assert request.state == "awaiting_staff"
    assert "in use again" in request.reason
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=ENDED) == [(1,)]


@pytest.mark.parametrize("deletes", list(Swept))
def test_a_row_without_any_time_is_never_due(world: World, deletes: Swept) -> None:
    name = "ended_accounts" if deletes is Swept.ACCOUNTS else "sessions"
    one = rule(world, name, only_with=())
    world.platform(f"UPDATE {one.table} SET {', '.join(f'{name} = NULL' for name in one.last_used)}")
    assert [report.due for report in world.app.sweeping.look()] == [0]
