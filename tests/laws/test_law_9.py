"""Law 9: no personal data outside its place."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from urllib.parse import urlsplit

import pytest
import structlog
from sqlalchemy import text

from mailbot.core.ledger import Broken
from mailbot.demo.people import PEOPLE
from mailbot.store import cases, ledger, messages
from mailbot.store.encryption import Destroyed
from tests.world import (
    ALICE,
    CAMILLE,
    DELETE_EN,
    EMILY,
    INGRID,
    JUERGEN,
    MALLORY,
    SOPHIE,
    VERA,
    Builder,
    World,
    parsed,
    plain,
)  # fmt: skip

SECRET_SUBJECT, SECRET_TEXT = "Zwiebelkuchen", "Quittenbrot"


@dataclass
class Lived:
    """A mailbot after a full life, and everything it logged."""

    world: World
    log: str

    def personal(self) -> list[str]:
        """Whatever must be nowhere: addresses, names, what was written."""
        names = [part for person in PEOPLE for part in (person.name, person.name.split()[-1], person.address)]
        return [*names, MALLORY, SECRET_SUBJECT, SECRET_TEXT, "Ferrand", "+49 421 5550 199"]


@pytest.fixture(scope="module")
def lived(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Every kind of mail, proof, change, answer and failure, with every line that is logged kept."""
    heard = StringIO()
    handler = logging.StreamHandler(heard)
    handler.setLevel(logging.WARNING)  # libraries are heard from here on, as the program has it
    root = logging.getLogger()
    root.addHandler(handler)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(heard))
    builder.smtp.clear()
    with builder.world(tmp_path_factory.mktemp("lived")) as world:
        _live(world)
        yield Lived(world, heard.getvalue())
    structlog.reset_defaults()
    root.removeHandler(handler)


def _live(world: World) -> None:
    world.write(CAMILLE, SECRET_SUBJECT, f"{DELETE_EN}\n{SECRET_TEXT}\n", name="Camille Ferrand")
    if world.states(CAMILLE)[0][1] == "awaiting_staff":
        world.staff(CAMILLE, "approve")
        world.work()
    else:
        world.confirm(CAMILLE)
    world.write(JUERGEN, SECRET_SUBJECT, "Bitte korrigieren Sie die Telefonnummer in meinem Konto.\n")
    world.confirm(JUERGEN, phone="+49 421 5550 199")
    world.write(EMILY, SECRET_SUBJECT, "Please take me off your newsletter.\n")
    world.write(ALICE, SECRET_SUBJECT, "Please send me a copy of all the personal data you hold about me.\n")
    world.confirm(ALICE)
    world.press(world.newest_link(ALICE, "/x/"), "download")
    world.write(
        VERA, "My data", "I was a guest at webinars, I have no account. Please delete my data from them.\n"
    )
    world.confirm(VERA)
    world.press(world.newest_link(INGRID, "/h/"), "agree")
    world.write(SOPHIE, SECRET_SUBJECT, DELETE_EN, signed=False)
    world.staff(SOPHIE, "refuse", reason=SECRET_TEXT)
    world.smtp.answers[MALLORY] = f"550 5.1.1 <{MALLORY}> is not known here"
    world.write(MALLORY, SECRET_SUBJECT, DELETE_EN)
    del world.smtp.answers[MALLORY]
    world.take(
        b"From: " + ALICE.encode() + b"\r\nContent-Type: ;;\r\nSubject: \xff\xfe" + SECRET_SUBJECT.encode()
    )
    world.platform("ALTER TABLE visits RENAME TO elsewhere")
    world.write("oliver.bennett@example.org", SECRET_SUBJECT, DELETE_EN)
    world.press(world.newest_link("oliver.bennett@example.org", "/c/"), "cancel")
    world.client.get(f"/u/{world.app.store.pseudonyms.link_token(ALICE)}")
    world.platform("ALTER TABLE elsewhere RENAME TO visits")
    world.work()


def test_no_personal_data_is_logged(lived: Lived) -> None:
    assert [word for word in lived.personal() if word.lower() in lived.log.lower()] == []


def test_no_personal_data_is_in_the_ledger(lived: Lived) -> None:
    rows = repr(lived.world.dump()["ledger"])
    assert lived.world.dump()["ledger"]
    assert [word for word in lived.personal() if word.lower() in rows.lower()] == []
    domains = {person.address.partition("@")[2] for person in PEOPLE}
    assert [domain for domain in domains if domain in rows] == []


def test_no_file_of_ours_holds_personal_data_in_clear(lived: Lived) -> None:
    """The whole of the database as bytes, its write-ahead log too: sealed columns are ciphertext."""
    files = sorted(lived.world.folder.glob("mailbot.db*"))
    whole = b"".join(file.read_bytes() for file in files).lower()
    assert len(whole) > 100_000
    assert [word for word in lived.personal() if word.lower().encode() in whole] == []


def test_no_link_that_we_send_holds_personal_data(lived: Lived) -> None:
    for mail in lived.world.sent():
        for link in re.findall(r"http://privacy\.test\S+", plain(parsed(mail.raw))):
            path = urlsplit(link).path
            assert re.fullmatch(r"/(c|x|h|case)/[a-z2-7]{32}|/u/[\w-]+", path), path
            assert not urlsplit(link).query


def test_envelope_senders_hold_no_personal_data(lived: Lived) -> None:
    for mail in lived.world.sent():
        assert re.fullmatch(r"bounces\+[a-z2-7]{32}@myownconference\.com", mail.envelope_from)


def test_metrics_hold_no_personal_data(lived: Lived) -> None:
    page = lived.world.client.get("/metrics").text
    assert [word for word in lived.personal() if word.lower() in page.lower()] == []


def test_what_is_opened_does_not_show_in_tracebacks(lived: Lived) -> None:
    """`repr` of sealed values, as a traceback with locals would print it, names nobody."""
    with lived.world.app.store.read() as tx:
        for case in cases.of_address(tx, CAMILLE):
            for request in cases.requests_of(tx, case.id):
                shown = repr((case, request, cases.subject_of(tx, case, request)))
                assert CAMILLE not in shown
                assert "Durand" not in shown


def test_a_broken_seal_says_where_and_not_what(lived: Lived) -> None:
    store = lived.world.app.store
    with store.read() as tx:
        (case, *_) = cases.of_address(tx, CAMILLE)
        with pytest.raises(Exception, match=r"case\.person") as raised:
            broken = case.sealed_person[:-1] + bytes([case.sealed_person[-1] ^ 1])
            tx.seal(case.key_id).open(broken, "case.person")
        assert CAMILLE not in str(raised.value)
        with pytest.raises(Exception, match="does not open"):
            tx.seal(case.key_id).open(case.sealed_person, "letter.raw")


def test_the_ledger_breaks_where_a_row_was_edited_or_removed(lived: Lived) -> None:
    store = lived.world.app.store
    with store.read() as tx:
        whole = ledger.check(tx)
    assert isinstance(whole, int)
    for statement, at in (
        ("UPDATE ledger SET actor = 'staff:x' WHERE sequence = 3", 3),
        ("UPDATE ledger SET details = '{}' WHERE sequence = 5", 5),
        ("DELETE FROM ledger WHERE sequence = 4", 4),
    ):
        with store.begin() as tx:
            tx.session.connection().execute(text(statement))
            found = ledger.check(tx)
            tx.session.rollback()
        assert isinstance(found, Broken), statement
        assert found.sequence == at, statement


def test_after_the_retention_the_key_is_destroyed_and_nothing_opens(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.confirm(CAMILLE)
    world.write(EMILY, "Automatic reply", "Away.\n", headers={"Auto-Submitted": "auto-replied"})
    world.clock.forward(days=31)
    world.work()
    with world.app.store.read() as tx:
        ((case, _),) = world.requests(CAMILLE)
        assert cases.person_of(tx, case).address == CAMILLE
    ignored = next(row for row in world.dump()["message"] if row["disposition"] == "ignored")
    keys = {row["id"]: row["wrapped"] for row in world.dump()["data_key"]}
    assert keys[ignored["key_id"]] is None, "ignored mail goes first"

    world.clock.now += timedelta(days=1095)
    world.work()
    with world.app.store.read() as tx:
        ((case, request),) = world.requests(CAMILLE)
        for opening in (
            lambda: cases.person_of(tx, case),
            lambda: cases.asked_of(tx, case, request),
            lambda: cases.subject_of(tx, case, request),
            lambda: messages.raw_of(tx, messages.of_case(tx, case.id)[0]),
        ):
            with pytest.raises(Destroyed):
                opening()
    assert {row["wrapped"] for row in world.dump()["data_key"]} == {None}


def test_an_answer_long_after_the_retention_opens_a_new_case(world: World) -> None:
    world.write(CAMILLE, "webinar yesterday", "The thing from yesterday should not be there any more.\n")
    (ours,) = world.letters(CAMILLE)
    world.staff(CAMILLE, "dismiss", reason="nothing to do")
    world.clock.forward(days=1100)
    world.work()
    thread = {"In-Reply-To": str(ours["Message-ID"])}
    raw = world.letter(CAMILLE, "Re: webinar", "Hello again, is it gone?\n", headers=thread)
    assert world.take(raw) == ["case"]
    assert len(world.requests(CAMILLE)) == 2


def test_an_open_case_keeps_its_key_however_long_it_takes(world: World) -> None:
    world.write(CAMILLE, "webinar yesterday", "The thing from yesterday should not be there any more.\n")
    world.clock.forward(days=1200)
    world.work()
    with world.app.store.read() as tx:
        ((case, _),) = world.requests(CAMILLE)
        assert cases.person_of(tx, case).address == CAMILLE
