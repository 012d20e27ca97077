"""A DNS server on a free loopback port that answers from a dictionary, and fails on demand."""

from __future__ import annotations

import socket
import struct
import threading
from types import TracebackType

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = dict[str, dict[str, list[str]]]
"""Lower-case name without final dot -> type ("TXT", "A", ...) -> values; TXT values as plain text, any length."""

SERVFAIL: dict[str, list[str]] = {"SERVFAIL": []}
"""As the entry of a name: the server answers SERVFAIL."""
TIMEOUT: dict[str, list[str]] = {"TIMEOUT": []}
"""As the entry of a name: the server says nothing."""


class StubDns:
    """A context manager. `address` is "127.0.0.1:PORT" (UDP and TCP); `zone` may be changed at any time.

    A name that is not in the zone, nor above one that is, is answered NXDOMAIN. `queries` has every name asked.
    """

    def __init__(self, zone: Zone | None = None, ttl_seconds: int = 300) -> None:
        self.zone: Zone = zone if zone is not None else {}
        self.ttl_seconds = ttl_seconds
        self.queries: list[str] = []
        self.tcp_queries: list[str] = []
        self._udp, self._tcp = _bind_both()
        self.address = f"127.0.0.1:{self._udp.getsockname()[1]}"
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=serve, daemon=True) for serve in (self._serve_udp, self._serve_tcp)
        ]

    def __enter__(self) -> StubDns:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(5)
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while not self._stopping.is_set():
            try:
                wire, peer = self._udp.recvfrom(4096)
            except TimeoutError:
                continue
            query = _parse(wire)
            answer = self._answer(query) if query else None
            if query is not None and answer is not None:
                self._udp.sendto(_fitting(answer, query), peer)

    def _serve_tcp(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._tcp.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(2)
                self._answer_by_tcp(connection)

    def _answer_by_tcp(self, connection: socket.socket) -> None:
        query = _asked_by_tcp(connection)
        answer = self._answer(query) if query else None
        if query is not None and answer is not None:
            self.tcp_queries.append(query.question[0].name.to_text(omit_final_dot=True).lower())
            wire = answer.to_wire(max_size=65_535)
            connection.sendall(struct.pack("!H", len(wire)) + wire)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.queries.append(name)
        entry = self.zone.get(name)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if entry is not None and "TIMEOUT" in entry:
            return None
        if entry is not None and "SERVFAIL" in entry:
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer
        if entry is None and not any(other.endswith(f".{name}") for other in list(self.zone)):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        kind = dns.rdatatype.to_text(question.rdtype)
        values = (entry or {}).get(kind, [])
        if values:
            texts = [_presented(value) if kind == "TXT" else value for value in values]
            answer.answer.append(dns.rrset.from_text_list(question.name, self.ttl_seconds, "IN", kind, texts))
        return answer


def _asked_by_tcp(connection: socket.socket) -> dns.message.Message | None:
    """The query; None when nothing whole comes (resolvers open connections and keep them for later)."""
    try:
        with connection.makefile("rb") as stream:
            (length,) = struct.unpack("!H", stream.read(2))
            return _parse(stream.read(length))
    except (OSError, struct.error):
        return None


def _bind_both() -> tuple[socket.socket, socket.socket]:
    """A UDP and a listening TCP socket on one free port."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind(udp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
            continue
        tcp.listen()
        udp.settimeout(0.05)
        tcp.settimeout(0.05)
        return udp, tcp


def _parse(wire: bytes) -> dns.message.Message | None:
    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return None
    return query if query.question else None


def _fitting(answer: dns.message.Message, query: dns.message.Message) -> bytes:
    """The answer for UDP, truncated when it is longer than the asker can take."""
    wire = answer.to_wire(max_size=65_535)
    if len(wire) <= max(query.payload, 512):
        return wire
    short = dns.message.make_response(query)
    short.flags |= dns.flags.TC | dns.flags.RA
    return short.to_wire()


def _presented(value: str) -> str:
    """A TXT value in master-file form: character-strings of at most 255 bytes."""
    data = value.encode("utf-8")
    chunks = [data[start : start + 255] for start in range(0, len(data), 255)] or [b""]
    return " ".join('"' + "".join(f"\\{byte:03d}" for byte in chunk) + '"' for chunk in chunks)
