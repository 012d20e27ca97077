"""An SMTP server as light as Python allows, in a process of its own: it says yes and counts."""

from __future__ import annotations

import asyncio
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import Synchronized
from types import TracebackType
from typing import Self

_SPAWN = get_context("spawn")
_GREETING = (
    b"250-sink.example\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n"
)
_END = b"\r\n.\r\n"


class Sink:
    """Listens on loopback from `__enter__` on; `count()` says how many mails it has taken."""

    def __init__(self) -> None:
        self._taken: Synchronized[int] = _SPAWN.Value("i", 0)
        self._process: SpawnProcess | None = None
        self.port = 0

    def __enter__(self) -> Self:
        mine, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, self._taken), daemon=True)
        self._process.start()
        self.port = mine.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.join()

    def count(self) -> int:
        """Mails taken so far."""
        return int(self._taken.value)


class _Talk(asyncio.Protocol):
    def __init__(self, taken: Synchronized[int]) -> None:
        self._taken = taken
        self._buffer = b""
        self._in_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._step():
            pass

    def _step(self) -> bool:
        """True when a whole command, or a whole content, was in the buffer and is answered."""
        piece, end, rest = self._buffer.partition(_END if self._in_content else b"\r\n")
        if not end:
            return False
        self._buffer = rest
        if self._in_content:
            self._in_content = False
            self._taken.value += 1
            self._transport.write(b"250 2.0.0 taken\r\n")
        else:
            self._answer(piece[:4].upper())
        return True

    def _answer(self, command: bytes) -> None:
        match command:
            case b"EHLO":
                self._transport.write(_GREETING)
            case b"DATA":
                self._in_content = True
                self._transport.write(b"354 go on\r\n")
            case b"QUIT":
                self._transport.write(b"221 2.0.0 bye\r\n")
                self._transport.close()
            case _:
                self._transport.write(b"250 2.0.0 fine\r\n")


def _serve(tell: object, taken: Synchronized[int]) -> None:
    asyncio.run(_listen(tell, taken))


async def _listen(tell: object, taken: Synchronized[int]) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Talk(taken), "127.0.0.1", 0)
    tell.send(server.sockets[0].getsockname()[1])  # type: ignore[attr-defined]  # the pipe's other end
    await server.serve_forever()
