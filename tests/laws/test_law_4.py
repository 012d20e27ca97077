"""Law 4: proof before promise. "Done" is said only after reading back."""

from __future__ import annotations

from mailbot.store import cases, suppressions
from tests.world import ALICE, CAMILLE, DELETE_EN, EMILY, SOPHIE, VERA, World, plain

DONE = "has been deleted"


def test_rows_that_are_gone_already_are_a_failure_shown_to_staff(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    path = world.newest_link(CAMILLE, "/c/")
    assert world.press(path, "confirm").status_code == 200
    delete_by_hand(world)
    world.work()

    request = world.the_request(CAMILLE)
    assert request.state == "awaiting_staff"
    assert "none was found" in request.reason
    assert len(world.letters(CAMILLE)) == 1, "nobody is told that it was done"


def test_what_read_back_still_finds_goes_to_staff_and_is_never_called_done(world: World) -> None:
    """A trigger of the platform brings back what is deleted."""
    world.platform(
        "CREATE TRIGGER keep AFTER DELETE ON newsletter_subscribers BEGIN INSERT INTO newsletter_subscribers"
        " (id, email, name) VALUES (9000 + old.id, old.email, old.name); END"
    )
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.confirm(CAMILLE)

    request = world.the_request(CAMILLE)
    assert request.state == "awaiting_staff"
    assert "newsletter_subscribers" in request.reason
    assert CAMILLE not in request.reason
    assert len(world.letters(CAMILLE)) == 1


def test_approved_again_once_the_leftovers_are_gone_it_is_done_with_what_the_first_change_did(
    world: World,
) -> None:
    world.platform("CREATE TABLE notes_of_support (id INTEGER PRIMARY KEY, body TEXT)")
    world.platform("INSERT INTO notes_of_support VALUES (1, :a)", a=f"called by {CAMILLE}")
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.confirm(CAMILLE)
    assert "notes_of_support.body" in world.the_request(CAMILLE).reason
    assert world.platform("SELECT count(*) FROM accounts WHERE id = 3") == [(0,)]

    approve_again(world, CAMILLE)
    request = world.the_request(CAMILLE)
    assert request.state == "awaiting_staff", "the note is still there"
    assert "notes_of_support.body" in request.reason
    assert CAMILLE not in request.reason

    world.platform("DELETE FROM notes_of_support")
    approve_again(world, CAMILLE)
    case, request = world.requests(CAMILLE)[0]
    assert (request.state, request.reason) == ("done", "read back; made when it was approved before")
    assert DONE in str(world.letters(CAMILLE)[-1]["Subject"])
    ((changed,),) = world.platform("SELECT sum(rows_changed) FROM mailbot_changes")
    with world.app.store.read() as tx:
        result = cases.result_of(tx, case, request)
        assert result.rows == changed > 5
        assert {"accounts", "uploads"} <= {one.what for one in result.gone}
        assert suppressions.erasures_of(tx, [CAMILLE]), "a restored backup is cleaned of her, too"


def test_what_is_left_of_a_change_is_done_when_it_is_approved_again(world: World) -> None:
    """The platform brought a row back; what stops it doing so is mended."""
    world.platform(
        "CREATE TRIGGER keep AFTER DELETE ON newsletter_subscribers BEGIN INSERT INTO newsletter_subscribers"
        " (id, email, name) VALUES (9000 + old.id, old.email, old.name); END"
    )
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.confirm(CAMILLE)
    world.platform("DROP TRIGGER keep")
    approve_again(world, CAMILLE)
    if world.the_request(CAMILLE).state == "awaiting_staff":  # it is another row: shown anew, approved anew
        approve_again(world, CAMILLE)
    case, request = world.requests(CAMILLE)[0]
    assert request.state == "done"
    assert world.platform("SELECT count(*) FROM newsletter_subscribers WHERE email = :a", a=CAMILLE) == [(0,)]
    ((changed,),) = world.platform("SELECT sum(rows_changed) FROM mailbot_changes")
    with world.app.store.read() as tx:
        result = cases.result_of(tx, case, request)
    assert result.rows == changed
    assert "accounts" in {one.what for one in result.gone}, "the whole of it is told"


def test_approved_again_it_stays_a_failure_where_it_was_never_us_who_deleted(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    assert world.press(world.newest_link(CAMILLE, "/c/"), "confirm").status_code == 200
    delete_by_hand(world)
    world.work()
    approve_again(world, CAMILLE)
    request = world.the_request(CAMILLE)
    assert request.state == "awaiting_staff"
    assert "none was found" in request.reason


def approve_again(world: World, address: str) -> None:
    world.staff(address, "approve")
    world.work()


def delete_by_hand(world: World) -> None:
    """Everything of Camille goes, and it was not mailbot."""
    for table in ("uploads", "sessions", "visits", "former_emails"):
        world.platform(f"DELETE FROM {table} WHERE account_id = 3")
    world.platform("UPDATE payments SET account_id = NULL, payer_email = NULL WHERE account_id = 3")
    world.platform("DELETE FROM newsletter_subscribers WHERE email = :a", a=CAMILLE)
    for table in ("chat_messages", "registrations"):
        world.platform(f"DELETE FROM {table} WHERE webinar_id IN (SELECT id FROM webinars WHERE host_id = 3)")
    world.platform("DELETE FROM webinars WHERE host_id = 3")
    world.platform("DELETE FROM accounts WHERE id = 3")


def test_a_correction_that_the_platform_takes_back_is_not_called_done(world: World) -> None:
    world.platform(
        "CREATE TRIGGER stubborn AFTER UPDATE OF phone ON accounts BEGIN"
        " UPDATE accounts SET phone = old.phone WHERE id = new.id; END"
    )
    world.write(
        ALICE, "My phone number", "Hello,\n\nmy phone number in my profile is wrong, please correct it.\n"
    )
    world.confirm(ALICE, phone="+353 1 555 0199")
    assert world.states(ALICE) == [("correction", "awaiting_staff")]
    assert "read-back" in world.the_request(ALICE).reason


def test_an_unsubscription_that_the_platform_takes_back_is_not_called_done(world: World) -> None:
    world.platform(
        "CREATE TRIGGER stubborn AFTER UPDATE OF unsubscribed_at ON newsletter_subscribers BEGIN"
        " UPDATE newsletter_subscribers SET unsubscribed_at = NULL WHERE id = new.id; END"
    )
    world.write(EMILY, "enough", "Please take me off your newsletter.\n")
    assert world.states(EMILY) == [("unsubscribe", "awaiting_staff")]
    assert world.letters(EMILY) == []


def test_what_grew_since_it_was_shown_is_not_deleted_unseen(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    assert world.press(world.newest_link(CAMILLE, "/c/"), "confirm").status_code == 200
    world.platform(
        "INSERT INTO uploads (id, account_id, title, path) VALUES (7777, 3, 'x', 'accounts/3/portrait.png')"
    )
    world.work()
    assert world.states(CAMILLE) == [("deletion", "awaiting_staff")]
    assert world.platform("SELECT count(*) FROM accounts WHERE id = 3") == [(1,)]


def test_a_platform_that_is_down_is_tried_again_and_nobody_is_told_done(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    assert world.press(world.newest_link(CAMILLE, "/c/"), "confirm").status_code == 200
    world.platform("ALTER TABLE visits RENAME TO visits_elsewhere")
    world.work()
    assert world.states(CAMILLE)[0][1] in ("applying", "awaiting_staff")
    assert len(world.letters(CAMILLE)) == 1
    assert world.platform("SELECT count(*) FROM accounts WHERE id = 3") == [(1,)]


def test_a_deletion_waits_until_the_copy_was_fetched(world: World) -> None:
    world.write(
        SOPHIE,
        "Copie de mes données puis suppression",
        "Bonjour,\n\nj'aimerais d'abord recevoir une copie de toutes mes données personnelles. "
        "Ensuite, veuillez supprimer définitivement mon compte.\n\nCordialement\n",
    )
    world.confirm(SOPHIE)
    assert world.states(SOPHIE) == [("access", "awaiting_fetch"), ("deletion", "applying")]
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=SOPHIE) == [(1,)]

    world.press(world.newest_link(SOPHIE, "/x/"), "download")
    world.work()
    assert world.states(SOPHIE) == [("access", "done"), ("deletion", "done")]
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=SOPHIE) == [(0,)]


def test_a_deletion_does_not_wait_for_ever_for_a_copy_nobody_fetches(world: World) -> None:
    world.write(
        SOPHIE,
        "Copie de mes données puis suppression",
        "Bonjour,\n\nj'aimerais d'abord recevoir une copie de toutes mes données personnelles. "
        "Ensuite, veuillez supprimer définitivement mon compte.\n\nCordialement\n",
    )
    world.confirm(SOPHIE)
    world.clock.forward(days=14, minutes=1)
    world.work()
    assert world.states(SOPHIE) == [("access", "done"), ("deletion", "done")]
    assert world.dump()["export"] == []


def test_what_is_told_is_what_was_done(world: World) -> None:
    """The letter names what went and what stays, and why."""
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.confirm(CAMILLE)
    told = world.letters(CAMILLE)[-1]
    assert DONE in str(told["Subject"])
    assert "Payment references: accounting records must be kept by law" in plain(told)


def test_a_visitor_who_is_deleted_at_one_host_is_still_there_at_the_other(world: World) -> None:
    world.write(
        VERA,
        "My data from your webinars",
        "I attended some webinars as a guest, I have no account. Please delete my personal data from them.\n",
    )
    world.confirm(VERA)
    assert world.platform("SELECT webinar_id FROM registrations WHERE email = :a", a=VERA) == [(4,)]
    world.clock.forward(days=14, minutes=1)
    world.work()
    assert sorted(world.states(VERA)) == [("deletion", "awaiting_staff"), ("deletion", "done")]
    assert world.platform("SELECT webinar_id FROM registrations WHERE email = :a", a=VERA) == [(4,)]
