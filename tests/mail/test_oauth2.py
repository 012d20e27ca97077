"""A mailbox that takes no password is opened with a token; tokens are fetched once and renewed before they end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from mailbot.mail.access_tokens import AccessTokens
from mailbot.mail.inbox import Inbox, Mail, MailboxTrouble
from mailbot.mail.oauth2 import TokenTrouble, ask_for_token
from mailbot.mail.settings import OAuth2Settings, ServiceAccount
from mailbot.mail.watch import watch
from mailbot.refresh_tokens import StoredRefreshTokens
from mailbot.store.database import Store
from mailbot.store.encryption import Keyring
from tests.mail.conftest import letter
from tests.servers.certificates import make_certificates
from tests.servers.dovecot import Dovecot, web_token
from tests.servers.token_server import CLIENT, FIRST_REFRESH_TOKEN, JWT_BEARER, KEY, SECRET, TokenServer

ALICE = "alice@example.test"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def imap() -> Iterator[Dovecot]:
    with Dovecot(oauth2_key=KEY) as server:
        yield server


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_a_mailbox_is_opened_with_a_token_by_either_way(mechanism: str) -> None:
    with (
        Dovecot(oauth2_key=KEY, oauth2_mechanisms=mechanism) as server,
        TokenServer(ALICE) as given,
    ):
        settings = replace(server.settings(ALICE), password="", oauth2=given.settings())
        tokens = AccessTokens()
        with Inbox(settings, tokens) as inbox:
            assert inbox.waiting() == []
        with pytest.raises(MailboxTrouble, match="login refused"):
            Inbox(replace(settings, username="mallory@example.test"), tokens).connect()
    assert given.forms[0] == {
        "grant_type": "refresh_token",
        "refresh_token": FIRST_REFRESH_TOKEN,
        "client_id": CLIENT,
        "client_secret": SECRET,
    }


def test_without_a_refresh_token_the_program_asks_as_itself(imap: Dovecot) -> None:
    with TokenServer(ALICE) as given:
        oauth2 = given.settings(refresh_token="", scope="https://outlook.office365.com/.default")
        with Inbox(replace(imap.settings(ALICE), password="", oauth2=oauth2)) as inbox:
            assert inbox.waiting() == []
    assert given.forms == [
        {
            "grant_type": "client_credentials",
            "scope": "https://outlook.office365.com/.default",
            "client_id": CLIENT,
            "client_secret": SECRET,
        }
    ]


def test_a_service_account_speaks_for_the_user_with_its_key(imap: Dovecot) -> None:
    key = RSAKey.generate_key(2048, private=True)
    account = ServiceAccount("bot@project.example", key.as_pem(private=True).decode(), "key-1", ALICE)
    with TokenServer(ALICE, account_key=key) as given:
        oauth2 = OAuth2Settings(given.url, "", scope="https://mail.google.com/", service_account=account)
        with Inbox(replace(imap.settings(ALICE), password="", oauth2=oauth2)) as inbox:
            assert inbox.waiting() == []
    assert given.forms[0]["grant_type"] == JWT_BEARER
    said = given.claims[0]
    assert (said["iss"], said["sub"], said["scope"], said["aud"]) == (
        "bot@project.example",
        ALICE,
        "https://mail.google.com/",
        given.url,
    )
    assert "PRIVATE" not in repr(oauth2)


def test_a_key_that_is_none_is_told_without_it() -> None:
    account = ServiceAccount("bot@project.example", "-----BEGIN PRIVATE KEY-----\nAAAA", "key-1", ALICE)
    oauth2 = OAuth2Settings("http://127.0.0.1:1/token", "", service_account=account)
    with pytest.raises(TokenTrouble, match="private_key") as trouble:
        ask_for_token(oauth2, "", 5)
    assert "AAAA" not in str(trouble.value)


def test_many_connections_share_one_fetch() -> None:
    tokens = AccessTokens()
    with TokenServer(ALICE) as given, ThreadPoolExecutor(8) as pool:
        oauth2 = given.settings()
        assert len(set(pool.map(lambda _: tokens.token(oauth2, 10), range(16)))) == 1
    assert len(given.forms) == 1


def test_a_token_is_renewed_before_it_ends_and_kept_while_its_server_is_away() -> None:
    clock = Clock()
    tokens = AccessTokens(clock=clock)
    with TokenServer(ALICE, seconds=3600) as given:
        oauth2 = given.settings()
        first = tokens.token(oauth2, 10)
        clock.now += 3200
        assert tokens.token(oauth2, 10) == first
        clock.now += 200
        given.fixed = 503, b""
        assert tokens.token(oauth2, 10) == first, "it holds for some minutes yet"
        clock.now += 300
        with pytest.raises(TokenTrouble, match="no token now"):
            tokens.token(oauth2, 10)
        given.fixed = None
        tokens.token(oauth2, 10)
    assert len(given.forms) == 4


def test_a_token_that_the_mail_server_no_longer_takes_is_replaced_at_once(imap: Dovecot) -> None:
    clock = Clock()
    tokens = AccessTokens(clock=clock)
    with TokenServer(ALICE) as given:
        settings = replace(imap.settings(ALICE), password="", oauth2=given.settings())
        given.seconds = -60  # as if it had been withdrawn: it says that it holds for long, and does not
        given.fixed = 200, b'{"access_token": "%s", "expires_in": 3600}' % web_token(KEY, ALICE, -60).encode()
        with pytest.raises(MailboxTrouble, match="login refused"):
            Inbox(settings, tokens).connect()
        assert len(given.forms) == 1, "a token refused as soon as it was given is not asked for again at once"
        tokens.token(given.settings(), 5)
        clock.now += 60
        given.seconds, given.fixed = 3600, None
        with Inbox(settings, tokens) as inbox:
            assert inbox.waiting() == []


def test_when_a_token_ends_in_the_middle_of_idle_the_watch_goes_on_with_another(imap: Dovecot) -> None:
    """The server throws out whoever's token has ended; mail that comes then is handled all the same."""
    user, seen, handled = "idle@example.test", threading.Event(), threading.Event()
    stop = threading.Event()

    def handle(inbox: Inbox, mails: list[Mail]) -> None:
        inbox.move([mail.location.uid for mail in mails], inbox.settings.processed_folder)
        (handled if seen.is_set() else seen).set()

    with TokenServer(user, seconds=2) as given:
        settings = replace(imap.settings(user), password="", oauth2=given.settings(), poll_seconds=300)
        first = threading.Thread(
            target=watch,
            args=(settings, handle, stop, False, lambda _: None),
            kwargs={"tokens": AccessTokens()},
        )
        first.start()
        try:
            imap.deliver(user, letter(1))
            assert seen.wait(30)
            ended = given.forms[:]
            assert not stop.wait(3), "the token ends while the watch is in IDLE"
            imap.kick(user)
            imap.deliver(user, letter(2))
            assert handled.wait(30)
        finally:
            stop.set()
            first.join(30)
    assert len(given.forms) > len(ended)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'mailbot.db'}", Keyring([b"k" * 32]))
    made.open()
    yield made
    made.engine.dispose()


def test_a_refresh_token_that_changes_is_kept_for_the_next_process(store: Store, tmp_path: Path) -> None:
    with TokenServer(ALICE, rotating=True) as given:
        for _ in range(3):
            AccessTokens(StoredRefreshTokens(store)).token(given.settings(), 10)
        assert [form["refresh_token"] for form in given.forms] == ["r3fresh0", "r3fresh1", "r3fresh2"]
        store.engine.dispose()
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"r3fresh" not in content, "encrypted"


def test_a_kept_token_worth_nothing_gives_way_to_the_configured_one(store: Store) -> None:
    with TokenServer(ALICE, rotating=True) as given:
        AccessTokens(StoredRefreshTokens(store)).token(given.settings(), 10)
        given.refresh_token = FIRST_REFRESH_TOKEN  # somebody consented anew
        AccessTokens(StoredRefreshTokens(store)).token(given.settings(), 10)
        assert [form["refresh_token"] for form in given.forms] == ["r3fresh0", "r3fresh1", "r3fresh0"]
        given.refresh_token = "another"
        other = given.settings(refresh_token="another")
        AccessTokens(StoredRefreshTokens(store)).token(other, 10)
        assert given.forms[-1]["refresh_token"] == "another", "a configured one that is new begins anew"


def test_a_database_that_is_away_costs_no_refresh_token(store: Store, tmp_path: Path) -> None:
    with TokenServer(ALICE, rotating=True) as given:
        tokens = AccessTokens(StoredRefreshTokens(store))
        store.engine.dispose()
        (tmp_path / "mailbot.db").rename(tmp_path / "away.db")
        (tmp_path / "mailbot.db").mkdir()
        with pytest.raises(TokenTrouble, match="database") as trouble:
            tokens.token(given.settings(), 10)
        assert trouble.value.later
        assert given.forms == []


@pytest.mark.parametrize(
    ("status", "answer", "later"),
    [
        (400, b'{"error": "invalid_grant", "error_description": "alice"}', False),
        (400, b'{"error": "temporarily_unavailable"}', True),
        (503, b"<html>", True),
        (429, b"slower", True),
        (200, b"[]", False),
        (200, b"<html>", False),
        (200, b'{"access_token": "a\\r\\nb"}', False),
        (302, b"", False),
    ],
)
def test_no_token_is_told_without_secrets(status: int, answer: bytes, later: bool) -> None:
    with TokenServer(ALICE, fixed=(status, answer)) as given:
        oauth2 = given.settings()
        with pytest.raises(TokenTrouble, match="gives no token") as trouble:
            ask_for_token(oauth2, oauth2.refresh_token, 5)
    assert trouble.value.later is later
    secrets = ("s3cret", "r3fresh", "alice")
    assert not [word for word in secrets if word in str(trouble.value) + repr(oauth2)]


def test_a_token_server_must_be_protected_and_is_looked_in_the_face(tmp_path: Path) -> None:
    with pytest.raises(TokenTrouble, match="https"):
        ask_for_token(OAuth2Settings("http://192.0.2.1/token", "mailbot"), "", 5)
    certificates = make_certificates(tmp_path)
    with TokenServer(ALICE, certificates=certificates) as given:
        with pytest.raises(TokenTrouble, match="cannot be reached") as trouble:
            ask_for_token(given.settings(), FIRST_REFRESH_TOKEN, 5)
        assert trouble.value.later
        assert given.forms == []
        assert ask_for_token(given.settings(ca_file=certificates.ca), FIRST_REFRESH_TOKEN, 5).access_token


def test_a_secret_is_not_taken_to_where_a_token_server_points() -> None:
    with TokenServer(ALICE) as other, TokenServer(ALICE, fixed=(307, b""), location=other.url) as given:
        with pytest.raises(TokenTrouble, match="gives no token"):
            ask_for_token(given.settings(), FIRST_REFRESH_TOKEN, 5)
        assert other.forms == []
