"""What our own mail server pushes in is stored before it is taken; whom we do not know is refused at once."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from mailbot.app import App, build_app
from mailbot.config import parse_config
from mailbot.demo.world import BOUNCES, PRIVACY
from mailbot.door import open_door
from mailbot.mail.lmtp import LmtpDoor
from tests.laws.test_law_5 import bounce
from tests.processes import CONTEXT, die_at_step, knowledge
from tests.servers.postgres import PrivatePostgres
from tests.world import CAMILLE, DELETE_EN, EMILY, VERA, Builder, World, config_data, opened

UNSUBSCRIBE = f"unsubscribe@{PRIVACY.partition('@')[2]}"
DOOR = {"listen": "127.0.0.1:0", "unsubscribe_address": UNSUBSCRIBE}


@contextmanager
def at_the_door(app: App) -> Iterator[smtplib.LMTP]:
    door = open_door(app, lambda: None)
    door.start()
    try:
        with smtplib.LMTP("127.0.0.1", door.port, timeout=60) as lmtp:
            yield lmtp
    finally:
        door.stop()


@pytest.fixture
def behind_a_door(builder: Builder, tmp_path: Path) -> Iterator[World]:
    """A mailbot whose unsubscribe links name the door."""
    builder.smtp.clear()
    with builder.world(tmp_path, more={"lmtp": DOOR}) as world:
        yield world


def mailto(world: World, address: str) -> tuple[str, str]:
    """Recipient and subject of the mail that the link of `address` makes a mail program write."""
    found = re.fullmatch(r"mailto:(.+)\?subject=(.+)", world.app.unsubscribing.link(address).mailto)
    assert found
    return unquote(found[1]), unquote(found[2])


def push(lmtp: smtplib.LMTP, sender: str, recipients: Sequence[str], raw: bytes) -> dict[str, int]:
    """The last answer for each recipient; smtplib reads one answer after the content, LMTP gives one for each."""
    lmtp.ehlo_or_helo_if_needed()
    lmtp.mail(sender)
    answers = {one: lmtp.rcpt(one)[0] for one in recipients}
    taken = [one for one, code in answers.items() if code == 250]
    assert lmtp.docmd("DATA")[0] == 354
    lmtp.send(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b".\r\n")
    return answers | {one: lmtp.getreply()[0] for one in taken}


def is_unsubscribed(world: World, address: str) -> bool:
    row = world.app.unsubscribing.status(address)
    return row is not None and row.lifted_at is None


def test_several_recipients_each_have_their_own_end(behind_a_door: World) -> None:
    world = behind_a_door
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    recipient, subject = mailto(world, EMILY)
    local, _, domain = BOUNCES.partition("@")
    wrong = [f"{local}+{'a' * 32}@{domain}", f"unsubscribe+{'b' * 32}@{domain}", f"alice@{domain}"]
    raw = world.letter(EMILY, subject, "unsubscribe")
    with at_the_door(world.app) as lmtp:
        answers = push(lmtp, EMILY, [recipient, *wrong, PRIVACY], raw)
    assert answers == {recipient: 250, PRIVACY: 250, **dict.fromkeys(wrong, 550)}
    assert is_unsubscribed(world, EMILY)


@pytest.mark.parametrize("subject", ["unsubscribe", ""])
def test_the_recipient_alone_unsubscribes_whoever_wrote(behind_a_door: World, subject: str) -> None:
    recipient, _ = mailto(behind_a_door, VERA)
    raw = behind_a_door.letter(VERA, subject, "", headers={"Auto-Submitted": "auto-generated"}, signed=False)
    with at_the_door(behind_a_door.app) as lmtp:
        assert lmtp.sendmail(VERA, [recipient.upper()], raw) == {}
    assert is_unsubscribed(behind_a_door, VERA)


def test_the_recipient_of_anothers_link_unsubscribes_nobody(behind_a_door: World) -> None:
    recipient, _ = mailto(behind_a_door, VERA)
    with at_the_door(behind_a_door.app) as lmtp:
        lmtp.sendmail(EMILY, [recipient], behind_a_door.letter(EMILY, "hello", "How are you?"))
    assert not is_unsubscribed(behind_a_door, VERA)
    assert not is_unsubscribed(behind_a_door, EMILY)


def test_the_token_of_a_link_is_taken_too(behind_a_door: World) -> None:
    token = behind_a_door.app.unsubscribing.link(VERA).url.rpartition("/")[2]
    recipient, writer = UNSUBSCRIBE.replace("@", f"+{token}@"), "somebody@elsewhere.example"
    with at_the_door(behind_a_door.app) as lmtp:
        assert lmtp.sendmail(writer, [recipient], behind_a_door.letter(writer, "", "")) == {}
    assert is_unsubscribed(behind_a_door, VERA)


def test_a_bounce_comes_by_the_door_with_its_envelope_alone(behind_a_door: World) -> None:
    world = behind_a_door
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    raw = bounce("somebody.else@elsewhere.example", "failed", "5.1.1").replace(b"Return-Path: <>\r\n", b"")
    with at_the_door(world.app) as lmtp:
        lmtp.sendmail("<>", [world.sent()[0].envelope_from], raw)
    assert world.states(CAMILLE) == [("deletion", "unreachable")]


def test_a_null_sender_is_seen_by_the_door(behind_a_door: World) -> None:
    with at_the_door(behind_a_door.app) as lmtp:
        lmtp.sendmail("<>", [PRIVACY], behind_a_door.letter(CAMILLE, "Delete my account", DELETE_EN))
    behind_a_door.work()
    assert behind_a_door.sent() == []
    assert [row["disposition"] for row in behind_a_door.dump()["message"]] == ["ignored"]


def test_a_letter_and_an_answer_come_by_the_door(behind_a_door: World) -> None:
    world = behind_a_door
    with at_the_door(world.app) as lmtp:
        assert lmtp.sendmail(CAMILLE, [PRIVACY.upper()], world.letter(CAMILLE, "Delete", DELETE_EN)) == {}
        world.work()
        answer_to = str(world.letters(CAMILLE)[0]["Reply-To"])
        assert lmtp.sendmail(CAMILLE, [answer_to], world.letter(CAMILLE, "Re: Delete", "Yes\n")) == {}
        other = PRIVACY.replace("@", "+anything@")
        assert lmtp.sendmail(CAMILLE, [other], world.letter(CAMILLE, "Hi", "Hi\n")) == {}
    world.work()
    assert ("deletion", "done") in world.states(CAMILLE)


def test_the_same_mail_pushed_twice_is_one(behind_a_door: World) -> None:
    raw = behind_a_door.letter(CAMILLE, "Delete my account", DELETE_EN)
    with at_the_door(behind_a_door.app) as lmtp:
        for _ in range(2):
            assert lmtp.sendmail(CAMILLE, [PRIVACY], raw) == {}
    assert len(behind_a_door.dump()["message"]) == 1


def test_while_the_database_is_away_the_mail_stays_with_the_delivering_server(
    builder: Builder, postgres: PrivatePostgres, tmp_path: Path
) -> None:
    url = postgres.new_database()
    with builder.world(tmp_path, database=url, more={"lmtp": DOOR}) as world:
        raw = world.letter(CAMILLE, "Delete my account", DELETE_EN)
        with at_the_door(world.app) as lmtp:
            mailto(world, EMILY)  # the secret of the installation is known from here on
            world.app.store.engine.dispose()
            postgres.drop(url)
            with pytest.raises(smtplib.SMTPDataError) as refused:
                lmtp.sendmail(CAMILLE, [PRIVACY], raw)
            assert refused.value.smtp_code == 451
            assert CAMILLE.encode() not in refused.value.smtp_error


def test_killed_at_each_step_what_was_said_to_be_taken_is_stored(builder: Builder, tmp_path: Path) -> None:
    """The delivering server tries again whatever was not answered: nothing is lost and nothing is there twice."""
    builder.smtp.clear()
    with builder.world(tmp_path / "before", more={"lmtp": DOOR}) as world:
        first = world.letter(CAMILLE, "Delete my account", DELETE_EN)
        recipients, now = [PRIVACY, mailto(world, EMILY)[0]], world.clock.now
    for step in range(1, 9):
        folder = tmp_path / f"step{step}"
        shutil.copytree(tmp_path / "before", folder)
        data = {**config_data(folder, builder.smtp, builder.dns, None), "lmtp": DOOR}
        said = _pushed_into_dying(folder, data, now, step, recipients, first)
        with opened(folder, data, world.clock, builder) as app, at_the_door(app) as lmtp:
            again = World(folder, data, app, world.clock, builder.smtp, builder.dns, None)
            assert len(again.dump()["message"]) >= said
            assert push(lmtp, CAMILLE, recipients, first) == dict.fromkeys(recipients, 250)
            assert len(again.dump()["message"]) == 2, step
            assert again.states(CAMILLE) == [("deletion", "awaiting_proof")], step


def _pushed_into_dying(
    folder: Path, data: dict[str, Any], now: datetime, step: int, recipients: list[str], raw: bytes
) -> int:
    """How many recipients were said to be taken by a process that dies at `step`."""
    ports = CONTEXT.Queue()
    process = CONTEXT.Process(target=_serve, args=(folder, data, now, step, ports))
    process.start()
    port = ports.get(timeout=60)
    said = 0
    with (
        contextlib.suppress(smtplib.SMTPException, OSError),
        smtplib.LMTP("127.0.0.1", port, timeout=60) as lmtp,
    ):
        said = list(push(lmtp, CAMILLE, recipients, raw).values()).count(250)
    if said == len(recipients):
        process.kill()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    return said


def _serve(folder: Path, data: dict[str, Any], now: datetime, step: int, ports: Any) -> None:
    app = build_app(parse_config(data, folder / "config.toml"), lambda: now, knowledge())
    app.store.open()
    door: LmtpDoor = open_door(app, lambda: None)
    door.start()
    die_at_step(step)
    ports.put(door.port)
    signal.pause()
