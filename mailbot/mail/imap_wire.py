"""Reading from an IMAP connection with bounds, and seeing whether there is something to read."""

from __future__ import annotations

import io
import select
import socket
import ssl

from imapclient import IMAPClient

BUFFER_BYTES = 64 << 10
LINE_BYTES = 16 << 20
"""Longest line taken; imaplib's own limit of 1 MB fails on SEARCH in a folder of 120,000 mails."""


class Wire:
    """Takes the place of imaplib's own reading on one connection, once TLS is established.

    imaplib hides what it has read ahead, so nobody can tell "nothing there" from "connection closed".
    """

    def __init__(self, client: IMAPClient, literal_limit: int) -> None:
        self._socket: socket.socket = client.socket()
        self._file: io.BufferedReader = self._socket.makefile("rb", BUFFER_BYTES)
        self._literal_limit = literal_limit
        client._imap.read = self.read
        client._imap.readline = self.readline

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes. A literal far beyond what was asked for ends the connection, not the memory."""
        if size > self._literal_limit:
            raise IMAPClient.AbortError("literal too large")
        octets = self._file.read(size)
        if len(octets) < size:
            raise IMAPClient.AbortError("socket error: EOF in a literal")
        return octets

    def readline(self) -> bytes:
        """One line with its end; empty when the connection is closed."""
        line = self._file.readline(LINE_BYTES)
        if len(line) >= LINE_BYTES:
            raise IMAPClient.AbortError("line too long")
        return line

    def await_input(self, seconds: float) -> bool:
        """Whether a line, or the end of the connection, can be read now or within `seconds`."""
        if self.has_more():
            return True
        if not _is_readable(self._socket, seconds):
            return False
        before = self._socket.gettimeout()
        self._socket.settimeout(0)
        try:
            self._file.peek(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False  # TLS spoke to itself
        finally:
            self._socket.settimeout(before)
        return True

    def has_more(self) -> bool:
        """Whether bytes are here already."""
        before = self._socket.gettimeout()
        self._socket.settimeout(0)
        try:
            return bool(self._file.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            self._socket.settimeout(before)

    def close(self) -> None:
        """The descriptor is free once the socket is closed too."""
        self._file.close()


def _is_readable(sock: socket.socket, seconds: float) -> bool:
    poller = select.poll()  # select() fails on descriptors above 1023
    poller.register(sock.fileno(), select.POLLIN)
    return bool(poller.poll(seconds * 1000))
