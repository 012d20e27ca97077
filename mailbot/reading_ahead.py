"""What waits is read in a second process while this one stores what was read before.

Reading is pure and takes half of the time of taking a mail in; everything else needs the database's one writer.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_all_start_methods, get_context
from types import TracebackType
from typing import Self

import structlog

from mailbot.core.message import Unreadable
from mailbot.reading import Reader, Reading
from mailbot.resources import ResourceTrouble
from mailbot.store.messages import Incoming

_AT_ONCE = 10

_log = structlog.get_logger()
_reader: Reader | None = None
"""The second process's own."""


_Expected = dict[bytes, tuple[Future[list[Reading | Unreadable]], int]]
"""By content hash: the reading of a few mails, and which of them."""


class ReadingAhead:
    """Readings of mails that are about to be taken in. Not for several threads at once.

    The second process is a copy of this one, made at once and for nothing; only a process of one thread can be copied
    safely. In another one there is none, and every mail is read when its turn comes.
    """

    def __init__(self, reader: Reader) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._coming: _Expected = {}
        self._at_hand: _Expected = {}
        if threading.active_count() == 1 and "fork" in get_all_start_methods():
            self._pool = ProcessPoolExecutor(1, get_context("fork"), _prepare, (reader,))
            self._pool.submit(_nothing)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def expect(self, mails: Sequence[Incoming], now: datetime) -> None:
        """These are read meanwhile, if there is a process for it; those expected before are at hand now."""
        self._at_hand, self._coming = self._coming, {}
        if self._pool is None:
            return
        try:
            for start in range(0, len(mails), _AT_ONCE):
                some = mails[start : start + _AT_ONCE]
                read = self._pool.submit(_read, [one.raw for one in some], now)
                self._coming.update({one.content_hash: (read, number) for number, one in enumerate(some)})
        except BrokenExecutor:
            self._pool = None

    def reading(self, mail: Incoming) -> Reading | Unreadable | None:
        """The mail, read; None when it was not expected, or the process failed, which is no matter."""
        expected = self._at_hand.get(mail.content_hash) or self._coming.get(mail.content_hash)
        if expected is None:
            return None
        read, number = expected
        try:
            return read.result()[number]
        except (BrokenExecutor, CancelledError, OSError) as error:
            _log.warning("reading ahead failed", error=type(error).__name__)
            return None


def _prepare(reader: Reader) -> None:
    global _reader  # what a pool's process keeps between calls has no other place
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    _reader = reader


def _end_with(parent: int) -> None:
    """A killed process cannot tell its second one to end."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def _nothing() -> None:
    """Makes the process, before this one has a second thread."""


def _read(raws: Sequence[bytes], now: datetime) -> list[Reading | Unreadable]:
    return [_read_one(raw, now) for raw in raws]


def _read_one(raw: bytes, now: datetime) -> Reading | Unreadable:
    if _reader is None:
        raise RuntimeError("reading ahead was not prepared")
    try:
        return _reader.read(raw, now)
    except ResourceTrouble:  # not the mail's fault; the main process says so
        raise
    except Exception as error:  # noqa: BLE001  # one such mail must not stand in the way of the next
        return Unreadable(f"reading it failed ({type(error).__name__})")
