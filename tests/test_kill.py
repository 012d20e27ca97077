"""A process is killed (SIGKILL) at each step between fetch and move, between claim and conclusion, between SMTP
and mark; another goes on. Each mail is one message, each change is made once, each letter has one Message-ID."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mailbot.demo.smtp_sink import SmtpSink
from mailbot.store import ledger
from tests.processes import start, take_in_and_work
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import PrivatePostgres
from tests.world import (
    CAMILLE,
    DELETE_EN,
    SOPHIE,
    Builder,
    Clock,
    DovecotBox,
    World,
    config_data,
    opened,
    parsed,
)

MOST_STEPS = 90
AT_ONCE = 3


@dataclass(frozen=True)
class Prepared:
    """Camille was asked for proof; her yes and a mail of Sophie's are on their way."""

    folder: Path
    database: str
    server: PrivatePostgres | None
    mails: tuple[bytes, ...]
    question: str
    now: Clock


@pytest.fixture(params=["sqlite", "postgresql"])
def prepared(request: pytest.FixtureRequest, builder: Builder, tmp_path: Path) -> Prepared:
    folder = tmp_path / "before"
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = server.new_database() if server else ""
    builder.smtp.clear()
    with builder.world(folder, database=url) as world:
        world.write(CAMILLE, "Delete my account", DELETE_EN)
        (question,) = world.letters(CAMILLE)
        yes = world.letter(CAMILLE, "Re: confirm", "Yes\n", to=parseaddr(str(question["Reply-To"]))[1])
        new = world.letter(SOPHIE, "Delete my account", DELETE_EN)
    return Prepared(folder, url, server, (yes, new), str(question["Message-ID"]), world.clock)


def test_killed_at_each_step_everything_is_done_once(
    prepared: Prepared, builder: Builder, dovecot: Dovecot, tmp_path: Path
) -> None:
    scene = Scene(prepared, builder, dovecot, tmp_path)
    ended, step = False, 1
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while not ended:
            ended = any(pool.map(scene.killed_at, range(step, step + AT_ONCE)))
            step += AT_ONCE
            assert step < MOST_STEPS
    assert step > 20, f"{step} steps: the hooks of this test do not fit the program any more"


@dataclass(frozen=True)
class Scene:
    """Everything around the processes that die."""

    prepared: Prepared
    builder: Builder
    dovecot: Dovecot
    tmp_path: Path

    def killed_at(self, step: int) -> bool:
        """A process dies at `step` and another goes on; True when it ended before it came to that step."""
        folder, now = self.tmp_path / f"step{step}", self.prepared.now.now
        shutil.copytree(self.prepared.folder, folder)
        url = self.prepared.server.new_database(self.prepared.database) if self.prepared.server else ""
        box = DovecotBox(self.dovecot, f"kill-{uuid4().hex}")
        box.deliver(*self.prepared.mails)
        with SmtpSink() as smtp:
            data = config_data(folder, smtp, self.builder.dns, box, url)
            process = start(folder, data, now, die_at=step)
            process.join(120)
            if process.exitcode == 0:
                return True
            assert process.exitcode == -signal.SIGKILL, f"step {step}: {process.exitcode}"

            later = Clock(now)
            later.forward(minutes=6)  # longer than any lease
            with opened(folder, data, later, self.builder) as app:
                take_in_and_work(app)
                world = World(folder, data, app, later, smtp, self.builder.dns, box)
                _is_all_done_once(world, self.prepared.question, f"killed at step {step}")
        if self.prepared.server:
            self.prepared.server.drop(url)
        shutil.rmtree(folder)
        return False


def _is_all_done_once(world: World, question: str, where: str) -> None:
    assert world.box is not None
    assert world.box.raws("INBOX") == [], where
    assert len(set(world.box.raws("Processed"))) == 2, where

    rows = world.dump()
    assert Counter(row["disposition"] for row in rows["message"]) == {"case": 3}, where
    assert len(rows["case"]) == 2, where
    assert world.states(SOPHIE) == [("deletion", "awaiting_proof")], where
    assert world.states(CAMILLE) == [("deletion", "done")], where

    assert world.platform("SELECT count(*) FROM accounts WHERE email = :a", a=CAMILLE) == [(0,)], where
    assert world.platform("SELECT count(*), max(open_files) FROM mailbot_changes") == [(1, "[]")], where
    assert not list((world.folder / "files" / "accounts" / "3").glob("*")), where

    _is_every_letter_sent(world, question, rows, where)
    assert all(row["due_at"] is None for row in rows["work"]), where
    with world.app.store.read() as tx:
        assert isinstance(ledger.check(tx), int), where


def _is_every_letter_sent(
    world: World, question: str, rows: dict[str, list[dict[str, Any]]], where: str
) -> None:
    """At least once, always with the same Message-ID and the same bytes."""
    sent = Counter(str(parsed(mail.raw)["Message-ID"]) for mail in world.sent())
    bodies = {(str(parsed(mail.raw)["Message-ID"]), mail.raw) for mail in world.sent()}
    assert len(bodies) == len(sent), where
    assert [row["state"] for row in rows["letter"]] == ["sent"] * 3, where
    assert set(sent) == {row["message_id"] for row in rows["letter"]} - {question}, where
    assert all(count <= 2 for count in sent.values()), where
