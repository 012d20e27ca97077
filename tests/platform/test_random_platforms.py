"""Whatever the data: after a deletion nothing of the person is left and everybody else is as before."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.core.plan import Deletion, Subject
from mailbot.core.request import Capacity
from tests.platform.worlds import Dump, World, copy_of, make_world

ADDRESSES = [
    "anna@example.org",
    "Anna@Example.org",
    " anna@example.org",
    "bela@example.net",
    "hugo.bernard@example.com",
]
HOSTS = {1: 1, 2: 1, 4: 2, 6: 10, 7: 3}
"""webinar → account of its host, in the demo platform"""

REGISTRATIONS = st.lists(st.tuples(st.sampled_from(ADDRESSES), st.sampled_from(sorted(HOSTS))), max_size=6)
CHATS = st.lists(st.tuples(st.sampled_from(ADDRESSES), st.sampled_from(sorted(HOSTS))), max_size=4)


def is_same(one: object, other: str) -> bool:
    return isinstance(one, str) and one.strip().lower() == other.strip().lower()


def expected_gone(before: Dump, subject: Subject) -> dict[str, set[object]]:
    """Worked out a second time, from the rows alone: what a visitor or user loses."""
    owner = int((subject.host.key if subject.host else subject.key).partition(":")[2])
    events = {key for key, row in before["webinars"].items() if row["host_id"] == owner}
    at_events = {key for key, row in before["registrations"].items() if row["webinar_id"] in events}
    said = {key for key, row in before["chat_messages"].items() if row["webinar_id"] in events}
    if subject.capacity is Capacity.USER:
        return {"registrations": at_events, "chat_messages": said}
    mine = {key for key in at_events if is_same(before["registrations"][key]["email"], subject.address)}
    words = {
        key
        for key in said
        if before["chat_messages"][key]["registration_id"] in mine
        or is_same(before["chat_messages"][key]["author_email"], subject.address)
    }
    return {"registrations": mine, "chat_messages": words}


def check(world: World, subject: Subject, key: str) -> None:
    before = world.dump()
    plan = world.platform.plan(Deletion(subject))
    world.platform.apply(plan, key)
    assert world.platform.read_back(plan.change, plan).ok
    after = world.dump()
    for table, gone in expected_gone(before, subject).items():
        assert after[table] == {number: row for number, row in before[table].items() if number not in gone}
    if subject.capacity is Capacity.VISITOR:
        others = set(before) - {"registrations", "chat_messages"}
        assert all(after[table] == before[table] for table in others)
    assert subject.key not in [one.key for one in world.platform.find(subject.address)]


@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(registrations=REGISTRATIONS, chats=CHATS, address=st.sampled_from(ADDRESSES))
def test_deletions_take_exactly_what_is_theirs(
    template: Path, registrations: list[tuple[str, int]], chats: list[tuple[str, int]], address: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        worlds = make_world(*copy_of(template, Path(folder)))
        world = next(worlds)
        for number, (email, webinar) in enumerate(registrations):
            world.add("registrations", id=5000 + number, webinar_id=webinar, email=email, name="A")
        for number, (email, webinar) in enumerate(chats):
            world.add("chat_messages", id=5000 + number, webinar_id=webinar, author_email=email, text="hi")
        for number, subject in enumerate(world.platform.find(address)):
            check(world, subject, f"case-{number}")
        worlds.close()
