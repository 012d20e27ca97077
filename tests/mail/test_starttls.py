"""STARTTLS never falls back to clear text, whatever somebody on the way does; certificates are looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.mail.inbox import Inbox, MailboxTrouble
from mailbot.mail.outbox import SmtpConnection
from mailbot.mail.settings import MailboxSettings, Security, SmtpSettings
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.scripted import ScriptedServer
from tests.servers.starttls import Answer, StarttlsServer, TlsServer

USER, PASSWORD = "alice", "secret"
Try = Callable[[int, Security, Path | None], str]
"""Logs in at the port; what is wrong, in words, or what the server said it can do."""


def try_imap(port: int, security: Security, ca_file: Path | None) -> str:
    settings = MailboxSettings(
        "privacy", "127.0.0.1", port, security, ca_file, USER, PASSWORD,
        connect_timeout_seconds=5, read_timeout_seconds=5,
    )  # fmt: skip
    try:
        with Inbox(settings) as inbox:
            return " ".join(inbox.capabilities())
    except MailboxTrouble as trouble:
        return str(trouble)


def try_smtp(port: int, security: Security, ca_file: Path | None) -> str:
    settings = SmtpSettings("127.0.0.1", port, security, ca_file, USER, PASSWORD, timeout_seconds=5)
    try:
        with SmtpConnection(settings) as smtp:
            return " ".join(smtp.check())
    except OSError as trouble:
        return str(trouble)


def imap(offer: bytes, starttls: bytes) -> Answer:
    """An IMAP server; `%s` in `starttls` is the tag."""

    def answer(line: bytes, is_protected: bool) -> bytes:
        tag, _, command = line.partition(b" ")
        name = command.split(b" ")[0].upper()
        if name == b"STARTTLS":
            return starttls.replace(b"%s", tag)
        can = b"AUTH=PLAIN SAFE" if is_protected else offer
        said = {
            b"CAPABILITY": b"* CAPABILITY IMAP4rev1 " + can + b"\r\n",
            b"SELECT": b"* 0 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n",
        }
        listed = b'* LIST () "/" INBOX\r\n' if name == b"LIST" else b""
        return said.get(name, listed) + tag + b" OK done\r\n"

    return answer


def smtp(offer: bytes, starttls: bytes) -> Answer:
    """An SMTP server."""

    def answer(line: bytes, is_protected: bool) -> bytes:
        match line.split(b" ")[0].upper():
            case b"EHLO" | b"HELO":
                return (
                    b"250-mx.example\r\n250-"
                    + (b"SAFE" if is_protected else offer)
                    + b"\r\n250 AUTH PLAIN\r\n"
                )
            case b"STARTTLS":
                return starttls
            case b"AUTH":
                return b"235 come in\r\n"
            case _:
                return b"250 fine\r\n"

    return answer


PROTOCOLS = pytest.mark.parametrize(
    ("attempt", "server", "greeting", "yes", "no"),
    [
        (try_imap, imap, b"* OK hello\r\n", b"%s OK go\r\n", b"%s NO not now\r\n"),
        (try_smtp, smtp, b"220 mx.example\r\n", b"220 go\r\n", b"454 not now\r\n"),
    ],
    ids=["imap", "smtp"],
)
Server = Callable[[bytes, bytes], Answer]


def told_no_secret(server: StarttlsServer) -> bool:
    words = b" ".join(server.clear).upper()
    return not any(secret in words for secret in (b"LOGIN", b"AUTH", b"ALICE", b"SECRET", b"MAIL FROM"))


@PROTOCOLS
@pytest.mark.parametrize("how", ["not offered", "refused", "hangs up", "no handshake"])
def test_without_tls_nothing_is_told(
    attempt: Try, server: Server, greeting: bytes, yes: bytes, no: bytes, how: str
) -> None:
    offer = b"XNOTHING" if how == "not offered" else b"STARTTLS"
    reply = {"refused": no, "no handshake": yes + b"go on as you are\r\n" * 50}.get(how, yes)
    with StarttlsServer(greeting, server(offer, reply)) as listening:
        said = attempt(listening.port, Security.STARTTLS, None)
        assert told_no_secret(listening)
    assert "SAFE" not in said


@PROTOCOLS
def test_what_was_put_in_before_tls_is_not_heard_after_it(
    attempt: Try, server: Server, greeting: bytes, yes: bytes, no: bytes, tmp_path: Path
) -> None:
    """The answer to STARTTLS comes with more answers in the same packet, for commands that come later."""
    injected = (
        b"* CAPABILITY IMAP4rev1 AUTH=PLAIN INJECTED\r\n250-mx.example\r\n250 AUTH PLAIN INJECTED\r\n"
        + b"".join(b"%s%d OK [CAPABILITY IMAP4rev1 INJECTED] in\r\n" % (b"A", number) for number in range(9))
    )
    certificates = make_certificates(tmp_path)
    with StarttlsServer(greeting, server(b"STARTTLS INJECTED", yes + injected), certificates) as listening:
        said = attempt(listening.port, Security.STARTTLS, certificates.ca)
        assert told_no_secret(listening)
        assert listening.protected, "the handshake took place, and everything was asked again"
        assert "SAFE" in said
    assert "INJECTED" not in said


@PROTOCOLS
def test_with_a_good_certificate_it_logs_in(
    attempt: Try, server: Server, greeting: bytes, yes: bytes, no: bytes, tmp_path: Path
) -> None:
    certificates = make_certificates(tmp_path)
    with StarttlsServer(greeting, server(b"STARTTLS", yes), certificates) as listening:
        assert "SAFE" in attempt(listening.port, Security.STARTTLS, certificates.ca)
        assert told_no_secret(listening)


@PROTOCOLS
@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
@pytest.mark.parametrize("flaw", ["has ended", "other host", "unknown CA"])
def test_a_certificate_that_proves_nothing_is_refused(
    attempt: Try,
    server: Server,
    greeting: bytes,
    yes: bytes,
    no: bytes,
    security: Security,
    flaw: str,
    tmp_path: Path,
) -> None:
    options = {"has ended": {"days": -1}, "other host": {"host": "mallory.example"}}.get(flaw, {})
    certificates: Certificates = make_certificates(tmp_path, **options)  # type: ignore[arg-type]  # typed above
    trusted = None if flaw == "unknown CA" else certificates.ca
    made = TlsServer if security is Security.TLS else StarttlsServer
    with made(greeting, server(b"STARTTLS", yes), certificates) as listening:
        said = attempt(listening.port, security, trusted)
        assert "certificate is not trusted" in said
        assert listening.protected == []
        assert told_no_secret(listening)


def test_an_imap_server_that_lets_everybody_in_unprotected_is_refused() -> None:
    """PREAUTH in the greeting makes STARTTLS impossible (RFC 9051 §6.2.1): somebody on the way may have put it in."""

    def answer(line: bytes) -> bytes:
        return b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + line.split(b" ")[0] + b" OK done\r\n"

    with ScriptedServer(b"* PREAUTH come in\r\n", answer) as server:
        assert "no STARTTLS" in try_imap(server.port, Security.STARTTLS, None)
        assert not [line for line in server.lines if b"SELECT" in line]
