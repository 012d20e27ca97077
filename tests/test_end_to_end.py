"""Mail in, answer out, button pressed, database changed and read back, mail moved: with real servers throughout."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from mailbot.core.workflow import State
from mailbot.demo.imap_server import EmbeddedImap
from mailbot.demo.people import PERSONAS
from mailbot.store import ledger, suppressions
from tests.servers.dovecot import Dovecot
from tests.world import (
    ALICE,
    CAMILLE,
    EMILY,
    HUGO,
    INGRID,
    JUERGEN,
    VERA,
    Box,
    Builder,
    DovecotBox,
    PymapBox,
    World,
    plain,
)

DELETION_FR = (
    "Suppression de mon compte",
    "Bonjour,\n\nVeuillez supprimer mon compte et toutes mes données personnelles.\n\nMerci\n",
)
DELETION_EN = ("Delete my account", "Hello,\n\nplease delete my account and all my data.\n\nRegards\n")
DELETION_DE = (
    "Konto löschen",
    "Guten Tag,\n\nbitte löschen Sie mein Konto und alle meine Daten.\n\nMit freundlichen Grüßen\n",
)


ANTOINE = PERSONAS["away"].address
"""He has no company on file."""


@pytest.fixture(params=["dovecot", "pymap"])
def box(request: pytest.FixtureRequest, dovecot: Dovecot) -> Iterator[Box]:
    """An empty mailbox on a real server."""
    if request.param == "dovecot":
        yield DovecotBox(dovecot, f"e2e-{uuid4().hex}")
        return
    with EmbeddedImap("privacy@myownconference.com", "demo-mailbox") as server:
        yield PymapBox(server)


@pytest.fixture
def served(builder: Builder, tmp_path: Path, box: Box) -> Iterator[World]:
    """A mailbot that watches `box`."""
    builder.smtp.clear()
    with ExitStack() as stack:
        yield stack.enter_context(builder.world(tmp_path, box=box))


@pytest.mark.parametrize(
    ("written", "asked", "done", "language"),
    [
        (DELETION_FR, "Merci de confirmer votre demande", "Vos données ont été supprimées", "fr"),
        (DELETION_EN, "Please confirm your request", "Your data has been deleted", "en"),
        (DELETION_DE, "Bitte bestätigen Sie Ihre Anfrage", "Ihre Daten wurden gelöscht", "de"),
    ],
)
def test_a_deletion_is_asked_back_confirmed_done_read_back_told_and_filed(
    served: World, box: Box, written: tuple[str, str], asked: str, done: str, language: str
) -> None:
    raw = served.write(CAMILLE, *written)

    assert box.raws("INBOX") == []
    (filed,) = box.raws("Processed")
    assert _unix(filed).endswith(_unix(raw)), "servers put lines of their own above a mail, and no others"
    assert served.states(CAMILLE) == [("deletion", "awaiting_proof")]
    (question,) = served.letters(CAMILLE)
    assert question["Subject"].startswith(asked)
    assert question["Content-Language"] in (None, language)
    assert served.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(1,)]

    served.confirm(CAMILLE)

    assert served.states(CAMILLE) == [("deletion", "done")]
    assert served.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(0,)]
    assert served.platform("SELECT count(*) FROM uploads WHERE account_id = 3") == [(0,)]
    assert served.platform("SELECT DISTINCT payer_email FROM payments WHERE id IN (30, 31)") == [(None,)]
    assert not list((served.folder / "files" / "accounts" / "3").glob("*"))
    told = served.letters(CAMILLE)[1]
    assert told["Subject"].startswith(done)
    assert told["In-Reply-To"] == question["In-Reply-To"]
    assert told["Auto-Submitted"] == "auto-replied"
    with served.app.store.read() as tx:
        assert isinstance(ledger.check(tx), int)


def test_a_correction_is_made_with_the_value_edited_on_the_page(served: World) -> None:
    served.write(
        JUERGEN,
        "Mein Name ist falsch geschrieben",
        "Guten Tag,\n\nin meinem Profil steht mein Name falsch. Ich heiße Jürgen Müller, nicht Müler. "
        "Bitte korrigieren Sie das.\n\nMit freundlichen Grüßen\nJürgen Müller\n",
    )
    page = served.client.get(served.newest_link(JUERGEN, "/c/")).text
    assert "Jürgen Müler" in page
    assert "Jürgen Müller" in page

    served.confirm(JUERGEN, name="Jürgen Müller-Lüdenscheidt")

    assert served.states(JUERGEN) == [("correction", "done")]
    assert served.platform("SELECT name FROM accounts WHERE email = :a", a=JUERGEN) == [
        ("Jürgen Müller-Lüdenscheidt",)
    ]
    told = plain(served.letters(JUERGEN)[-1])
    assert "Jürgen Müler" in told
    assert "Jürgen Müller-Lüdenscheidt" in told


def test_a_correction_of_what_the_platform_does_not_keep_is_told_and_goes_to_staff_once_confirmed(
    world: World,
) -> None:
    """Nothing that the person could write on the page would help."""
    world.write(
        ANTOINE, "Wrong company", "Hello,\n\nplease change my company to Lefèvre Conseil.\n\nAntoine\n"
    )
    page = world.client.get(world.newest_link(ANTOINE, "/c/")).text
    assert 'aria-invalid="true"' in page

    world.confirm(ANTOINE)

    assert world.states(ANTOINE) == [("correction", "awaiting_staff")]
    assert "company: nothing_on_file" in world.the_request(ANTOINE).reason


def test_an_unsubscription_in_words_is_done_at_once_and_taken_back_by_the_link(served: World) -> None:
    served.write(EMILY, "enough", "Hi, please take me off your newsletter, I don't want these emails.\n")

    assert served.states(EMILY) == [("unsubscribe", "done")]
    assert served.platform(
        "SELECT unsubscribed_at IS NOT NULL FROM newsletter_subscribers WHERE email = :a", a=EMILY
    ) == [(1,)]
    (notice,) = served.letters(EMILY)

    answer = served.client.post(f"{served.link(notice, '/u/')}/undo", data={"action": "undo"})
    served.work()

    assert answer.status_code == 200
    assert served.states(EMILY) == [("unsubscribe", "withdrawn")]
    with served.app.store.read() as tx:
        assert not suppressions.is_suppressed(tx, EMILY)
    assert served.platform(
        "SELECT unsubscribed_at IS NULL FROM newsletter_subscribers WHERE email = :a", a=EMILY
    ) == [(1,)]


def test_a_copy_of_the_data_is_fetched_by_its_link_and_then_gone(served: World) -> None:
    served.write(
        ALICE, "My data", "Dear team,\n\nplease send me a copy of all the personal data you hold about me.\n"
    )
    served.confirm(ALICE)
    assert served.states(ALICE) == [("access", "awaiting_fetch")]
    path = served.newest_link(ALICE, "/x/")

    archive = served.press(path, "download")

    with zipfile.ZipFile(io.BytesIO(archive.content)) as parts:
        everything = b"".join(parts.read(name) for name in parts.namelist())
    assert ALICE.encode() in everything
    assert b"$argon2id$" not in everything
    assert served.states(ALICE) == [("access", "done")]

    served.clock.forward(days=14, minutes=1)
    served.work()

    assert served.client.get(path).status_code == 404
    assert served.dump()["export_part"] == []


def test_a_visitor_at_two_hosts_is_deleted_with_one_told_and_one_asked(served: World) -> None:
    served.write(
        VERA,
        "My data from your webinars",
        "Hello,\n\nI attended some webinars on your platform as a guest, I have no account. Please delete "
        "the personal data I left when I registered for these webinars.\n",
    )
    served.confirm(VERA)

    assert sorted(served.states(VERA)) == [("deletion", "awaiting_host"), ("deletion", "done")]
    assert served.platform("SELECT webinar_id FROM registrations WHERE email = :a", a=VERA) == [(4,)]
    (informed,) = served.letters(HUGO)
    assert VERA in plain(informed)
    assert "/h/" not in plain(informed)

    assert served.press(served.newest_link(INGRID, "/h/"), "agree").status_code == 200
    served.work()

    assert served.states(VERA) == [("deletion", "done")] * 2
    assert served.platform("SELECT count(*) FROM registrations WHERE email = :a", a=VERA) == [(0,)]


# The rest is the same whatever server the mail lies on: the intake is given it directly.


def test_a_new_address_must_prove_itself_and_the_old_one_is_told(world: World) -> None:
    new = "jm@firma.example"
    world.write(JUERGEN, "Neue E-Mail-Adresse", "Bitte ändern Sie die E-Mail-Adresse meines Kontos. Danke!\n")
    world.confirm(JUERGEN, email=new)
    assert world.platform("SELECT email FROM accounts WHERE id = 4") == [(JUERGEN,)]
    (question,) = world.letters(new)
    assert "Jürgen" not in plain(question), "whoever reads at the new address may be a stranger"

    world.confirm(new)

    assert world.platform("SELECT email FROM accounts WHERE id = 4") == [(new,)]
    assert world.states(JUERGEN) == [("correction", "done")]
    assert len(world.letters(JUERGEN)) == 2, "the old address was asked, and told"


def test_the_reader_at_the_new_address_sees_and_changes_nothing_but_that_it_is_theirs(world: World) -> None:
    new = "jm@firma.example"
    world.write(JUERGEN, "Neue E-Mail-Adresse", "Bitte ändern Sie die E-Mail-Adresse meines Kontos. Danke!\n")
    world.confirm(JUERGEN, email=new, phone="+49 421 5550 199")
    path, request = world.newest_link(new, "/c/"), world.the_request(JUERGEN)
    page = world.client.get(path).text
    assert "5550" not in page

    prefix = f"field.{request.id}."
    edited = {f"{prefix}email": new, f"{prefix}name": "Mallory", f"{prefix}phone": "+49 421 5550 666"}
    world.client.post(path, data={"action": "confirm", **edited})
    world.work()

    ((address, name, phone),) = world.platform("SELECT email, name, phone FROM accounts WHERE id = 4")
    assert (address, name) == (new, "Jürgen Müler")
    assert "666" not in phone


def test_a_request_from_a_former_address_is_proven_by_the_address_on_file_and_told_there(
    world: World,
) -> None:
    former = "alice@example.com"
    world.write(former, "My data", "Please send me a copy of all the personal data you hold about me.\n")
    world.confirm(former)
    assert world.states(former) == [("access", "awaiting_proof")]

    world.confirm(ALICE)

    assert world.states(former) == [("access", "awaiting_fetch")]
    assert all("/x/" not in plain(mail) for mail in world.letters(former))
    archive = world.press(world.newest_link(ALICE, "/x/"), "download")
    assert archive.headers["content-type"] == "application/zip"


def test_a_yes_by_mail_confirms_as_the_button_does(world: World) -> None:
    world.write(CAMILLE, *DELETION_EN)
    (question,) = world.letters(CAMILLE)
    quoted = "\n".join(f"> {line}" for line in plain(question).splitlines())
    world.write(CAMILLE, f"Re: {question['Subject']}", f"Yes\n\n{quoted}\n", to=str(question["Reply-To"]))
    assert world.states(CAMILLE) == [("deletion", "done")]


def test_staff_approve_what_was_unclear(world: World) -> None:
    """A forged mail turns out to be real: staff vouch for it, the change is made, the person is told."""
    world.write(CAMILLE, *DELETION_FR, signed=False)
    assert world.states(CAMILLE) == [("deletion", "awaiting_staff")]
    assert world.letters(CAMILLE) == []

    assert world.staff(CAMILLE, "approve").status_code == 303
    world.work()

    assert world.states(CAMILLE) == [("deletion", "done")]
    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(0,)]
    assert len(world.letters(CAMILLE)) == 1


def test_staff_approve_an_unsubscription_that_was_unclear(world: World) -> None:
    world.write(EMILY, "enough", "Please take me off your newsletter.\n", signed=False)
    assert world.states(EMILY) == [("unsubscribe", "awaiting_staff")]
    world.staff(EMILY, "approve")
    world.work()
    assert world.states(EMILY) == [("unsubscribe", "done")]


def test_staff_refuse_with_a_reason_that_the_person_is_told(world: World) -> None:
    world.write(ALICE, "webinar yesterday", "The thing from yesterday should not be there any more.\n")
    (_, request), *_ = world.requests(ALICE)
    assert request.state == State.AWAITING_STAFF
    world.staff(ALICE, "refuse", reason="We hold no recording of that day.")
    world.work()
    assert [state for _, state in world.states(ALICE)] == ["refused"]
    assert "We hold no recording of that day." in plain(world.letters(ALICE)[-1])


def test_staff_reclassify_and_the_request_goes_the_way_of_its_kind(world: World) -> None:
    world.write(ALICE, "webinar yesterday", "The thing from yesterday should not be there any more.\n")
    world.staff(ALICE, "reclassify", kind="deletion", capacity="visitor")
    world.work()
    assert world.states(ALICE) == [("deletion", "awaiting_proof")]
    assert "/c/" in plain(world.letters(ALICE)[-1])


def test_staff_reply_and_the_answer_comes_back_to_them(world: World) -> None:
    world.write(ALICE, "webinar yesterday", "The thing from yesterday should not be there any more.\n")
    world.staff(ALICE, "reply", text="Which webinar do you mean?", then="wait")
    world.work()
    assert [state for _, state in world.states(ALICE)] == ["awaiting_info"]
    asked = world.letters(ALICE)[-1]
    assert "Which webinar do you mean?" in plain(asked)

    world.write(ALICE, "Re: webinar", "The one about slides.\n", headers={"In-Reply-To": asked["Message-ID"]})

    assert [state for _, state in world.states(ALICE)] == ["awaiting_staff"]
    world.staff(ALICE, "reply", text="It is gone now.", then="close")
    assert [state for _, state in world.states(ALICE)] == ["done"]


def test_a_question_of_staff_that_is_never_answered_comes_back_to_them(world: World) -> None:
    world.write(ALICE, "webinar yesterday", "The thing from yesterday should not be there any more.\n")
    world.staff(ALICE, "reply", text="Which webinar do you mean?", then="wait")
    world.work()
    sent = len(world.letters(ALICE))
    world.clock.forward(days=11)
    world.work()
    assert len(world.letters(ALICE)) == sent, "nobody is asked to confirm what nobody asked"
    world.clock.forward(days=20)
    world.work()
    assert [state for _, state in world.states(ALICE)] == ["awaiting_staff"]


def test_somebody_on_the_list_from_before_can_come_off_it(world: World) -> None:
    """Imported entries have no case; the platform's switch goes back all the same."""
    now = world.clock.now
    with world.app.store.begin() as tx:
        suppressions.suppress(tx, EMILY, how="import", by="import:old", now=now - timedelta(days=2000))
    world.platform("UPDATE newsletter_subscribers SET unsubscribed_at = :t WHERE email = :a", t=now, a=EMILY)
    assert world.app.unsubscribing.undo(EMILY, how="link", now=now)
    world.work()
    assert world.platform(
        "SELECT unsubscribed_at IS NULL FROM newsletter_subscribers WHERE email = :a", a=EMILY
    ) == [(1,)]


def _unix(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n")
