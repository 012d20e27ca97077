"""A mailbox that takes no password is opened with a token, and who refuses the token is named."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from mailbot.mail.inbox import Inbox, MailboxTrouble
from mailbot.mail.oauth2 import TokenTrouble, access_token
from mailbot.mail.settings import OAuth2Settings
from tests.servers.dovecot import Dovecot, web_token

KEY = b"0123456789abcdef0123456789abcdef"
ALICE = "alice@example.test"


@contextmanager
def token_server(status: int, answer: bytes) -> Iterator[tuple[OAuth2Settings, list[dict[str, list[str]]]]]:
    """Settings that ask a server which always gives this answer, and the forms it got."""
    forms: list[dict[str, list[str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            forms.append(parse_qs(self.rfile.read(length).decode()))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield (
            OAuth2Settings(f"http://127.0.0.1:{server.server_port}/token", "mailbot", "s3cret", "r3fresh"),
            forms,
        )
    finally:
        server.shutdown()
        server.server_close()


def test_a_mailbox_is_opened_with_a_token() -> None:
    answer = json.dumps({"access_token": web_token(KEY, ALICE), "expires_in": 3600}).encode()
    with Dovecot(oauth2_key=KEY) as server, token_server(200, answer) as (oauth2, forms):
        settings = replace(server.settings(ALICE), password="", oauth2=oauth2)
        with Inbox(settings) as inbox:
            assert inbox.waiting() == []
        with pytest.raises(MailboxTrouble, match="login refused"):
            Inbox(replace(settings, username="mallory@example.test")).connect()
    assert forms[0]["grant_type"] == ["refresh_token"]
    assert forms[0]["refresh_token"] == ["r3fresh"]


def test_without_a_refresh_token_the_program_asks_as_itself() -> None:
    with token_server(200, b'{"access_token": "abc"}') as (oauth2, forms):
        assert access_token(replace(oauth2, refresh_token="", scope="mail"), 5) == "abc"
    assert forms == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["mailbot"],
            "client_secret": ["s3cret"],
            "scope": ["mail"],
        }
    ]


@pytest.mark.parametrize(
    ("status", "answer", "later"),
    [
        (400, b'{"error": "invalid_grant", "error_description": "alice"}', False),
        (503, b"<html>", True),
        (200, b"[]", False),
        (200, b'{"access_token": "a\\r\\nb"}', False),
        (302, b"", False),
    ],
)
def test_no_token_is_told_without_secrets(status: int, answer: bytes, later: bool) -> None:
    with (
        token_server(status, answer) as (oauth2, _),
        pytest.raises(TokenTrouble, match="gives no token") as trouble,
    ):
        access_token(oauth2, 5)
    assert trouble.value.later is later
    assert not [word for word in ("s3cret", "r3fresh", "alice") if word in str(trouble.value) + repr(oauth2)]


def test_a_token_server_must_be_protected() -> None:
    with pytest.raises(TokenTrouble, match="https"):
        access_token(OAuth2Settings("http://192.0.2.1/token", "mailbot"), 5)
