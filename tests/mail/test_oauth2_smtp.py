"""A sending server that takes no password gets a token, by the way it knows, and another when that has ended."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from mailbot.mail.access_tokens import AccessTokens
from mailbot.mail.any_port import AnyPort
from mailbot.mail.outbox import Later, Sent, SmtpConnection
from mailbot.mail.settings import OAuth2Settings, Security, SmtpSettings
from tests.servers.dovecot import web_token
from tests.servers.token_server import KEY, TokenServer

ALICE = "alice@example.test"
MAIL = b"Subject: answer\r\n\r\nDone.\r\n"
ERROR = '{"status":"401","schemes":"bearer"}'


class Bearer:
    """An SMTP server's door that takes tokens, and mail of those who showed a good one."""

    def __init__(self) -> None:
        self.good: set[str] = set()
        self.shown: list[str] = []
        self.ends: list[bytes] = []
        self.mails: list[bytes] = []

    async def look(self, server: SMTP, args: list[str]) -> AuthResult:
        """RFC 7628 §3.2.3: a token that is no good is answered by 334, and the end of it awaited."""
        said = base64.b64decode(args[1]).decode()
        self.shown.append(said)
        if said.rpartition("auth=Bearer ")[2].rstrip("\1") in self.good:
            return AuthResult(success=True, auth_data=ALICE)
        self.ends.append(await server.challenge_auth(ERROR))  # type: ignore[arg-type]  # bytes or MISSING
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # named by aiosmtpd
        self.mails.append(bytes(envelope.content or b""))
        return "250 taken"


class XOAuth2(Bearer):
    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802  # named by aiosmtpd
        return await self.look(server, args)


class Both(XOAuth2):
    async def auth_OAUTHBEARER(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802  # named by aiosmtpd
        return await self.look(server, args)


@contextmanager
def listening(door: Bearer) -> Iterator[int]:
    controller = AnyPort(door, hostname="127.0.0.1", port=0, auth_required=True, auth_require_tls=False)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def settings_for(port: int, oauth2: OAuth2Settings) -> SmtpSettings:
    return SmtpSettings("127.0.0.1", port, Security.NONE, None, ALICE, "", timeout_seconds=10, oauth2=oauth2)


@pytest.mark.parametrize(
    ("door", "begins"),
    [(XOAuth2(), f"user={ALICE}\1auth=Bearer "), (Both(), f"n,a={ALICE},\1host=127.0.0.1\1port=")],
    ids=["xoauth2", "oauthbearer"],
)
def test_mail_is_sent_by_the_way_the_server_knows(door: Bearer, begins: str) -> None:
    with TokenServer(ALICE) as given, listening(door) as port:
        tokens = AccessTokens()
        door.good.add(tokens.token(given.settings(), 10))
        with SmtpConnection(settings_for(port, given.settings()), tokens=tokens) as connection:
            assert connection.send("bounces@example.test", "vera@visitors.example", MAIL) == Sent()
    assert door.mails == [MAIL]
    assert door.shown[0].startswith(begins)
    assert len(given.forms) == 1


@pytest.mark.parametrize(("door", "end"), [(XOAuth2(), b""), (Both(), b"\1")], ids=["xoauth2", "oauthbearer"])
def test_a_token_that_has_ended_gives_way_to_another_on_the_same_connection(door: Bearer, end: bytes) -> None:
    now = [1000.0]
    tokens = AccessTokens(clock=lambda: now[0])
    with TokenServer(ALICE) as given, listening(door) as port:
        tokens.token(given.settings(), 10)
        now[0] += 60
        fresh = web_token(KEY, "another@example.test")
        door.good.add(fresh)
        given.fixed = 200, b'{"access_token": "%s"}' % fresh.encode()
        with SmtpConnection(settings_for(port, given.settings()), tokens=tokens) as connection:
            assert connection.send("bounces@example.test", "vera@visitors.example", MAIL) == Sent()
    assert door.ends == [end]
    assert len(given.forms) == 2


def test_a_server_that_takes_no_token_of_ours_is_told_as_such_and_the_mail_stays() -> None:
    door = XOAuth2()
    with TokenServer(ALICE) as given, listening(door) as port:
        with SmtpConnection(settings_for(port, given.settings())) as connection:
            outcome = connection.send("bounces@example.test", "vera@visitors.example", MAIL)
        assert isinstance(outcome, Later)
        assert "login refused" in outcome.reason
        assert len(door.shown) == 1
        given.fixed = 400, b'{"error": "invalid_client"}'
        with SmtpConnection(settings_for(port, given.settings())) as connection:
            outcome = connection.send("bounces@example.test", "vera@visitors.example", MAIL)
    assert isinstance(outcome, Later)
    assert "invalid_client" in outcome.reason
