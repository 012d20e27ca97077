"""What keeps a change from being made: two pairs of eyes, legal holds, the emergency stop, a platform that is down."""

from __future__ import annotations

from uuid import UUID

import pytest
from selectolax.lexbor import LexborHTMLParser

from mailbot.core.plan import PlatformTrouble
from mailbot.core.request import Kind
from mailbot.desk import DeskTrouble
from mailbot.store import ledger
from mailbot.store.tables import Case
from tests.world import CAMILLE, DELETE_EN, EMILY, HUGO, JUERGEN, World

STAN, STELLA = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def deletion(world: World, address: str) -> UUID:
    """A deletion that its owner has confirmed; its request."""
    world.write(address, "Delete my account", DELETE_EN)
    world.confirm(address)
    return world.the_request(address).id


def case_of(world: World, address: str) -> Case:
    return world.requests(address)[0][0]


def is_there(world: World, address: str) -> bool:
    return world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=address) == [(1,)]


def actions(world: World) -> list[tuple[str, str]]:
    with world.app.store.read() as tx:
        return [(entry.action, entry.actor) for entry in ledger.entries(tx)]


# ---- two pairs of eyes ------------------------------------------------------------------------------


def test_a_host_with_events_to_come_is_deleted_only_when_two_of_staff_approve(world: World) -> None:
    request, desk = deletion(world, HUGO), world.app.desk
    assert world.states(HUGO) == [("deletion", "awaiting_staff")]
    assert "future_events" in world.the_request(HUGO).reason

    desk.approve(request, STAN, world.clock.now)
    world.work()
    assert is_there(world, HUGO)
    assert "second member of staff" in world.the_request(HUGO).reason
    with pytest.raises(DeskTrouble, match="approved this already"):
        desk.approve(request, STAN, world.clock.now)

    desk.approve(request, STELLA, world.clock.now)
    world.work()

    assert world.states(HUGO) == [("deletion", "done")]
    assert not is_there(world, HUGO)
    approvals = [one for one in actions(world) if one[0].startswith("staff_approved")]
    assert approvals == [("staff_approved_first", f"staff:{STAN}"), ("staff_approved", f"staff:{STELLA}")]


def test_staff_see_what_would_go_with_a_host(world: World) -> None:
    deletion(world, HUGO)
    world.staff(HUGO, "none")
    page = world.client.get(f"/staff/case/{case_of(world, HUGO).reference}").text
    assert "webinars: delete 3" in page
    assert "registrations: delete" in page
    assert "two members of staff must approve" in page


def test_what_grew_since_it_was_shown_is_shown_anew_and_approved_again(world: World) -> None:
    request, desk = deletion(world, HUGO), world.app.desk
    desk.approve(request, STAN, world.clock.now)
    world.platform("INSERT INTO uploads (id, account_id, path) VALUES (9001, 1, 'accounts/1/new.pdf')")

    with pytest.raises(DeskTrouble, match="grown"):
        desk.approve(request, STELLA, world.clock.now)
    desk.approve(request, STELLA, world.clock.now)
    assert world.states(HUGO) == [("deletion", "awaiting_staff")], "the first approval was of another plan"
    desk.approve(request, STAN, world.clock.now)
    world.work()

    assert world.states(HUGO) == [("deletion", "done")]


# ---- legal hold -------------------------------------------------------------------------------------


def test_a_person_on_legal_hold_is_not_deleted_until_it_is_lifted(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    desk, case = world.app.desk, case_of(world, CAMILLE)
    desk.hold(case.reference, STAN, world.clock.now)

    world.confirm(CAMILLE)
    request = world.the_request(CAMILLE)
    assert (request.state, is_there(world, CAMILLE)) == ("awaiting_staff", True)
    with pytest.raises(DeskTrouble, match="legal hold"):
        desk.approve(request.id, STAN, world.clock.now)

    desk.release(case.reference, STELLA, world.clock.now)
    desk.approve(request.id, STAN, world.clock.now)
    world.work()

    assert not is_there(world, CAMILLE)
    kept = [one for one in actions(world) if one[0] in ("held", "released")]
    assert kept == [("held", f"staff:{STAN}"), ("released", f"staff:{STELLA}")]


def test_a_hold_set_after_the_yes_still_stops_the_deletion(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.press(world.newest_link(CAMILLE, "/c/"), "confirm")
    assert world.states(CAMILLE) == [("deletion", "applying")]

    world.app.desk.hold(case_of(world, CAMILLE).reference, STAN, world.clock.now)
    world.work()

    assert world.states(CAMILLE) == [("deletion", "awaiting_staff")]
    assert is_there(world, CAMILLE)


# ---- emergency stop ---------------------------------------------------------------------------------


def test_while_a_kind_is_stopped_requests_are_taken_acknowledged_and_timed(world: World) -> None:
    world.app.desk.stop(Kind.DELETION, STAN, world.clock.now)
    deletion(world, CAMILLE)

    assert world.states(CAMILLE) == [("deletion", "awaiting_staff")]
    assert is_there(world, CAMILLE)
    assert len(world.letters(CAMILLE)) == 2, "asked for proof, and told that a person looks at it"
    assert case_of(world, CAMILLE).due_on is not None
    assert world.client.get("/healthz").json()["stopped"] == "deletion"


def test_what_was_begun_when_the_stop_was_pressed_waits_and_is_done_afterwards(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.press(world.newest_link(CAMILLE, "/c/"), "confirm")
    world.app.desk.stop(Kind.DELETION, STAN, world.clock.now)

    for _ in range(20):
        world.work()
        world.clock.forward(minutes=6)
    assert (world.states(CAMILLE), is_there(world, CAMILLE)) == ([("deletion", "applying")], True)

    world.app.desk.resume(Kind.DELETION, STAN, world.clock.now)
    world.work()

    assert (world.states(CAMILLE), is_there(world, CAMILLE)) == ([("deletion", "done")], False)


def test_an_unsubscription_by_mail_is_acknowledged_at_once_and_done_when_it_may_be(world: World) -> None:
    world.smtp.clear()
    world.app.desk.stop(Kind.UNSUBSCRIBE, STAN, world.clock.now)
    world.write(EMILY, "enough", "Please take me off your newsletter.\n")
    assert world.states(EMILY) == [("unsubscribe", "applying")]
    (received,) = world.letters(EMILY)
    assert "received your message" in str(received["Subject"])

    world.app.desk.resume(Kind.UNSUBSCRIBE, STAN, world.clock.now)
    world.clock.forward(minutes=6)
    world.work()
    assert world.states(EMILY) == [("unsubscribe", "done")]
    assert len(world.letters(EMILY)) == 2


def test_a_stop_is_of_one_kind_only_and_pressed_once(world: World) -> None:
    desk = world.app.desk
    desk.stop(Kind.CORRECTION, STAN, world.clock.now)
    with pytest.raises(DeskTrouble, match="already"):
        desk.stop(Kind.CORRECTION, STAN, world.clock.now)
    with pytest.raises(DeskTrouble, match="changes nothing"):
        desk.stop(Kind.QUESTION, STAN, world.clock.now)
    deletion(world, CAMILLE)
    assert not is_there(world, CAMILLE)


# ---- what was shown is what is confirmed ------------------------------------------------------------


def _shown(world: World, path: str) -> str:
    page = LexborHTMLParser(world.client.get(path).text)
    found = page.css_first("input[name=shown]")
    assert found is not None
    return found.attributes["value"] or ""


def test_what_changed_between_page_and_button_is_shown_again(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    path = world.newest_link(CAMILLE, "/c/")
    before = _shown(world, path)
    world.platform("INSERT INTO uploads (id, account_id, path) VALUES (9001, 3, 'accounts/3/new.pdf')")

    answer = world.client.post(path, data={"action": "confirm", "shown": before})
    world.work()

    assert (answer.status_code, world.states(CAMILLE)) == (409, [("deletion", "awaiting_proof")])
    assert "has changed since you opened this page" in answer.text
    assert _shown(world, path) != before

    world.confirm(CAMILLE)
    assert not is_there(world, CAMILLE)


def test_what_grows_by_itself_is_no_change(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    path = world.newest_link(CAMILLE, "/c/")
    before = _shown(world, path)
    world.platform("INSERT INTO visits (id, account_id) VALUES (9001, 3)")
    assert _shown(world, path) == before


def test_a_correction_is_of_the_values_that_were_shown(world: World) -> None:
    world.write(JUERGEN, "Mein Name", "Ich heiße Jürgen Müller, nicht Müler. Bitte korrigieren Sie das.\n")
    path = world.newest_link(JUERGEN, "/c/")
    before = _shown(world, path)
    world.platform("UPDATE accounts SET name = 'J. Müller-Lüdenscheidt' WHERE email = :a", a=JUERGEN)
    answer = world.client.post(path, data={"action": "confirm", "shown": before})
    assert (answer.status_code, world.states(JUERGEN)) == (409, [("correction", "awaiting_proof")])
    assert "J. Müller-Lüdenscheidt" in answer.text


# ---- a platform that is down ------------------------------------------------------------------------


def test_a_yes_while_the_platform_is_down_is_done_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    link = world.newest_link(CAMILLE, "/c/")
    with monkeypatch.context() as outage:
        outage.setattr(world.app.platform, "find", _down)
        answer = world.press(link, "confirm")
        assert "We are doing it now" in answer.text
        world.work()
        world.clock.forward(hours=1)
        world.work()
        assert world.states(CAMILLE) == [("deletion", "awaiting_platform")]
    assert is_there(world, CAMILLE)

    world.clock.forward(hours=4)
    world.work()

    assert world.states(CAMILLE) == [("deletion", "done")]
    assert not is_there(world, CAMILLE)


def test_an_edited_correction_survives_the_outage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write(JUERGEN, "Mein Name", "Ich heiße Jürgen Müller, nicht Müler. Bitte korrigieren Sie das.\n")
    link = world.newest_link(JUERGEN, "/c/")
    with monkeypatch.context() as outage:
        outage.setattr(world.app.platform, "find", _down)
        world.press(link, "confirm", name="Jürgen Möller")
    world.clock.forward(hours=1)
    world.work()
    assert world.states(JUERGEN) == [("correction", "done")]
    assert world.platform("SELECT name FROM accounts WHERE email = :a", a=JUERGEN) == [("Jürgen Möller",)]


def test_a_platform_that_stays_down_for_days_brings_it_to_staff(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    monkeypatch.setattr(world.app.platform, "find", _down)
    world.press(world.newest_link(CAMILLE, "/c/"), "confirm")
    for _ in range(30):
        world.work()
        world.clock.forward(hours=5)
    assert world.states(CAMILLE) == [("deletion", "awaiting_staff")]


def _down(_: str) -> None:
    raise PlatformTrouble("the platform's database is away", later=True)
