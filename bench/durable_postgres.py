"""The tests' private PostgreSQL, with a commit that is on the disk."""

from __future__ import annotations

from tests.servers.postgres import PrivatePostgres

_SETTINGS = "-c listen_addresses=127.0.0.1 -c shared_buffers=128MB -c max_connections=60"


class DurablePostgres(PrivatePostgres):
    """fsync, synchronous_commit and full_page_writes are as PostgreSQL ships them: on."""

    def start(self) -> None:
        """The server answers."""
        options = f"-p {self.port} -c unix_socket_directories={self.folder} {_SETTINGS}"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", log, "-o", options, "start")
