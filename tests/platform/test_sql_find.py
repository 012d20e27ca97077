"""Whoever an address leads to is found, each in each capacity, and nobody else."""

from __future__ import annotations

import pytest

from mailbot.core.plan import HostMode
from mailbot.core.request import Capacity
from mailbot.demo.platform import PERSONAS
from tests.platform.worlds import World

ALICE = PERSONAS["user_and_visitor"].address


@pytest.mark.parametrize("spelled", [ALICE, f"  {ALICE} ", ALICE.upper(), "Alice@Example.COM"])
def test_one_person_is_found_under_every_spelling_and_former_address(world: World, spelled: str) -> None:
    users = [one for one in world.platform.find(spelled) if one.capacity is Capacity.USER]
    assert [one.key for one in users] == ["accounts:10"]
    assert users[0].address == ALICE, "proof is asked of the address on file, not of the one written from"


def test_a_visitor_is_a_subject_of_each_host_with_that_hosts_way_of_being_asked(world: World) -> None:
    found = world.platform.find(PERSONAS["visitor"].address)
    assert [one.capacity for one in found] == [Capacity.VISITOR, Capacity.VISITOR]
    assert [(one.host.name, one.host.mode) for one in found if one.host] == [
        ("Hugo Bernard", HostMode.INFORM),
        ("Ingrid Schäfer", HostMode.ASK),
    ]


def test_who_has_an_account_and_attended_is_both(world: World) -> None:
    found = world.platform.find(ALICE)
    assert [one.capacity for one in found] == [Capacity.USER, Capacity.VISITOR, Capacity.VISITOR]


def test_keys_hold_no_address(world: World) -> None:
    for person in PERSONAS.values():
        assert all("@" not in one.key for one in world.platform.find(person.address))


NONSENSE = [
    "",
    "@",
    "nobody@example.org",
    "' OR 1=1 --@x.org",
    "%@%",
    "a\0b@example.org",
    "\ud83d@x.org",
    "@" * 999,
]


def test_strangers_and_nonsense_find_nobody(world: World) -> None:
    assert [found for address in NONSENSE for found in world.platform.find(address)] == []


def test_an_international_domain_is_one_domain_in_both_its_forms(world: World) -> None:
    world.change("accounts", 4, email="j@müller.example")
    assert [one.key for one in world.platform.find("j@xn--mller-kva.example")] == ["accounts:4"]
    world.change("accounts", 4, email="j@xn--mller-kva.example")
    assert [one.key for one in world.platform.find("J@Müller.example")] == ["accounts:4"]


def test_a_host_sees_visitors_of_their_own_events_only(world: World) -> None:
    vera = PERSONAS["visitor"].address
    at_hugo = world.platform.hosts_subjects(PERSONAS["host"].address, vera)
    assert [one.host.key for one in at_hugo if one.host] == ["accounts:1"]
    assert world.platform.hosts_subjects(PERSONAS["polish"].address, vera) == ()


def test_fields_say_present_values_and_what_can_be_changed(world: World) -> None:
    views = {view.name: view for view in world.platform.fields(world.user("correct_name"))}
    assert views["name"].value == "Jürgen Müler" and views["name"].changeable
    assert views["company"].value == "Schäfer & Partner Seminare GmbH"
    assert not views["language"].changeable
    assert not views.keys() & {"password_hash", "last_ip", "bank_account"}
    visitor = {view.name: view for view in world.platform.fields(world.visitor("visitor", "host"))}
    assert visitor["job_title"].value == "Librarian" and visitor["skype"].value is None


def test_a_visitors_events_at_one_host_are_told_by_date(world: World) -> None:
    events = world.platform.events(world.visitor("visitor", "host"))
    assert [event.title for event in events] == [
        "Bien parler devant un écran",
        "Préparer un atelier en ligne",
    ]
    assert world.platform.events(world.user("host")) == ()
