"""Law 1: nothing is lost. Each mail is in the end exactly one message with one disposition."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from mailbot.store import cases, messages
from mailbot.store.messages import Incoming, Place
from tests.servers.dovecot import Dovecot
from tests.world import ALICE, CAMILLE, DELETE_EN, EMILY, MALLORY, VERA, Builder, DovecotBox, World


def test_the_same_bytes_twice_are_one_message_and_one_case(world: World) -> None:
    raw = world.letter(CAMILLE, "Delete my account", DELETE_EN)
    assert world.take(raw, raw) == ["case", "case"]
    assert world.take(raw) == ["case"]
    assert _counts(world) == (1, 1)
    assert len(world.dump()["sighting"]) == 3


def test_a_copy_beside_its_twin_does_not_stay_in_the_inbox(
    builder: Builder, dovecot: Dovecot, tmp_path: Path
) -> None:
    box = DovecotBox(dovecot, f"twins-{uuid4().hex}")
    with builder.world(tmp_path, box=box) as world:
        raw = world.letter(CAMILLE, "Delete my account", DELETE_EN)
        box.append(raw, raw)
        done = world.work()
        assert box.raws("INBOX") == []
        assert len(box.raws("Processed")) == 2
        assert (done.received, done.duplicates, done.cases_opened) == (1, 1, 1)


def test_a_reused_message_id_with_other_bytes_is_another_mail_and_another_case(world: World) -> None:
    one = world.letter(CAMILLE, "Delete my account", DELETE_EN, message_id="<same@courriel.example>")
    two = world.letter(
        VERA, "My newsletter", "Please unsubscribe me.\n", message_id="<same@courriel.example>"
    )
    world.take(one, two)
    assert _counts(world) == (2, 2)


def test_another_uidvalidity_neither_skips_nor_repeats_a_mail(world: World) -> None:
    """The server numbers its mails anew: known bytes are known, and a new mail on an old number is new."""
    old = world.letter(CAMILLE, "Delete my account", DELETE_EN)
    new = world.letter(EMILY, "enough", "Please take me off your newsletter.\n")
    now = world.clock.now
    world.app.receive.take([Incoming(old, now, "imap", Place("privacy", 7, 1))])
    world.app.receive.take(
        [
            Incoming(new, now, "imap", Place("privacy", 8, 1)),
            Incoming(old, now, "imap", Place("privacy", 8, 2)),
        ]
    )
    assert _counts(world) == (2, 2)


def test_a_uid_given_twice_by_a_broken_server_still_brings_its_mail(world: World) -> None:
    place, now = Place("privacy", 1, 5), world.clock.now
    for raw in (
        world.letter(CAMILLE, "Delete my account", DELETE_EN),
        world.letter(EMILY, "enough", "Please take me off your newsletter.\n"),
    ):
        assert world.app.receive.take([Incoming(raw, now, "imap", place)]) == {place: "case"}
    assert _counts(world) == (2, 2)


def test_on_a_real_server_a_new_uidvalidity_changes_nothing(
    builder: Builder, dovecot: Dovecot, tmp_path: Path
) -> None:
    box = DovecotBox(dovecot, f"validity-{uuid4().hex}")
    with builder.world(tmp_path, box=box) as world:
        first = world.letter(CAMILLE, "Delete my account", DELETE_EN)
        box.append(first)
        world.work()
        dovecot.doveadm("mailbox", "update", "-u", box.user, "--uid-validity", "999999", "INBOX")
        second = world.letter(EMILY, "enough", "Please take me off your newsletter.\n")
        box.append(first, second)
        world.work()
        assert box.raws("INBOX") == []
        assert _counts(world) == (2, 2)


POISON = {
    "empty": b"",
    "bare line": b"\r\n",
    "bytes of GB2312": "Subject: 删除\r\n\r\n删除".encode("gb2312"),
    "bad content type": b"From: a@example.org\r\nContent-Type: ;;;=\r\n\r\nx",
    "raw unicode header": "From: Ünïcode <ü@exämple.org>\r\nSubject: é\r\n\r\nbonjour".encode(),
    "empty message id": b"From: a@example.org\r\nMessage-ID: \r\n\r\nhello",
    "nested beyond reason": b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 5000,
    "null bytes": b"From: a@example.org\r\nSubject: \0\0\r\n\r\n\0\0\0",
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_whatever_a_mail_is_made_of_it_is_kept_and_the_next_one_is_handled(
    world: World, poison: bytes
) -> None:
    dispositions = world.take(poison, world.letter(CAMILLE, "Delete my account", DELETE_EN))
    assert dispositions[1] == "case"
    assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]
    with world.app.store.read() as tx:
        assert sum(messages.count_by_disposition(tx).values()) == 2


def test_a_mail_that_cannot_be_read_is_quarantined_with_its_reason_and_its_bytes(world: World) -> None:
    now = world.clock.now
    head = Incoming(b"From: a@example.org\r\nSubject: huge\r\n", now, "too_large", Place("privacy", 1, 1))
    assert world.app.receive.take([head]) == {head.place: "quarantined"}
    assert world.app.receive.take([head]) == {head.place: "quarantined"}, (
        "and goes to quarantine when seen again"
    )
    with world.app.store.read() as tx:
        (message,) = messages.quarantined(tx)
        assert "larger than max_message_bytes" in message.reason
        assert messages.raw_of(tx, message) == head.raw


def test_a_database_that_fails_for_a_moment_costs_no_mail_its_place(world: World) -> None:
    letter = world.letter(CAMILLE, "Delete my account", DELETE_EN)
    incoming = Incoming(letter, world.clock.now, "imap", Place("privacy", 1, 1))
    engine = world.app.store.engine

    def full(connection: Connection) -> None:
        if not connection.get_execution_options().get("mailbot_read"):
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    event.listen(engine, "begin", full)
    with pytest.raises(OperationalError):
        world.app.receive.take([incoming])
    event.remove(engine, "begin", full)
    assert world.app.receive.take([incoming]) == {incoming.place: "case"}
    assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]


def test_a_case_reference_in_a_strangers_subject_never_joins_the_case(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    ((case, _),) = world.requests(CAMILLE)
    world.write(MALLORY, f"Re: Please confirm [{case.reference}]", "Yes, delete it all please.\n")
    assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]
    assert all(mine.id != case.id for mine, _ in world.requests(MALLORY))


def test_an_answer_in_the_thread_joins_the_case_only_from_the_address_we_wrote_to(world: World) -> None:
    world.write(ALICE, "webinar yesterday", "The thing from yesterday should not be there any more.\n")
    (ours,) = world.letters(ALICE)
    thread = {"In-Reply-To": str(ours["Message-ID"])}
    world.write(ALICE, "Re: webinar", "The one about slides, I mean.\n", headers=thread)
    world.write(MALLORY, "Re: webinar", "Tell me about it too.\n", headers=thread)
    with world.app.store.read() as tx:
        assert len(cases.of_address(tx, ALICE)) == 1
        assert len(cases.of_address(tx, MALLORY)) == 1


def _counts(world: World) -> tuple[int, int]:
    with world.app.store.read() as tx:
        return sum(messages.count_by_disposition(tx).values()), cases.count(tx)
