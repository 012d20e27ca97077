"""An IMAP server in memory, inside this process, on a free port of loopback: pymap, nothing to install."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from imapclient import IMAPClient, SocketTimeout
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPService

from mailbot.mail.settings import MailboxSettings, Security

HOST = "127.0.0.1"
START_SECONDS = 15


class EmbeddedImap:
    """One mailbox, empty at first; mail is put in by `deliver`, from any thread. Clear text: loopback only."""

    def __init__(self, user: str, password: str, port: int = 0) -> None:
        self.user = user
        self.password = password
        self.port = port or _free_port()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._delivering = threading.Lock()
        self._client: IMAPClient | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, name="embedded-imap", daemon=True)
        self._thread.start()
        self._ready.wait(START_SECONDS)
        if self._failure is not None or not self._ready.is_set():
            raise RuntimeError(
                f"the embedded IMAP server did not start on port {self.port}"
            ) from self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._delivering:
            self._forget_client()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def settings(self, name: str = "privacy") -> MailboxSettings:
        """What a configuration would say to reach this mailbox."""
        return MailboxSettings(name, HOST, self.port, Security.NONE, None, self.user, self.password)

    def deliver(self, *mails: bytes, folder: str = "INBOX") -> None:
        """`mails` lie in `folder`, in this order, and who waits there by IDLE is told."""
        with self._delivering:
            client = self._client or self._connect()
            for raw in mails:
                client.append(folder, raw)

    def _connect(self) -> IMAPClient:
        # One connection for all deliveries: pymap takes a quarter of a second to check the password.
        client = IMAPClient(HOST, port=self.port, ssl=False, timeout=SocketTimeout(10, 30))
        client._imap.debug = 0
        client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.login(self.user, self.password)
        self._client = client
        return client

    def _forget_client(self) -> None:
        if self._client is not None:
            with contextlib.suppress(IMAPClient.Error, OSError):
                self._client.logout()
            self._client = None

    def _serve(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # noqa: BLE001  # handed to the thread that waits for the start
            self._failure = error
        finally:
            self._ready.set()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        backend, config = await DictBackend.init(self._arguments())
        config.apply_context()
        async with contextlib.AsyncExitStack() as stack:
            await backend.start(stack)
            await IMAPService(backend, config).start(stack)
            self._ready.set()
            await self._stop.wait()

    def _arguments(self) -> argparse.Namespace:
        """pymap has no other door than its command line."""
        parser = argparse.ArgumentParser()
        DictBackend.add_subparser("dict", parser.add_subparsers(dest="backend"))
        IMAPService.add_arguments(parser)
        words = ["--host", HOST, "--port", str(self.port), "--no-tls", "dict"]
        words += ["--demo-user", self.user, "--demo-password", self.password]
        return parser.parse_args(words, argparse.Namespace(debug=False, passlib_cfg=None))


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
