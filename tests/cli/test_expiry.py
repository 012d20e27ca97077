"""`mailbot check` says days before what a connection rests on ends, and tries a login by token for real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from tests.cli.conftest import CONFIG, Here
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.dovecot import Dovecot
from tests.servers.starttls import TlsServer
from tests.servers.token_server import CLIENT, FIRST_REFRESH_TOKEN, KEY, SECRET, TokenServer

ALICE = "alice@example.test"


@pytest.fixture(scope="module")
def imap() -> Iterator[Dovecot]:
    with Dovecot(oauth2_key=KEY) as server:
        yield server


def mailbox(imap: Dovecot, oauth2: str) -> str:
    return f"""{CONFIG}
[[mailbox]]
name = "privacy"
host = "127.0.0.1"
port = {imap.imaps_port}
ca_file = "{imap.certificates.ca}"
username = "{ALICE}"
[mailbox.oauth2]
{oauth2}
"""


def by_refresh_token(here: Here, given: TokenServer, ends: date) -> str:
    here.write("secret", SECRET)
    here.write("refresh", FIRST_REFRESH_TOKEN)
    return f"""token_url = "{given.url}"
client_id = "{CLIENT}"
client_secret_file = "secret"
refresh_token_file = "refresh"
secret_ends = {ends.isoformat()}
"""


def said(here: Here, part: str) -> list[tuple[str, str]]:
    """Status and message of every check of a part."""
    found = here.call("check", "--json").json()["checks"]
    return [(one["status"], one["message"]) for one in found if one["part"] == part]


def today() -> date:
    return datetime.now(UTC).date()


def test_a_certificate_and_a_secret_that_end_soon_are_warned_of(here: Here, imap: Dovecot) -> None:
    with TokenServer(ALICE, rotating=True) as given:
        here.configure(mailbox(imap, by_refresh_token(here, given, today() + timedelta(days=11))))
        assert here.call("db", "upgrade").code == 0
        logged_in, *warnings = said(here, "imap:privacy")
        assert logged_in[0] == "ok"
        assert warnings == [
            ("warning", "its certificate ends in 0 days"),
            ("warning", "its client secret ends in 10 days"),
        ]
        assert said(here, "imap:privacy")[0][0] == "ok", "the refresh token that came was kept"
    assert [form["refresh_token"] for form in given.forms] == ["r3fresh0", "r3fresh1"]


def test_a_secret_that_ends_in_a_year_is_no_warning_and_one_that_ended_is(here: Here, imap: Dovecot) -> None:
    with TokenServer(ALICE) as given:
        here.configure(mailbox(imap, by_refresh_token(here, given, today() + timedelta(days=365))))
        assert here.call("db", "upgrade").code == 0
        assert not [text for _, text in said(here, "imap:privacy") if "secret" in text]
        here.configure(mailbox(imap, by_refresh_token(here, given, date(2026, 1, 31))))
        assert ("warning", "its client secret ended on 2026-01-31") in said(here, "imap:privacy")


def test_a_refresh_token_is_not_used_up_while_there_is_no_place_for_the_next(
    here: Here, imap: Dovecot
) -> None:
    with TokenServer(ALICE, rotating=True) as given:
        here.configure(mailbox(imap, by_refresh_token(here, given, date(2099, 1, 1))))
        ((status, text),) = said(here, "imap:privacy")
        assert (status, "mailbot db upgrade" in text) == ("failed", True)
        assert given.forms == []


def test_a_service_accounts_key_file_is_enough(here: Here, imap: Dovecot) -> None:
    key = RSAKey.generate_key(2048, private=True)
    with TokenServer(ALICE, account_key=key) as given:
        file = {
            "type": "service_account",
            "client_email": "bot@project.example",
            "private_key": key.as_pem(private=True).decode(),
            "private_key_id": "key-1",
            "token_uri": given.url,
        }
        here.write("account.json", json.dumps(file))
        ends = (today() + timedelta(days=3)).isoformat()
        here.configure(mailbox(imap, f'service_account_file = "account.json"\nsecret_ends = {ends}'))
        found = said(here, "imap:privacy")
        assert found[0][0] == "ok", found
        assert ("warning", "the key of its service account ends in 2 days") in found
        assert given.claims[0]["scope"] == "https://mail.google.com/"
        assert given.claims[0]["sub"] == ALICE


@pytest.mark.parametrize(
    ("oauth2", "words"),
    [
        ('client_id = "mailbot"', "give token_url and client_id, or service_account_file"),
        ('service_account_file = "no.json"', "mailbox[0].oauth2.service_account_file"),
        ('service_account_file = "empty.json"', "no service account's key file"),
    ],
)
def test_a_wrong_table_is_named_with_its_mend(here: Here, imap: Dovecot, oauth2: str, words: str) -> None:
    here.write("empty.json", "{}")
    here.configure(mailbox(imap, oauth2))
    done = here.call("check")
    assert done.code == 2
    assert words in done.err


@pytest.mark.parametrize(
    ("days", "status", "words"),
    [
        (200, "ok", "public at"),
        (10, "warning", "its certificate ends in 9 days"),
        (-1, "failed", "certificate has expired"),
    ],
)
def test_the_certificate_of_the_public_pages_is_looked_at(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, status: str, words: str
) -> None:
    certificates: Certificates = make_certificates(tmp_path, days=days)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
    with TlsServer(b"", lambda line, is_protected: b"", certificates) as pages:
        here.configure(CONFIG.replace("https://privacy.example", f"https://localhost:{pages.port}"))
        last = said(here, "web")[-1]
    assert (last[0], words in last[1]) == (status, True)


def test_public_pages_that_cannot_be_reached_from_here_are_a_warning(here: Here) -> None:
    here.configure(CONFIG.replace("https://privacy.example", "https://127.0.0.1:1"))
    assert [status for status, _ in said(here, "web")] == ["ok", "warning"]


@pytest.mark.parametrize(("listen", "status"), [("127.0.0.1:8024", "ok"), ("0.0.0.0:8024", "warning")])
def test_a_door_open_to_all_is_warned_of(here: Here, listen: str, status: str) -> None:
    here.configure(f'{CONFIG}[lmtp]\nlisten = "{listen}"\n')
    assert [found for found, _ in said(here, "lmtp")] == [status]
