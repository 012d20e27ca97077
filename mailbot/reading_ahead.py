"""A backlog of mail is read in a second process while this one stores what was read before.

Reading is pure and takes half of the time of taking a mail in; everything else needs the database's one writer.
The process is made only for a backlog: a few mails are read sooner than a process starts.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from types import TracebackType
from typing import Self

import structlog

from mailbot.config import Config
from mailbot.core.message import Unreadable
from mailbot.knowledge import load_knowledge
from mailbot.mail.dns import Dns
from mailbot.reading import Reader, Reading
from mailbot.store.messages import Incoming

BACKLOG = 500
"""So many waiting mails are worth a process of their own."""
_AT_ONCE = 10

_log = structlog.get_logger()
_reader: Reader | None = None
"""The second process's own."""


class ReadingAhead:
    """Readings of mails that are about to be taken in. Not for several threads at once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._pool: ProcessPoolExecutor | None = None
        self._ready: Future[None] | None = None
        self._coming: dict[bytes, tuple[Future[list[Reading | Unreadable]], int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def backlog(self, mails: int) -> None:
        """So many mails wait; a second process is made where that is worth it."""
        if self._pool is None and mails >= BACKLOG:
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), _prepare, (self._config,))
            self._ready = self._pool.submit(_nothing)

    def expect(self, mails: Sequence[Incoming], now: datetime) -> None:
        """These are read meanwhile, if there is a process for it."""
        self._coming = {}
        if self._pool is None or self._ready is None or not self._ready.done() or self._ready.exception():
            return
        for start in range(0, len(mails), _AT_ONCE):
            some = mails[start : start + _AT_ONCE]
            read = self._pool.submit(_read, [one.raw for one in some], now)
            self._coming.update({one.content_hash: (read, number) for number, one in enumerate(some)})

    def taken(self) -> dict[bytes, Reading | Unreadable]:
        """What was expected last, read, by content hash; nothing when the process failed, which is no matter."""
        coming, self._coming = self._coming, {}
        try:
            return {digest: read.result()[number] for digest, (read, number) in coming.items()}
        except Exception as error:  # noqa: BLE001  # whatever became of the process, the mails are read here then
            _log.warning("reading ahead failed", error=type(error).__name__)
            return {}


def _prepare(config: Config) -> None:
    global _reader  # what a pool's process keeps between calls has no other place
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _reader = Reader(load_knowledge(config), Dns(config.dns.nameservers, config.dns.timeout_seconds).txt)


def _nothing() -> None:
    """The process can read as soon as this was done."""


def _read(raws: Sequence[bytes], now: datetime) -> list[Reading | Unreadable]:
    return [_read_one(raw, now) for raw in raws]


def _read_one(raw: bytes, now: datetime) -> Reading | Unreadable:
    if _reader is None:
        raise RuntimeError("reading ahead was not prepared")
    try:
        return _reader.read(raw, now)
    except Exception as error:  # noqa: BLE001  # one such mail must not stand in the way of the next
        return Unreadable(f"reading it failed ({type(error).__name__})")
