"""`mailbot rules shadow`: old mails beside decisions from a file or from folders; nothing is changed."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Here
from tests.cli.test_explain import POLICY, letter, mbox

ALL_RIGHT = 40
"""Mails that are all read rightly: enough for a precision of 0.9, by Wilson's bound."""


def mails(here: Here) -> None:
    """Forty deletions and one that staff saw as something else."""
    here.write("old.mbox", mbox(*(letter(number) for number in range(ALL_RIGHT + 1))))
    rows = [{"mail": f"<{number}@users.example>", "kinds": ["deletion"]} for number in range(ALL_RIGHT)]
    here.write("decided.jsonl", "\n".join(map(json.dumps, rows)))


def test_a_kind_acts_alone_where_enough_mails_are_read_rightly(here: Here) -> None:
    mails(here)
    done = here.call(
        "rules", "shadow", "old.mbox", "--decisions", "decided.jsonl", "--precision", "0.9", "--json"
    )
    shown = done.json()
    assert (shown["mails"], shown["without_decision"]) == (ALL_RIGHT, 1)
    (figure,) = shown["figures"]
    assert (figure["kind"], figure["language"], figure["right"]) == ("deletion", "en", ALL_RIGHT)
    assert figure["threshold"] > 0.9
    assert '[kinds.deletion.languages.en]\nhandling = "confirm"' in shown["policy"]


def test_too_few_mails_prove_nothing(here: Here) -> None:
    mails(here)
    done = here.call("rules", "shadow", "old.mbox", "--decisions", "decided.jsonl", "--precision", "0.99")
    assert 'handling = "staff"' in done.out
    assert "minimum_confidence" not in done.out


def test_the_lines_it_prints_are_a_policy(here: Here) -> None:
    """Put into policy.toml they hold: the shipped deletions in English were confirmed, now staff read them."""
    mails(here)
    done = here.call(
        "rules", "shadow", "old.mbox", "--decisions", "decided.jsonl", "--precision", "0.99", "--json"
    )
    here.write("own/policy.toml", POLICY.read_text(encoding="utf-8") + done.json()["policy"])
    here.write(
        "config.toml",
        (here.folder / "config.toml").read_text(encoding="utf-8") + '[folders]\nrules = "own"\n',
    )
    here.write("one.eml", letter(1))
    assert json.loads(here.call("explain", "--json", "--no-dns", "one.eml").out)["decision"] == "review"


def test_decisions_by_csv_and_by_the_names_of_folders(here: Here) -> None:
    here.write("old/deletion/1.eml", letter(1))
    here.write(
        "old/access+deletion/2.eml", letter(2, "Send me a copy of all my data, then delete my account.")
    )
    here.write("old/misc/3.eml", letter(3))
    by_folders = here.call("rules", "shadow", "old", "--decisions", "folders", "--json").json()
    assert (by_folders["mails"], by_folders["without_decision"]) == (2, 1)
    here.write("decided.csv", "mail,kinds\n1.eml,deletion\n2@users.example,access+deletion\n")
    by_csv = here.call("rules", "shadow", "old", "--decisions", "decided.csv", "--json").json()
    assert by_csv["figures"] == by_folders["figures"]


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("a.csv", "mail,kinds\n1.eml,delete it\n", "line 2"),
        ("a.jsonl", '{"mail": "1"}', "line 1"),
        ("a.jsonl", "x", "line"),
    ],
)
def test_wrong_decisions_are_named_by_their_line(here: Here, name: str, content: str, named: str) -> None:
    here.write("1.eml", letter(1))
    here.write(name, content)
    done = here.run("rules", "shadow", "1.eml", "--decisions", name, PYTHONPATH=str(POLICY.parents[1]))
    assert done.code == 2
    assert name in done.err
    assert named in done.err
