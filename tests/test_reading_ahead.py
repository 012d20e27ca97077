"""A second process reads what comes next; whatever becomes of it, no mail is read differently or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from mailbot.config import parse_config
from mailbot.core.message import Unreadable
from mailbot.knowledge import load_knowledge
from mailbot.reading import Reader
from mailbot.reading_ahead import ReadingAhead
from mailbot.store.messages import Incoming

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LETTER = "From: Alice <alice@example.com>\r\nSubject: Hello\r\n\r\nPlease delete my account, number {}.\r\n"
MAILS = [Incoming(LETTER.format(number).encode(), NOW, "imap") for number in range(25)]


def reader() -> Reader:
    return Reader(load_knowledge(parse_config({}, Path("config.toml"))), None)


def alone(test: str) -> None:
    """`test`, one of the functions below, holds in a process that has one thread."""
    code = f"from tests.test_reading_ahead import {test}; {test}()"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def reads_the_same() -> None:
    own = reader()
    with ReadingAhead(own) as ahead:
        ahead.expect(MAILS[:15], NOW)
        ahead.expect(MAILS[15:], NOW)
        for one in MAILS:
            assert ahead.reading(one) == own.read(one.raw, NOW)
        ahead.expect([], NOW)
        assert ahead.reading(MAILS[0]) is None


def survives_its_death() -> None:
    with ReadingAhead(reader()) as ahead:
        ahead.expect(MAILS[:1], NOW)
        assert ahead.reading(MAILS[0]) is not None
        (child,) = _children()
        os.kill(child, signal.SIGKILL)
        for _ in range(3):
            ahead.expect(MAILS, NOW)
            assert ahead.reading(MAILS[5]) is None


def fails_on_one_only() -> None:
    class Choosy:
        def read(self, raw: bytes, now: datetime) -> str:
            if b"number 3." in raw:
                raise RecursionError
            return "read"

    with ReadingAhead(Choosy()) as ahead:  # type: ignore[arg-type]  # as much of a reader as is used
        ahead.expect(MAILS, NOW)
        read = [ahead.reading(one) for one in MAILS]
    assert read == [
        Unreadable("reading it failed (RecursionError)") if number == 3 else "read"
        for number in range(len(MAILS))
    ]


def test_it_reads_as_the_reader_itself() -> None:
    alone("reads_the_same")


def test_when_it_dies_nothing_is_taken_from_it() -> None:
    alone("survives_its_death")


def test_a_mail_that_cannot_be_read_spoils_no_other() -> None:
    alone("fails_on_one_only")


def test_a_process_with_threads_is_never_copied() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with ReadingAhead(reader()) as ahead:
            ahead.expect(MAILS, NOW)
            assert ahead.reading(MAILS[0]) is None
    finally:
        stop.set()
        thread.join()


def test_it_ends_when_its_process_is_killed() -> None:
    code = (
        "from tests.test_reading_ahead import *; from tests.test_reading_ahead import _children\n"
        "ahead = ReadingAhead(reader()); ahead.expect(MAILS, NOW); ahead.reading(MAILS[0])\n"
        "print(*_children(), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    child = Path(f"/proc/{int(done.stdout)}")
    until = time.monotonic() + 20
    while child.exists() and "Z" not in (child / "stat").read_text().split()[2]:
        assert time.monotonic() < until, "it goes on without its process"
        time.sleep(0.1)


def _children() -> list[int]:
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return [int(one) for one in listed.split()]
