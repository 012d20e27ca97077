"""Hosts ask about visitors of theirs: control of the host's address, and nothing but their own events."""

from __future__ import annotations

import io
import zipfile

import pytest

from mailbot.core.decide import Decision
from mailbot.core.request import Capacity, Kind
from mailbot.desk import DeskTrouble
from tests.world import ALICE, HUGO, INGRID, VERA, World, plain

DELETE = (
    "A visitor of my webinar",
    f"Hello,\n\nI am the host of several webinars. Please delete the data of my attendee {VERA}.\n\nHugo\n",
)


def registrations(world: World, address: str) -> list[int]:
    query = "SELECT webinar_id FROM registrations WHERE email = :a ORDER BY webinar_id"
    return [row[0] for row in world.platform(query, a=address)]


def test_a_host_deletes_a_visitor_at_their_own_events_only(world: World) -> None:
    before = registrations(world, VERA)
    world.write(HUGO, *DELETE)
    request = world.the_request(HUGO)
    assert (request.capacity, request.state) == ("host", "awaiting_proof")
    assert VERA in world.client.get(world.newest_link(HUGO, "/c/")).text

    world.confirm(HUGO)

    assert world.states(HUGO) == [("deletion", "done")]
    assert before == [1, 2, 4]
    assert registrations(world, VERA) == [4], "webinars 1 and 2 are Hugo's"
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=HUGO) == [(1,)]
    assert VERA in plain(world.letters(HUGO)[-1])
    assert world.letters(VERA) == []


def test_a_host_who_wants_to_be_asked_is_not_asked_about_their_own_wish(world: World) -> None:
    world.write(INGRID, *DELETE)
    world.confirm(INGRID)
    assert world.states(INGRID) == [("deletion", "done")]
    assert registrations(world, VERA) == [1, 2]


def test_who_is_no_host_of_the_visitor_finds_nothing(world: World) -> None:
    before = registrations(world, VERA)
    world.write(ALICE, *DELETE)
    world.confirm(ALICE)
    assert world.states(ALICE) == [("deletion", "done")]
    assert registrations(world, VERA) == before
    assert VERA not in plain(world.letters(ALICE)[-1])


def test_a_host_sees_only_what_the_visitor_left_with_them(world: World) -> None:
    subject, text = DELETE
    world.write(
        HUGO,
        subject,
        text.replace("delete the data of", "send me a copy of the personal data you hold about"),
    )
    world.confirm(HUGO)
    assert [state for _, state in world.states(HUGO)] == ["awaiting_fetch"]
    archive = world.press(world.newest_link(HUGO, "/x/"), "download")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as parts:
        everything = b"".join(parts.read(name) for name in parts.namelist()).decode("utf-8", "replace")
    assert VERA in everything
    assert "Seminare, die hängen bleiben" not in everything, "Ingrid's event"


def test_a_host_who_names_nobody_is_read_by_staff_who_delete_nobody_by_mistake(world: World) -> None:
    world.write(HUGO, DELETE[0], DELETE[1].replace(VERA, "Vera Novák"), signed=False)
    request = world.the_request(HUGO)
    world.app.desk.reclassify(request.id, Kind.DELETION, Capacity.HOST, "stan", world.clock.now)
    request = world.the_request(HUGO)
    assert (request.capacity, request.state) == ("host", "awaiting_staff")
    with pytest.raises(DeskTrouble, match="nothing is stored"):
        world.app.desk.approve(request.id, "stan", world.clock.now)
    world.work()
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=HUGO) == [(1,)]


CORRECT = (
    "A visitor of my webinar",
    f"Hello,\n\nI am the host. Please correct the name of my attendee {VERA} to Vera Nováková.\n\nHugo\n",
)
VISITOR = (
    "My data from your webinars",
    "Hello,\n\nI attended some webinars on your platform as a guest, I have no account. Please delete "
    "the personal data I left when I registered for these webinars.\n",
)


def test_a_host_who_does_not_answer_is_reminded_twice_and_then_staff_decide(world: World) -> None:
    world.write(VERA, *VISITOR)
    world.confirm(VERA)
    assert len(world.letters(INGRID)) == 1
    for days, letters in ((5, 2), (4, 3)):
        world.clock.forward(days=days, minutes=1)
        world.work()
        assert len(world.letters(INGRID)) == letters
    assert sorted(world.states(VERA)) == [("deletion", "awaiting_host"), ("deletion", "done")]

    world.clock.forward(days=5)
    world.work()

    assert sorted(world.states(VERA)) == [("deletion", "awaiting_staff"), ("deletion", "done")]
    assert registrations(world, VERA) == [4]


def test_what_a_host_writes_to_refuse_is_read_by_staff_only(world: World) -> None:
    world.write(VERA, *VISITOR)
    world.confirm(VERA)
    before = len(world.letters(VERA))
    path = world.newest_link(INGRID, "/h/")
    world.client.post(path, data={"action": "refuse", "reason": "There is a dispute about the fee."})
    world.work()

    waiting = [one for _, one in world.requests(VERA) if one.state == "awaiting_staff"]
    assert [one.reason for one in waiting] == ["the host refused, with a reason"]
    assert len(world.letters(VERA)) == before
    assert registrations(world, VERA) == [4]


def test_a_host_corrects_a_name_at_their_own_events(world: World) -> None:
    world.write(HUGO, *CORRECT)
    world.confirm(HUGO)
    assert world.states(HUGO) == [("correction", "done")]
    query = "SELECT webinar_id, name FROM registrations WHERE email = :a ORDER BY webinar_id"
    corrected = [(1, "Vera Nováková"), (2, "Vera Nováková"), (4, "Vera Novák")]
    assert world.platform(query, a=VERA) == corrected


def test_a_host_never_gives_a_visitor_another_address_without_staff(world: World) -> None:
    world.write(HUGO, *CORRECT)
    path, request = world.newest_link(HUGO, "/c/"), world.the_request(HUGO)
    edited = {f"field.{request.id}.email": "mallory@forge.example"}
    world.client.post(path, data={"action": "confirm", **edited})
    world.work()
    assert world.states(HUGO) == [("correction", "awaiting_staff")]
    assert "another address of a visitor" in world.the_request(HUGO).reason
    assert registrations(world, VERA) == [1, 2, 4]


def test_explain_says_of_a_hosts_letter_what_mailbot_does(world: World) -> None:
    world.write(HUGO, *DELETE)
    assert world.the_request(HUGO).state == "awaiting_proof"
    reader = world.app.reader
    subject, text = DELETE
    assert reader.read_text(subject, text).decided.decision == Decision.CONFIRM
    nobody = text.replace(f" {VERA}", "")
    reading = reader.read_text(subject, nobody)
    assert reading.decided.decision == Decision.REVIEW
    assert "no one address says whom" in " ".join(reading.decided.reasons)
