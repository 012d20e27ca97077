"""Law 3: nothing twice. (What dying processes do not repeat is shown in test_kill.py and test_two_processes.py.)"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from mailbot.store import works
from mailbot.store.works import WorkKind
from tests.servers.postgres import PrivatePostgres
from tests.world import CAMILLE, DELETE_EN, EMILY, INGRID, VERA, Builder, World, parsed

AT_ONCE = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, builder: Builder, tmp_path: Path) -> World:
    """A mailbot on either database."""
    builder.smtp.clear()
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = server.new_database() if isinstance(server, PrivatePostgres) else ""
    made = builder.world(tmp_path, database=url)
    world = made.__enter__()
    request.addfinalizer(lambda: made.__exit__(None, None, None))
    return world


def at_once(world: World, path: str, action: str) -> list[int]:
    """The same button pressed by several at the same moment; the answers."""
    barrier, answers = threading.Barrier(AT_ONCE), []

    def press() -> None:
        barrier.wait(30)
        answers.append(world.client.post(path, data={"action": action}).status_code)

    threads = [threading.Thread(target=press) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(answers)


def test_a_button_pressed_by_several_at_once_acts_once(shared: World) -> None:
    """A visitor at two hosts: one request becomes two, and not more."""
    shared.write(
        VERA,
        "My data from your webinars",
        "I attended some webinars as a guest, I have no account. Please delete my personal data from them.\n",
    )
    answers = at_once(shared, shared.newest_link(VERA, "/c/"), "confirm")
    assert 200 in answers
    assert set(answers) <= {200, 404}
    shared.work()
    reasons = [request.reason for _, request in shared.requests(VERA)]
    assert sorted(shared.states(VERA)) == [("deletion", "awaiting_host"), ("deletion", "done")], reasons

    answers = at_once(shared, shared.newest_link(INGRID, "/h/"), "agree")
    assert answers == [200] + [404] * (AT_ONCE - 1)
    shared.work()
    assert shared.states(VERA) == [("deletion", "done")] * 2
    assert shared.platform("SELECT count(*) FROM mailbot_changes") == [(2,)]


def test_one_click_by_several_at_once_is_answered_to_all_and_done_once(shared: World) -> None:
    path = f"/u/{shared.app.store.pseudonyms.link_token(EMILY)}"
    barrier, answers = threading.Barrier(AT_ONCE), []

    def click() -> None:
        barrier.wait(30)
        answers.append(shared.client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code)

    threads = [threading.Thread(target=click) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [200] * AT_ONCE
    assert len(shared.requests(EMILY)) == 1
    assert len(shared.dump()["suppression"]) == 1


def test_state_work_and_ledger_entry_are_saved_together_or_not_at_all(world: World) -> None:
    """The ledger refuses its entry: then there is no case, no letter, no work either, and the mail is kept."""
    with world.app.store.engine.begin() as connection:
        connection.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'no'); END")
        )
    assert world.take(world.letter(CAMILLE, "Delete my account", DELETE_EN)) == ["quarantined"]
    rows = world.dump()
    assert [len(rows[name]) for name in ("case", "request", "letter", "work", "token", "message")] == [
        0
    ] * 5 + [1]


def test_work_that_somebody_leased_is_not_done_by_another_until_the_lease_ends(world: World) -> None:
    world.take(world.letter(CAMILLE, "Delete my account", DELETE_EN))
    with world.app.store.begin() as tx:
        assert len(works.claim(tx, [WorkKind.SEND], world.clock.now, 50)) == 1
    world.work()
    assert world.sent() == []
    world.clock.forward(seconds=works.LEASE_SECONDS)
    world.work()
    assert len(world.sent()) == 1


def test_a_letter_sent_again_is_the_same_to_the_byte(world: World) -> None:
    """Its server said 451 after it had taken it: sent again, with the same Message-ID and the same bytes."""
    world.smtp.content_answers[CAMILLE] = "451 4.3.0 try later"
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    assert world.letters(CAMILLE) == []
    message_id = world.dump()["letter"][0]["message_id"]
    del world.smtp.content_answers[CAMILLE]
    world.clock.forward(minutes=5)
    world.work()
    (mail,) = world.letters(CAMILLE)
    assert mail["Message-ID"] == message_id


def test_a_letter_that_is_refused_for_good_shows_the_request_to_staff(world: World) -> None:
    world.smtp.answers[CAMILLE] = "550 5.1.1 no such user"
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    del world.smtp.answers[CAMILLE]
    assert world.states(CAMILLE) == [("deletion", "unreachable")]


def test_every_letter_has_a_message_id_of_its_own(world: World) -> None:
    for person in (CAMILLE, EMILY):
        world.write(person, "Delete my account", DELETE_EN)
    ids = [parsed(mail.raw)["Message-ID"] for mail in world.sent()]
    assert len(set(ids)) == len(ids) == 2


def test_an_undo_in_the_middle_of_the_change_wins(world: World) -> None:
    """The person takes the unsubscription back while it is being made on the platform: it is undone after it."""
    real, token = world.app.platform.read_back, world.app.store.pseudonyms.link_token(EMILY)

    def undone_meanwhile(*arguments: object) -> object:
        assert world.client.post(f"/u/{token}/undo", data={"action": "undo"}).status_code == 200
        object.__setattr__(world.app.platform, "read_back", real)
        return real(*arguments)  # type: ignore[arg-type]

    world.client.post(f"/u/{token}", data={"action": "unsubscribe"})
    object.__setattr__(world.app.platform, "read_back", undone_meanwhile)
    world.work()
    assert world.states(EMILY) == [("unsubscribe", "withdrawn")]
    assert world.platform("SELECT unsubscribed_at FROM newsletter_subscribers WHERE email = :a", a=EMILY) == [
        (None,)
    ]
