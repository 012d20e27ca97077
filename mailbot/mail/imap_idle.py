"""Waiting for news of the selected folder, such that a dead connection is noticed."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from imapclient import IMAPClient

from mailbot.mail.imap_connection import Connection, ImapAbort

IDLE_AT_MOST_SECONDS = 240
"""Routers forget quiet connections after some five minutes, and only leaving IDLE shows that they did."""
LOOK_AT_STOP_SECONDS = 0.5
NOOP_EVERY_SECONDS = 10.0

_NEWS = re.compile(rb"^\* \d+ EXISTS$", re.IGNORECASE)


def await_by_idle(connection: Connection, seconds: float, stop: threading.Event | None) -> None:
    """New mail was announced, or the time is over, or `stop` is set.

    Raises: imaplib's abort, or OSError, when the connection is dead.
    """
    until = time.monotonic() + seconds
    while True:
        news = _idle_once(connection, min(until, time.monotonic() + IDLE_AT_MOST_SECONDS), stop)
        if news or time.monotonic() >= until or _is_set(stop):
            return


def await_by_noop(client: IMAPClient, seconds: float, stop: threading.Event | None) -> None:
    """The same on a server without IDLE, seen within some seconds."""
    until = time.monotonic() + seconds
    pause = stop or threading.Event()
    untagged = client._imap.untagged_responses
    while (left := until - time.monotonic()) > 0 and not pause.wait(min(NOOP_EVERY_SECONDS, left)):
        untagged.pop("EXISTS", None)
        client.noop()
        if "EXISTS" in untagged:
            return


def _idle_once(connection: Connection, until: float, stop: threading.Event | None) -> bool:
    """Whether there is news. The server is out of IDLE again, so the connection is known to live.

    Not by IMAPClient's idle_check: it takes a closed connection for "nothing new", and a line that
    comes in two packets for a closed connection.
    """
    imap = connection.client._imap
    tag = imap._command("IDLE")
    news = _read(connection, lambda line: line.startswith(b"+"))
    while not news and (left := until - time.monotonic()) > 0 and not _is_set(stop):
        if connection.wire.await_input(min(left, LOOK_AT_STOP_SECONDS)):
            news = _is_news(_line(connection))
    imap.send(b"DONE\r\n")
    news |= _read(connection, lambda line: line.startswith(tag))
    imap.tagged_commands.pop(tag, None)
    return news


def _read(connection: Connection, is_last: Callable[[bytes], bool]) -> bool:
    """Whether there was news among the lines up to the one that is the last."""
    news = False
    while True:
        line = _line(connection)
        if is_last(line):
            return news
        if not line.startswith(b"*"):
            raise ImapAbort("IDLE refused")
        news |= _is_news(line)


def _line(connection: Connection) -> bytes:
    """One line of the answer; the quick ones among the server's lines hold no literals in IDLE."""
    line: bytes = connection.client._imap._get_line()
    if line[:5].upper() == b"* BYE":
        raise ImapAbort("BYE")
    return line


def _is_news(line: bytes) -> bool:
    return _NEWS.match(line) is not None


def _is_set(stop: threading.Event | None) -> bool:
    return stop is not None and stop.is_set()
