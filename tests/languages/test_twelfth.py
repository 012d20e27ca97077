"""A twelfth language is files alone: Czech, in folders of the configuration, without a line of code."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from mailbot.config import parse_config
from mailbot.core.answer import Answer, read_answer
from mailbot.core.request import Capacity, Kind
from mailbot.knowledge import load_answers
from mailbot.mail.catalogues import Catalogues
from mailbot.mail.contexts import Confirm, RequestLine
from mailbot.mail.replies import Replies
from tests.cli.conftest import Here, here
from tests.mail.test_replies import CONTROLLER, ROOT

__all__ = ["here"]

CZECH = Path(__file__).parent / "cs"
CONFIG = """
[controller]
languages = ["en", "pl", "uk", "cs"]
[folders]
rules = "rules"
locale = "locale"
[logging]
level = "error"
"""
ANSWERED = """\
Dobrý den, prosím smažte můj účet.

Odesláno z iPhonu

Dne po 2. 3. 2026 v 10:00 odesílatel Hugo <hugo@example.org> napsal:
> Odhlaste mě prosím z newsletteru.
"""
OUTLOOK = """\
Pošlete mi prosím kopii všech mých údajů.

Od: Hugo <hugo@example.org>
Odesláno: pondělí 2. března 2026 10:00
Komu: privacy@myownconference.com
Předmět: účet

Smažte můj účet.
"""


@pytest.fixture
def czech(here: Here) -> Here:
    """The eleven's rules with Czech files before them."""
    shutil.copytree(CZECH / "rules", here.folder / "rules")
    shutil.copytree(CZECH / "locale", here.folder / "locale")
    here.configure(CONFIG)
    return here


def explained(here: Here, text: str) -> dict[str, Any]:
    here.write("in.txt", text)
    return json.loads(here.call("explain", "--json", "--no-dns", "in.txt").out)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Dobrý den, smažte prosím můj účet.", ["deletion"]),
        ("Odhlaste mě z newsletteru.", ["unsubscribe"]),
        (ANSWERED, ["deletion"]),
        (OUTLOOK, ["access"]),
    ],
)
def test_a_czech_mail_is_named_cut_and_understood(czech: Here, text: str, kinds: list[str]) -> None:
    shown = explained(czech, text)
    assert shown["language"] == "cs"
    assert shown["new_text"] == text.split("\n\nO")[0].strip()
    assert [one["kind"] for one in shown["requests"]] == kinds


def test_what_says_not_to_delete_is_never_acted_on(czech: Here) -> None:
    """Rules and model are new to the language: what they do not know goes to staff."""
    assert explained(czech, "Prosím, nemažte můj účet.")["decision"] == "review"


def test_letters_are_written_in_czech(czech: Here) -> None:
    catalogues = Catalogues(czech.folder / "locale", ROOT / "locale")
    asked = (RequestLine(Kind.DELETION, Capacity.USER),)
    link, now = "https://privacy.example/c/x", datetime(2026, 3, 2, 9, tzinfo=UTC)
    confirm = Confirm(reference="K7Q2-9MXF", requests=asked, link=link, expires=now, due=date(2026, 4, 2))
    letter = Replies(catalogues, CONTROLLER, ROOT / "templates" / "mail").render("confirm", ("cs",), confirm)
    assert letter.subject == "Potvrďte prosím svou žádost [K7Q2-9MXF]"
    for words in ("Smazat váš účet", "2. dubna 2026", "slovem ANO", "S pozdravem"):
        assert words in letter.text


def test_its_rules_keep_their_examples_and_its_letters_are_measured(czech: Here) -> None:
    done = czech.call("rules", "test", "--held-out", str(CZECH / "rules/held_out"), "--json")
    assert done.code == 0, done.out
    measured = done.json()["measured"]["cs"]
    assert measured["exact"] >= 0.7
    assert measured["false_deletions"] == 0


def test_a_model_is_learnt_with_its_examples_and_read(czech: Here) -> None:
    """Of the Czech ones alone here, for time; the command takes all languages' by itself."""
    learnt = czech.call("rules", "train", "--examples", str(CZECH / "rules/examples"), "--json")
    assert learnt.json()["learnt_from"] == 62
    deletion = explained(czech, "Dobrý den, smažte prosím můj účet.")["opinions"][0]
    assert deletion["kind"] == "deletion"
    assert any("account" in one["name"] or "účet" in one["name"] for one in deletion["features"])


def test_a_yes_counts_in_czech(czech: Here) -> None:
    rules = load_answers(
        parse_config({"controller": {"languages": ["cs"]}, "folders": {"rules": "rules"}}, czech.folder / "c")
    )
    assert read_answer("Ano, potvrzuji.", rules) is Answer.YES
    assert read_answer("To nejsem já!", rules) is Answer.NOT_ME
