"""A private MariaDB on loopback: own folder, own port; gone after the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

INSTALL = "MariaDB is missing: install the Debian package mariadb-server"
STARTS_WITHIN_SECONDS = 120


class PrivateMariaDb:
    """A server of its own. `new_database()` gives the URL of an empty database as often as asked."""

    def __enter__(self) -> Self:
        program = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        assert program and shutil.which("mariadb-install-db"), INSTALL
        self.folder = Path(tempfile.mkdtemp(prefix="mailbot-mariadb-"))
        self.port = _free_port()
        self._count = 0
        who = _system_user()
        if who:
            shutil.chown(self.folder, who)
        # innodb_flush_log_at_trx_commit=0: quick, and safe enough for what lives as long as a test
        common = ["--no-defaults", f"--datadir={self.folder}/data", *([f"--user={who}"] if who else [])]
        done = subprocess.run(
            ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True, check=False, cwd="/",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
        self._server = subprocess.Popen(
            [program, *common, f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.folder}/socket",
             f"--pid-file={self.folder}/pid", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin",
             "--innodb-buffer-pool-size=64M", "--max-connections=60", "--skip-name-resolve"],
            stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("wb"), cwd="/",
        )  # fmt: skip
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.kill()
        self._server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        self._count += 1
        self._administer(f"CREATE DATABASE test{self._count} CHARACTER SET utf8mb4")
        return self.url(f"test{self._count}")

    def drop(self, url: str) -> None:
        """The database at `url` is gone."""
        self._administer(f"DROP DATABASE {url.rpartition('/')[2]}")

    def _administer(self, statement: str) -> None:
        engine = create_engine(self.url("mysql"))
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def _wait(self) -> None:
        until = time.monotonic() + STARTS_WITHIN_SECONDS
        while True:
            try:
                return self._administer("SELECT 1")
            except OperationalError:
                assert time.monotonic() < until, (self.folder / "log").read_text()
                time.sleep(0.1)


def _system_user() -> str | None:
    """MariaDB refuses to run as root unless told a user to become."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "mysql" if "mysql" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
