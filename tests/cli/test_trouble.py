"""Whatever is wrong, a person reads one sentence: never a traceback, and always the right exit code."""

from __future__ import annotations

import contextlib
import importlib
import logging
import sqlite3

import pytest
import structlog
from sqlalchemy.exc import IntegrityError

from mailbot.cli.logs import set_up_logging
from mailbot.cli.trouble import _SPOKEN, FAILED, STOPPED, said
from mailbot.config import Logging
from tests.cli.conftest import Here


def test_every_class_in_the_table_exists() -> None:
    for name in _SPOKEN:
        module, _, kind = name.rpartition(".")
        assert issubclass(getattr(importlib.import_module(module), kind), Exception), name


def test_a_database_error_is_told_without_its_values() -> None:
    error = IntegrityError("INSERT …", {"email": "alice@users.example"}, ValueError("alice@users.example"))
    code, sentence = said(error)
    assert code == FAILED
    assert "alice" not in sentence


def test_what_nobody_thought_of_is_called_a_bug_in_one_line() -> None:
    assert said(ZeroDivisionError("alice@users.example")) == (
        FAILED,
        "ZeroDivisionError: this is a bug in mailbot; MAILBOT_DEBUG=1 shows where",
    )
    assert said(KeyboardInterrupt())[0] == STOPPED


BAD_CONFIGURATIONS = {
    "unknown key": ('[smtp]\nhots = "x"', "smtp.hots: unknown key"),
    "unknown table": ("[smpt]\nport = 1", "smpt: unknown key"),
    "wrong type": ('[smtp]\nport = "many"', "smtp.port"),
    "wrong choice": ('[smtp]\nsecurity = "ssl"', "smtp.security"),
    "missing key": ('[[mailbox]]\nname = "a"\nhost = "h"', "mailbox.0.username: missing"),
    "no toml": ("[smtp\n", "not TOML"),
    "two of a name": (
        '[[mailbox]]\nname="a"\nhost="h"\nusername="u"\n[[mailbox]]\nname="a"\nhost="h"\nusername="u"',
        "mailbox.name",
    ),
    "unknown language": ('[controller]\nlanguages = ["xx"]', "controller.languages"),
    "unknown time zone": ('[controller]\ntimezone = "Europe/Nowhere"', "controller.timezone"),
    "unknown country": ('[controller]\ncountry = "ZZ"', "controller.country"),
    "impossible port": ("[smtp]\nport = 99999", "smtp.port"),
    "no nameserver": ('[dns]\nnameservers = ["dns.example"]', "dns.nameservers"),
    "no database url": ('[database]\nurl = "mailbot.db"', "database.url"),
    "unknown database": ('[database]\nurl = "nosql://x"', "database.url"),
    "no platform url": ('[platform]\nurl = "platform.db"', "platform.url"),
    "no listen address": ('[web]\nlisten = "everywhere"', "web.listen"),
    "no door": ('[lmtp]\nlisten = "8024"', "lmtp.listen"),
    "no data map": ('[platform]\nmap = "rules/nothing.toml"', "nothing.toml"),
    "secret not set": ('[secrets]\nkey_env = "NOT_SET"', "NOT_SET"),
    "secret file missing": ('[secrets]\nkey_file = "no.key"', "secrets.key_file"),
    "mailbox secret not set": (
        '[[mailbox]]\nname="a"\nhost="127.0.0.1"\nusername="u"\npassword_env="NOT_SET"',
        "mailbox[0].password_env",
    ),
}


@pytest.mark.parametrize("what", BAD_CONFIGURATIONS)
def test_a_bad_configuration_is_exit_2_and_names_the_key(here: Here, what: str) -> None:
    text, named = BAD_CONFIGURATIONS[what]
    here.configure(text)
    done = here.call("run", "--once")
    assert done.code == 2, done
    assert named in done.err
    assert "Traceback" not in done.err and "bug" not in done.err
    assert done.out == ""


def test_the_file_is_named_too(here: Here) -> None:
    done = here.run("run", "--once", MAILBOT_KEY="short")
    assert done.code == 2
    assert done.err.startswith("mailbot: config.toml: secrets.key")
    elsewhere = here.run("--config", "other/config.toml", "run", "--once")
    assert elsewhere.code == 2
    assert "other/config.toml" in elsewhere.err


BAD_LINES = (
    ["nonsense"],
    ["run", "--only", "everything"],
    ["run", "--onse"],
    ["explain"],
    ["cases", "list", "--state", "lost"],
    ["cases", "list", "--limit", "0"],
    ["cases", "approve"],
    ["cases", "approve", "K7Q2-9MXF", "--by", "nobody"],
    ["cases", "reclassify", "K7Q2-9MXF", "--kind", "nothing"],
    ["cases", "reclassify", "K7Q2-9MXF", "--kind", "correction", "--field", "phone"],
    ["cases", "reply", "K7Q2-9MXF"],
    ["cases", "reply", "K7Q2-9MXF", "--text-file", "nothing.txt"],
    ["staff", "add", ""],
    ["staff", "add", "stan"],
    ["staff", "add", "stan", "--agreement-signed", "yesterday"],
    ["staff", "add", "stan", "--password-file", "nothing"],
    ["unsubscribe", "link", "nobody"],
    ["unsubscribe", "import", "nothing.csv"],
    ["audit", "export"],
    ["audit", "export", "--since", "long ago"],
)


@pytest.mark.parametrize("words", BAD_LINES, ids=" ".join)
def test_wrong_usage_is_exit_2_without_a_traceback(here: Here, words: list[str]) -> None:
    done = here.call(*words)
    assert done.code == 2, done
    assert done.err.strip()
    assert "Traceback" not in done.err and "bug" not in done.err


def test_a_schema_that_is_old_names_the_command(here: Here) -> None:
    assert here.call("db", "upgrade", "--json").json()["state"] == "current"
    with contextlib.closing(sqlite3.connect(here.folder / "mailbot.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
        database.commit()
    done = here.call("run", "--once")
    assert done.code == 1
    assert "mailbot db upgrade" in done.err


def test_a_file_that_is_no_database_is_told_in_a_sentence(here: Here) -> None:
    here.write("mailbot.db", b"this is no database, whatever its name says\n" * 200)
    done = here.call("cases", "list")
    assert done.code == 1
    assert "database" in done.err and "bug" not in done.err


def test_another_key_than_the_one_data_was_sealed_with_is_exit_2(here: Here) -> None:
    assert here.run("audit", "verify").code == 0
    other = here.run("audit", "verify", MAILBOT_KEY="A" * 43 + "=")
    assert other.code == 2
    assert "add the old key after the new one" in other.err


def test_the_common_options_stand_before_or_after_the_command(here: Here) -> None:
    (here.folder / "config.toml").rename(here.folder / "elsewhere.toml")
    elsewhere = str(here.folder / "elsewhere.toml")
    for words in (
        ("--config", elsewhere, "--json", "cases", "list"),
        ("cases", "--config", elsewhere, "--json", "list"),
        ("cases", "list", "--json", "--config", elsewhere),
    ):
        done = here.run(*words)
        assert (done.code, done.json()) == (0, {"requests": []})
    assert here.run("cases", "list", "--json", MAILBOT_CONFIG=elsewhere).json() == {"requests": []}


def test_version_and_help_need_nothing(here: Here) -> None:
    (here.folder / "config.toml").unlink()
    assert here.run("--version").out.startswith("mailbot ")
    done = here.run("--help")
    assert done.code == 0
    assert all(noun in done.out for noun in ("demo", "run", "explain", "check", "cases", "audit"))
    assert here.run("unsubscribe", "--help").code == 0


def test_the_log_holds_no_address_and_no_text_of_an_exception(
    here: Here, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(Logging(format="json", level="info"))
    structlog.get_logger().info("a line", who="alice@users.example", path="/u/AeuRg7GHQR1a46fxodjt")
    try:
        raise ValueError("vera@visitors.example")
    except ValueError:
        logging.getLogger("library").exception("it failed for hugo@hosts.example")
    written = capsys.readouterr()
    assert written.out == ""
    assert "ValueError" in written.err
    for person in ("alice", "vera", "hugo", "AeuRg"):
        assert person not in written.err
