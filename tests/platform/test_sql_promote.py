"""Promotional mail is off wherever the platform says who gets it, and comes back only by the person."""

from __future__ import annotations

from mailbot.core.plan import Change, Resubscribe, Unsubscribe
from mailbot.demo.platform import PERSONAS
from tests.platform.worlds import ON_EVERY_SERVER, World

OLIVER = PERSONAS["one_click"].address


def do(world: World, change: Change, key: str) -> int:
    plan = world.platform.plan(change)
    applied = world.platform.apply(plan, key)
    assert world.platform.read_back(change, plan).ok
    return applied.rows


@ON_EVERY_SERVER
def test_unsubscribing_switches_account_and_newsletter_and_nothing_else(world: World) -> None:
    before = world.dump()
    assert do(world, Unsubscribe(f" {OLIVER.upper()} "), "off") == 2
    after = world.dump()
    assert not after["accounts"][5].pop("newsletter") and before["accounts"][5].pop("newsletter")
    assert after["newsletter_subscribers"][2].pop("unsubscribed_at") is not None
    before["newsletter_subscribers"][2].pop("unsubscribed_at")
    assert after == before


@ON_EVERY_SERVER
def test_the_undo_gives_back_what_was(world: World) -> None:
    before = world.dump()
    do(world, Unsubscribe(OLIVER), "off")
    do(world, Resubscribe(OLIVER), "on")
    assert world.dump() == before


def test_an_address_that_nobody_knows_is_fine(world: World) -> None:
    assert do(world, Unsubscribe("stranger@example.org"), "off") == 0


def test_a_second_time_there_is_nothing_left_to_do(world: World) -> None:
    do(world, Unsubscribe(OLIVER), "off")
    assert do(world, Unsubscribe(OLIVER), "off again") == 0


def test_a_former_address_switches_its_account_off_but_never_on(world: World) -> None:
    assert do(world, Unsubscribe("alice@example.com"), "off") == 1
    assert do(world, Resubscribe("alice@example.com"), "on") == 0


def test_read_back_sees_who_still_gets_mail(world: World) -> None:
    change = Unsubscribe(OLIVER)
    plan = world.platform.plan(change)
    found = world.platform.read_back(change, plan)
    assert {(one.place, one.column) for one in found.findings} == {
        ("accounts", "newsletter"),
        ("newsletter_subscribers", "unsubscribed_at"),
    }
