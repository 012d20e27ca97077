"""One run of each loop as a process of its own, and the proof that it did its work."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, text

from bench.generator import PRIVACY
from bench.mailbox import fill
from bench.sink import Sink
from mailbot.demo.world import write_files
from tests.servers.dovecot import PASSWORD, Dovecot

_CONFIG = """
[[mailbox]]
name = "privacy"
host = "127.0.0.1"
port = {imap_port}
security = "none"
username = "{user}"
password_file = "imap.password"

[smtp]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
from_address = "{privacy}"
bounce_address = "bounces@myownconference.com"
max_per_minute = 100000000

[database]
url = "{database}"

[secrets]
key_file = "mailbot.key"

[platform]
url = "sqlite:///platform.db"
files_root = "files"

[dns]
nameservers = ["{nameserver}"]

[logging]
level = "warning"
"""


class Cheated(Exception):
    """A run did not do what it is measured for; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: the whole process, from its start to its end. `peak_mib` is its largest memory."""

    mails: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    said: str

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What both loops talk to."""

    dovecot: Dovecot
    sink: Sink
    nameserver: str
    folder: Path
    mails: Sequence[bytes]


def run_bare_loop(around: Surroundings, name: str) -> Measured:
    """The bare loop over a fresh mailbox. Raises Cheated."""
    folder = _folder(around, name)
    fill(around.dovecot, name, around.mails)
    before = around.sink.count()
    ports = (str(around.dovecot.imap_port), name, str(folder / "imap.password"), str(around.sink.port))
    command = ["-m", "bench.bare_loop", *ports, around.nameserver, str(folder / "bare.db")]
    spent = _run(command)
    expected = len(around.mails)
    _hold("rows", _counted(f"sqlite:///{folder / 'bare.db'}", "SELECT count(*) FROM mail"), expected)
    _hold("replies", around.sink.count() - before, expected)
    _hold("mails in Processed", _processed(around.dovecot, name), expected)
    return Measured(expected, *spent)


def run_mailbot(around: Surroundings, name: str, database: str = "") -> Measured:
    """`mailbot run --once` over a fresh mailbox. `database`: a URL; empty: a SQLite file. Raises Cheated."""
    folder = _folder(around, name)
    url = database or f"sqlite:///{folder / 'mailbot.db'}"
    fill(around.dovecot, name, around.mails)
    config = folder / "config.toml"
    config.write_text(
        _CONFIG.format(
            imap_port=around.dovecot.imap_port,
            user=name,
            smtp_port=around.sink.port,
            privacy=PRIVACY,
            database=url,
            nameserver=around.nameserver,
        ),
        encoding="utf-8",
    )
    if database:
        _run(["-m", "mailbot", "db", "upgrade", "--config", str(config)])
    before = around.sink.count()
    spent = _run(["-m", "mailbot", "run", "--once", "--json", "--config", str(config)])
    _prove_mailbot(around, name, url, spent[-1], around.sink.count() - before)
    return Measured(len(around.mails), *spent)


def _prove_mailbot(around: Surroundings, name: str, url: str, said: str, taken: int) -> None:
    expected = len(around.mails)
    summary = json.loads(said.splitlines()[-1])
    _hold("received", summary["received"], expected)
    _hold("failed", summary["failed"], 0)
    _hold(
        "messages of a case",
        _counted(url, "SELECT count(*) FROM message WHERE disposition = 'case'"),
        expected,
    )
    # not every case: sweeps may add lines for staff
    of_mails = "SELECT count(DISTINCT case_id) FROM message WHERE disposition = 'case'"
    _hold("cases", _counted(url, of_mails), expected)
    _hold(
        "letters sent, by the sink", taken, _counted(url, "SELECT count(*) FROM letter WHERE state = 'sent'")
    )
    _hold("letters left", _counted(url, "SELECT count(*) FROM letter WHERE state <> 'sent'"), 0)
    _hold(
        "cases that got no letter", expected - _counted(url, "SELECT count(DISTINCT case_id) FROM letter"), 0
    )
    _hold("work left", _counted(url, "SELECT count(*) FROM work WHERE done_at IS NULL"), 0)
    _hold("mails in Processed", _processed(around.dovecot, name), expected)
    if _counted(url, "SELECT count(*) FROM ledger") < expected:
        raise Cheated("fewer entries in the ledger than cases")
    proven = _counted(url, "SELECT count(*) FROM request WHERE proof = 'sender'")
    if proven * 3 < expected:
        raise Cheated(f"only {proven} senders proven, half of {expected} sign")


def _hold(what: str, found: int, expected: int) -> None:
    if found != expected:
        raise Cheated(f"{what}: {found}, not {expected}")


def _counted(url: str, query: str) -> int:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())
    finally:
        engine.dispose()


def _processed(dovecot: Dovecot, user: str) -> int:
    box = dovecot.folder / "mail" / user / ".Processed"
    return sum(len(list((box / name).iterdir())) for name in ("cur", "new"))


def _folder(around: Surroundings, name: str) -> Path:
    folder = around.folder / name
    write_files(folder, datetime.now(UTC))
    (folder / "imap.password").write_text(PASSWORD, encoding="utf-8")
    (folder / "mailbot.key").write_text(base64.b64encode(os.urandom(32)).decode(), encoding="ascii")
    return folder


def _run(arguments: Sequence[str]) -> tuple[float, float, float, str]:
    """Seconds, processor seconds, peak memory in MiB and standard output of a Python process. Raises Cheated."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Cheated(f"{' '.join(arguments[:3])} ended with {process.returncode}: {said[-500:]}")
    seconds = time.perf_counter() - started
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said
