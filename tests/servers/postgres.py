"""A private PostgreSQL on loopback: own folder, own port; gone after the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import create_engine, text

INSTALL = "PostgreSQL is missing: install the Debian package postgresql"
SETTINGS = (
    "-c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    " -c shared_buffers=64MB -c max_connections=60"
)


class PrivatePostgres:
    """A server of its own. `new_database()` gives the URL of an empty database as often as asked."""

    def __enter__(self) -> Self:
        self._bin = _binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="mailbot-postgres-"))
        self._user = _system_user()
        if self._user:
            shutil.chown(self.folder, self._user)
        self.port = _free_port()
        self._count = 0
        self._run("initdb", "-D", self._data, "-U", "mailbot", "-A", "trust", "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def start(self) -> None:
        """The server answers."""
        options = f"-p {self.port} -c unix_socket_directories={self.folder} {SETTINGS}"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """The server and all its connections are gone; its data is still there."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://mailbot@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "") -> str:
        """The URL of a new database: empty, or a copy of the one at the URL `template` (nobody connected)."""
        self._count += 1
        name = f"test{self._count}"
        copied = f" TEMPLATE {_name(template)}" if template else ""
        self._administer(f"CREATE DATABASE {name}{copied}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """The database at `url` is gone, whoever is still connected."""
        self._administer(f"DROP DATABASE {_name(url)} WITH (FORCE)")

    def dump(self, url: str, file: Path) -> None:
        """The database at `url` as pg_dump writes it."""
        inside = self.folder / "dump"
        self._run("pg_dump", *self._login(), "--format=custom", f"--file={inside}", _name(url))
        shutil.move(inside, file)

    def restore(self, file: Path, url: str) -> None:
        """What was dumped takes the place of what is at `url`; other tables stay."""
        inside = self.folder / "dump"
        inside.write_bytes(file.read_bytes())
        inside.chmod(0o644)
        self._run(
            "pg_restore", *self._login(), "--clean", "--if-exists", f"--dbname={_name(url)}", str(inside)
        )
        inside.unlink()

    def _login(self) -> tuple[str, ...]:
        return "--host=127.0.0.1", f"--port={self.port}", "--username=mailbot"

    def _administer(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def _run(self, program: str, *arguments: str) -> None:
        """PostgreSQL refuses to run as root, so root hands over to a system user."""
        who: dict[str, object] = {"user": self._user, "extra_groups": []} if self._user else {}
        if self._user:
            who["group"] = pwd.getpwnam(self._user).pw_gid
        output = self.folder / f"{program}.out"
        with output.open("wb") as out:
            done = subprocess.run(
                [str(self._bin / program), *arguments], stdout=out, stderr=out, cwd="/", **who
            )  # type: ignore[call-overload]  # three optional keywords
        assert done.returncode == 0, f"{program} failed: {output.read_text()}"


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _binaries() -> Path:
    found = shutil.which("initdb")
    if found:
        return (
            Path(found).resolve().parent
        )  # beside it are pg_dump and pg_restore, which a link may stand without
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert packaged, INSTALL
    return packaged[-1].parent


def _system_user() -> str | None:
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
