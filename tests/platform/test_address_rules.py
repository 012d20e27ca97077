"""Addresses are compared as the platform writes them down: any case or lower, plus addresses distinct or the same."""

from __future__ import annotations

import dataclasses

from mailbot.core.data_map import AddressRules, CaseRule, PlusRule
from mailbot.core.plan import Deletion, Unsubscribe
from mailbot.core.request import Capacity
from mailbot.platform.sql import SqlPlatform, open_platform
from tests.platform.worlds import NOW, ON_EVERY_SERVER, World, example_map


def opened(world: World, rules: AddressRules) -> SqlPlatform:
    data_map = dataclasses.replace(example_map(), addresses=rules)
    return open_platform(world.url, data_map, world.files, lambda: NOW)


def users(platform: SqlPlatform, address: str) -> list[str]:
    return [one.address for one in platform.find(address) if one.capacity is Capacity.USER]


SAME = AddressRules(CaseRule.ANY, PlusRule.SAME)


@ON_EVERY_SERVER
def test_where_plus_addresses_are_the_same_either_finds_the_other(world: World) -> None:
    world.change("accounts", 3, email="Camille+Shop@Example.org")
    platform = opened(world, SAME)
    for address in ("camille@example.org", "CAMILLE+other@example.org", "camille+shop@example.org"):
        assert users(platform, address) == ["Camille+Shop@Example.org"], address
    for address in ("camille_shop@example.org", "camill@example.org", "xcamille@example.org"):
        assert users(platform, address) == [], address
    platform.close()


def test_where_they_are_distinct_they_do_not(world: World) -> None:
    world.change("accounts", 3, email="camille+shop@example.org")
    assert users(world.platform, "camille@example.org") == []
    assert users(world.platform, "camille+shop@example.org") == ["camille+shop@example.org"]


def test_signs_that_mean_something_to_a_pattern_mean_themselves(world: World) -> None:
    world.change("accounts", 3, email="camilleXy+a@example.org")
    platform = opened(world, SAME)
    assert users(platform, "camille_y@example.org") == [] == users(platform, "%@example.org")
    platform.close()


def test_changes_follow_the_same_rules(world: World) -> None:
    world.change("newsletter_subscribers", 3, email="camille+news@example.org")
    world.change("accounts", 3, email="camille@example.org")
    platform = opened(world, SAME)
    change = Unsubscribe("Camille+any@example.org")
    platform.apply(platform.plan(change), "off")
    assert world.dump()["newsletter_subscribers"][3]["unsubscribed_at"] is not None
    plan = platform.plan(Deletion(platform.find("camille@example.org")[0]))
    platform.apply(plan, "gone")
    assert platform.read_back(plan.change, plan).ok
    assert 3 not in world.dump()["newsletter_subscribers"]
    platform.close()


def test_a_platform_that_keeps_lower_case_is_asked_as_it_is(world: World) -> None:
    world.change("accounts", 3, email="camille@example.org")
    platform = opened(world, AddressRules(CaseRule.LOWER, PlusRule.DISTINCT))
    assert users(platform, " Camille@EXAMPLE.org ") == ["camille@example.org"]
    platform.close()
