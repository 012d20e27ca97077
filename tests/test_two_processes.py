"""Several mailbots on one database, mailbox and platform: every piece of work is done once."""

from __future__ import annotations

from collections import Counter
from email.utils import parseaddr
from pathlib import Path
from uuid import uuid4

import pytest

from mailbot.demo.people import PEOPLE
from mailbot.store import ledger
from tests.processes import CONTEXT, start
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import PrivatePostgres
from tests.world import DELETE_EN, Builder, DovecotBox, World, config_data, parsed

PROCESSES = 3
MANY_VISITORS = "nadia.rossi@aula.example"
ASKING = [person.address for person in PEOPLE if person.account and person.address != MANY_VISITORS]


@pytest.fixture(params=["sqlite", "postgresql"])
def busy(request: pytest.FixtureRequest, builder: Builder, dovecot: Dovecot, tmp_path: Path) -> World:
    """Half of the people have been asked and now say yes; the other half write for the first time."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = server.new_database() if isinstance(server, PrivatePostgres) else ""
    builder.smtp.clear()
    box = DovecotBox(dovecot, f"busy-{uuid4().hex}")
    making = builder.world(tmp_path, box=box, database=url)
    world = making.__enter__()
    request.addfinalizer(lambda: making.__exit__(None, None, None))
    first, second = ASKING[::2], ASKING[1::2]
    world.take(*(world.letter(address, "Delete my account", DELETE_EN) for address in first))
    world.work()
    questions = {address: world.letters(address)[0] for address in first}
    builder.smtp.clear()
    for address, question in questions.items():
        box.deliver(world.letter(address, "Re: confirm", "Yes\n", to=parseaddr(str(question["Reply-To"]))[1]))
    for address in second:
        box.deliver(world.letter(address, "Delete my account", DELETE_EN))
    return world


def test_processes_that_share_everything_do_everything_once(busy: World) -> None:
    assert busy.box is not None
    data = config_data(busy.folder, busy.smtp, busy.dns, busy.box, busy.app.config.database.url)
    barrier = CONTEXT.Barrier(PROCESSES)
    running = [start(busy.folder, data, busy.clock(), barrier=barrier) for _ in range(PROCESSES)]
    for process in running:
        process.join(240)
    assert [process.exitcode for process in running] == [0] * PROCESSES
    busy.work()  # what one of them left to another that was already going

    rows = busy.dump()
    assert busy.box.raws("INBOX") == []
    assert len(rows["message"]) == len(ASKING) + len(ASKING[::2])
    assert {row["disposition"] for row in rows["message"]} == {"case"}
    assert len(rows["case"]) == len(ASKING)
    for address in ASKING[1::2]:
        assert {state for _, state in busy.states(address)} == {"awaiting_proof"}, address
    for address in ASKING[::2]:
        assert {state for _, state in busy.states(address)} <= {"done", "awaiting_staff", "awaiting_host"}, (
            address
        )

    sent = Counter(str(parsed(mail.raw)["Message-ID"]) for mail in busy.sent())
    assert set(sent.values()) == {1}, "a letter was sent twice"
    assert all(row["state"] in ("sent", "capped") for row in rows["letter"])
    assert all(row["due_at"] is None for row in rows["work"])
    applied = [row for row in rows["work"] if row["kind"] == "apply"]
    assert busy.platform("SELECT count(*) FROM mailbot_changes") == [
        (sum(row["done_at"] is not None for row in applied),)
    ]
    with busy.app.store.read() as tx:
        assert isinstance(ledger.check(tx), int)
