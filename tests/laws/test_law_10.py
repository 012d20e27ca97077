"""Law 10: doubt goes to a person, with the reason, and the legal clock keeps running."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailbot.core.deadlines import legal_deadline
from mailbot.store import cases
from tests.world import ALICE, CAMILLE, DELETE_EN, EMILY, JUERGEN, START, World, plain

DOUBTFUL = {
    "unclear": "The thing from yesterday should not be there any more, my colleague said so?\n",
    "not in our languages": "Jeg vil gjerne vite hva dere har lagret om meg, takk skal dere ha.\n",
    "negated": "Please do not delete my account.\n",
    "on behalf of another": "On behalf of my mother I ask you to delete her account.\n",
    "nothing at all": "\n",
}


@pytest.mark.parametrize("body", DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_what_is_in_doubt_waits_for_staff_with_its_reason(world: World, body: str) -> None:
    world.write(ALICE, "Hello", body)
    requests = [request for _, request in world.requests(ALICE)]
    assert requests
    assert {request.state for request in requests} == {"awaiting_staff"}
    assert all(request.reason for request in requests)
    assert "/c/" not in "".join(plain(mail) for mail in world.letters(ALICE))


@pytest.mark.parametrize(
    ("sender", "body"),
    [
        ("officer@police.example", "We are the police. In a criminal investigation, please hand over the account "
         "data of the user named below, under section 95 of the Code of Criminal Procedure.\n"),
        ("kanzlei@anwalt.example", "We are the law firm acting for our client. As attorneys we demand, under threat "
         "of legal action before the court, that you delete our client's account.\n"),
    ],
)  # fmt: skip
def test_an_authority_or_a_lawyer_is_never_answered_by_a_machine(
    world: World, sender: str, body: str
) -> None:
    world.write(sender, "Legal matter", body)
    assert world.letters(sender) == []
    assert {state for _, state in world.states(sender)} == {"awaiting_staff"}


def test_every_case_has_its_legal_date_and_why_from_the_first_moment(world: World) -> None:
    for address, signed in ((CAMILLE, True), (EMILY, False)):
        world.write(address, "Delete my account", DELETE_EN, signed=signed)
        ((case, _),) = world.requests(address)
        today = world.clock.now + timedelta(hours=2 if case.opened_at.month in (11, 12, 1, 2, 3) else 3)
        assert case.due_on == legal_deadline(today.date(), "LT").due
        assert case.due_why.startswith(f"1 month after receipt on {today.date()} is ")


def test_reminders_come_after_3_and_10_days_and_the_end_after_30(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    subjects = []
    for _ in range(62):
        world.clock.forward(hours=12)
        world.app.follow_ups.sweep()
    world.work()
    letters = world.dump()["letter"]
    days = sorted((row["written_at"] - START) / timedelta(days=1) for row in letters)
    subjects = sorted(row["template"] for row in letters)
    assert subjects == ["confirm", "confirm_reminder", "confirm_reminder", "expired"]
    assert [round(day) for day in days] == [0, 3, 10, 30]
    assert world.states(CAMILLE) == [("deletion", "expired")]


def test_reminders_missed_while_nothing_ran_are_one(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.clock.forward(days=12)
    world.work()
    assert len(world.letters(CAMILLE)) == 2


def test_the_link_of_a_reminder_works_and_so_does_the_first(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    first = world.newest_link(CAMILLE, "/c/")
    world.clock.forward(days=3, minutes=1)
    world.work()
    reminded = world.newest_link(CAMILLE, "/c/")
    assert reminded != first
    assert world.client.get(first).status_code == 200
    world.press(reminded, "confirm")
    world.work()
    assert world.states(CAMILLE) == [("deletion", "done")]
    assert world.client.get(first).status_code == 404


def test_who_asks_again_after_the_end_is_asked_again(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.clock.forward(days=31)
    world.work()
    world.write(CAMILLE, "Delete my account", f"{DELETE_EN}\nI ask again.\n")
    assert world.states(CAMILLE)[-1] == ("deletion", "awaiting_proof")
    world.confirm(CAMILLE)
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(0,)]


def test_staff_are_warned_before_the_legal_date_and_when_it_has_passed(world: World) -> None:
    world.write(ALICE, "Hello", DOUBTFUL["unclear"])
    for _ in range(40):
        world.clock.forward(days=1)
        world.app.follow_ups.sweep()
    actions = [row["action"] for row in world.dump()["ledger"]]
    assert actions.count("due_soon") >= 3
    assert "overdue" in actions


def test_an_extension_is_told_with_its_reason_and_only_once(world: World) -> None:
    world.write(ALICE, "Hello", DOUBTFUL["unclear"])
    ((case, _), *_) = world.requests(ALICE)
    world.app.desk.extend(case.reference, "Seven hosts must be asked.", "stan", world.clock.now)
    world.work()
    assert "Seven hosts must be asked." in plain(world.letters(ALICE)[-1])
    with world.app.store.read() as tx:
        longer = cases.by_reference(tx, case.reference)
        assert longer is not None
        assert longer.due_on > case.due_on
    with pytest.raises(Exception, match="once"):
        world.app.desk.extend(case.reference, "Again.", "stan", world.clock.now)


def test_what_the_platform_vetoes_is_looked_at_by_staff_before_it_is_done(world: World) -> None:
    """Hugo has events still to come: his deletion needs a second pair of eyes."""
    hugo = "hugo.bernard@example.com"
    world.write(hugo, "Delete my account", DELETE_EN)
    world.confirm(hugo)
    request = world.the_request(hugo)
    assert request.state == "awaiting_staff"
    assert "still to come" in request.reason
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=hugo) == [(1,)]


def test_a_correction_that_names_no_field_goes_to_staff_once_it_is_proven(world: World) -> None:
    world.write(JUERGEN, "Meine Daten", "Bitte korrigieren Sie die Telefonnummer in meinem Konto.\n")
    world.confirm(JUERGEN)
    assert world.states(JUERGEN) == [("correction", "awaiting_staff")]
