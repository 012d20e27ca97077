"""The stub DNS in a process of its own, so that neither loop pays for it."""

from __future__ import annotations

import threading
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Self

from mailbot.demo.stub_dns import StubDns, Zone

_SPAWN = get_context("spawn")


class Names:
    """`address` answers from `zone` until the context ends."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._process: SpawnProcess | None = None
        self.address = ""

    def __enter__(self) -> Self:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, self._zone), daemon=True)
        self._process.start()
        self.address = self._pipe.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.join()


def _serve(tell: Connection, zone: Zone) -> None:
    with StubDns(zone, ttl_seconds=3600) as dns:
        tell.send(dns.address)
        threading.Event().wait()
