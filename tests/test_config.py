"""config.toml: every key known, every mistake named with its key and its mend, no secret shown."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from mailbot.config import Config, ConfigTrouble, load_config, parse_config

KEY = base64.b64encode(bytes(range(32))).decode()
SECRET = "hunter2-hunter2"
SHIPPED = Path(__file__).parents[1] / "config.toml"
MAILBOX = {"name": "privacy", "host": "imap.example.org", "username": "privacy@example.org"}


def parsed(tmp_path: Path, **data: Any) -> Config:
    """The configuration of these tables in a file of `tmp_path`."""
    return parse_config(data, tmp_path / "config.toml")


def test_the_shipped_file_is_valid() -> None:
    assert load_config(SHIPPED).controller.country == "LT"


def test_an_empty_file_is_valid_every_key_has_a_default(tmp_path: Path) -> None:
    assert parsed(tmp_path).mailboxes() == ()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"surprise": 1}, "surprise: unknown key"),
        ({"web": {"lisen": "x"}}, "web.lisen: unknown key"),
        ({"mailbox": [{"name": "a"}]}, "mailbox.0.host: missing"),
        ({"mailbox": [{**MAILBOX, "port": "many"}]}, "mailbox.0.port"),
        ({"mailbox": [{**MAILBOX, "security": "maybe"}]}, "mailbox.0.security"),
        ({"mailbox": [MAILBOX, MAILBOX]}, "same name"),
        ({"platform": {"kind": "ftp"}}, "platform.kind"),
        ({"platform": {"stores": {"Pictures": {"root": "x"}}}}, "platform.stores.Pictures"),
        ({"platform": {"stores": {"a": {}}}}, "platform.stores.a: value error, give either root"),
        ({"platform": {"stores": {"a": {"root": "x", "bucket": "y"}}}}, "give either root"),
        ({"platform": {"stores": {"a": {"bucket": "y", "access_key_env": "X"}}}}, "give both access_key"),
        ({"platform": {"stores": {"a": {"bucket": "y", "prefix": "no-slash"}}}}, "platform.stores.a.prefix"),
        (
            {"platform": {"stores": {"a": {"bucket": "y", "endpoint_url": "http://s3.example.org"}}}},
            "platform.stores.a.endpoint_url: value error, must begin with https://",
        ),
        ({"controller": {"country": "Lithuania"}}, "controller.country"),
        ({"smtp": {"max_per_minute": 0}}, "smtp.max_per_minute"),
        ({"logging": {"level": "loud"}}, "logging.level"),
        ({"base": "/etc"}, "base: unknown key"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_its_whole_key(
    tmp_path: Path, data: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigTrouble) as raised:
        parse_config(data, tmp_path / "config.toml")
    assert named in str(raised.value)
    assert str(tmp_path / "config.toml") in str(raised.value)


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigTrouble) as raised:
        parsed(tmp_path, surprise=1, web={"lisen": "x"})
    assert len(str(raised.value).splitlines()) == 2


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigTrouble, match="--config"):
        load_config(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[web\n")
    with pytest.raises(ConfigTrouble, match="not TOML"):
        load_config(broken)


def test_a_secret_comes_from_the_environment_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_PASSWORD", SECRET)
    (tmp_path / "pw").write_text(f"{SECRET}\n")
    by_environment = parsed(tmp_path, mailbox=[{**MAILBOX, "password_env": "SOME_PASSWORD"}])
    by_file = parsed(tmp_path, mailbox=[{**MAILBOX, "password_file": "pw"}])
    assert by_environment.mailboxes()[0].password == by_file.mailboxes()[0].password == SECRET


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({**MAILBOX}, "MAILBOT_IMAP_PASSWORD is not set"),
        ({**MAILBOX, "password_env": "NOT_THERE_AT_ALL"}, "NOT_THERE_AT_ALL"),
        ({**MAILBOX, "password_file": "not-there"}, "not-there"),
    ],
)
def test_a_missing_secret_is_named(tmp_path: Path, table: dict[str, Any], named: str) -> None:
    config = parsed(tmp_path, mailbox=[table])
    with pytest.raises(ConfigTrouble) as raised:
        config.mailboxes()
    assert named in str(raised.value)


@pytest.mark.parametrize("text", ["", "short", KEY[:-8], f"{KEY} nonsense!"])
def test_a_wrong_master_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(ConfigTrouble, match="openssl rand") as raised:
        parsed(tmp_path, secrets={"key_file": "key"}).master_keys()
    assert not text or text not in str(raised.value)


def test_several_master_keys_are_given_newest_first(tmp_path: Path) -> None:
    other = base64.b64encode(bytes(32)).decode()
    (tmp_path / "key").write_text(f"{KEY}\n{other}\n")
    assert parsed(tmp_path, secrets={"key_file": "key"}).master_keys() == (bytes(range(32)), bytes(32))


@pytest.mark.parametrize(
    ("held", "named"), [(b"\xff\xfe" * 16, "secrets.key_file: "), ("ключ".encode(), "secrets.key")]
)
def test_a_key_that_is_no_base64_text_is_named(tmp_path: Path, held: bytes, named: str) -> None:
    (tmp_path / "key").write_bytes(held)
    with pytest.raises(ConfigTrouble, match=named):
        parsed(tmp_path, secrets={"key_file": "key"}).master_keys()


def test_passwords_do_not_show_in_repr(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text(SECRET)
    config = parsed(tmp_path, mailbox=[{**MAILBOX, "password_file": "pw"}])
    assert SECRET not in repr(config)
    assert SECRET not in repr(config.mailboxes())


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    config = parsed(tmp_path, database={"url": "sqlite:///mine.db"})
    assert config.database_url() == f"sqlite:///{tmp_path / 'mine.db'}"
    assert parsed(tmp_path, database={"url": "sqlite:////var/x.db"}).database_url() == "sqlite:////var/x.db"


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = parsed(tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        config.web.listen = "0.0.0.0:80"  # type: ignore[misc]


def test_the_keys_of_a_bucket_come_from_environment_or_file_and_do_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    table = {"bucket": "b", "access_key_env": "ACCESS", "secret_key_file": "secret"}
    config = parsed(tmp_path, platform={"stores": {"a": table, "b": {"root": "up"}}})
    with pytest.raises(ConfigTrouble, match=r"platform\.stores\.a\.access_key_env"):
        config.file_stores()
    monkeypatch.setenv("ACCESS", "key")
    stores = config.file_stores()
    assert getattr(stores["a"], "secret_key", None) == SECRET
    assert SECRET not in repr(stores) and stores["b"] == tmp_path / "up"


@pytest.mark.parametrize(
    ("url", "secret", "named"),
    [
        ("http://platform.example", "x" * 32, "platform.url: must begin with https://"),
        ("https://platform.example", "short", "platform.http.secret: is shorter"),
        ("https://platform.example", None, "platform.http.secret_env"),
    ],
)
def test_an_api_is_reached_safely_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, secret: str | None, named: str
) -> None:
    if secret is not None:
        monkeypatch.setenv("MAILBOT_PLATFORM_SECRET", secret)
    with pytest.raises(ConfigTrouble, match=named):
        parsed(tmp_path, platform={"kind": "http", "url": url}).platform_api()
