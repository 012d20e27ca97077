"""The suppression list, staff accounts, the ledger and the rules at the command line."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat

import pytest

from mailbot.cli.suppression_files import is_address
from tests.cli.conftest import CONFIG, Here


def test_a_link_is_the_same_for_ever_and_comes_with_its_headers(here: Here) -> None:
    first = here.call("unsubscribe", "link", "alice@users.example", "vera@visitors.example", "--json")
    lines = [json.loads(line) for line in first.out.splitlines()]
    assert [one["address"] for one in lines] == ["alice@users.example", "vera@visitors.example"]
    assert lines[0]["url"].startswith("https://privacy.example/u/")
    assert lines[0]["list_unsubscribe"] == f"<{lines[0]['url']}>, <{lines[0]['mailto']}>"
    assert lines[0]["list_unsubscribe_post"] == "List-Unsubscribe=One-Click"
    assert here.call("unsubscribe", "link", "ALICE@users.example", "--json").json()["url"] == lines[0]["url"]


def test_a_list_is_imported_once_and_bad_lines_are_named_by_number_only(here: Here) -> None:
    here.write(
        "list.csv",
        "id;Email\n1;alice@users.example\n2;\n3;nobody\n4;Alice@Users.example\n5;hugo@hosts.example\n",
    )
    done = here.call("unsubscribe", "import", "list.csv", "--json")
    report = done.json()
    assert done.code == 1
    assert (report["added"], report["already"], report["bad_count"]) == (2, 1, 2)
    assert [one["line"] for one in report["bad"]] == [3, 4]
    assert "nobody" not in done.out + done.err
    again = here.call("unsubscribe", "import", "list.csv", "--json").json()
    assert (again["added"], again["already"]) == (0, 3)
    status = here.call("unsubscribe", "status", "alice@users.example", "--json").json()
    assert (status["unsubscribed"], status["how"]) == (True, "import")
    assert status["by"].startswith("import:")


@pytest.mark.parametrize(
    "content",
    [
        b"alice@users.example\nvera@visitors.example\n",
        b"\xef\xbb\xbfemail\r\nalice@users.example\r\nvera@visitors.example",
        b'name,email\n"A, B",alice@users.example\nV,vera@visitors.example\n\n',
        b'email\tname\nalice@users.example\tA\nvera@visitors.example\t"V\n',
    ],
    ids=["bare", "with-a-mark", "quoted", "open-quote"],
)
def test_lists_of_many_makes_are_understood(here: Here, content: bytes) -> None:
    here.write("list.csv", content)
    report = here.call("unsubscribe", "import", "list.csv", "--json").json()
    assert (report["added"], report["bad_count"]) == (2, 0)


def test_bytes_that_are_no_list_are_bad_lines_and_no_crash(here: Here) -> None:
    here.write("list.csv", bytes(range(256)) * 20)
    done = here.call("unsubscribe", "import", "list.csv", "--json")
    assert done.code == 1
    assert done.json()["added"] == 0


def test_an_export_holds_hashes_only_and_is_for_its_owner(here: Here) -> None:
    here.write("list.csv", "alice@users.example\n")
    assert here.call("unsubscribe", "import", "list.csv").code == 0
    assert here.call("unsubscribe", "export", "out.csv").code == 0
    head, row = (here.folder / "out.csv").read_text().splitlines()
    assert head == "address_hash,since,how,by"
    assert "alice" not in row and ",import," in row
    assert stat.S_IMODE((here.folder / "out.csv").stat().st_mode) == 0o600
    assert here.run("unsubscribe", "export", "-").out.splitlines() == [head, row]


def test_an_unsubscription_is_taken_back_once(here: Here) -> None:
    here.write("list.csv", "alice@users.example\n")
    here.call("unsubscribe", "import", "list.csv")
    assert here.call("unsubscribe", "undo", "alice@users.example", "--json").json() == {"undone": True}
    assert here.call("unsubscribe", "undo", "alice@users.example", "--json").json() == {"undone": False}
    assert here.call("unsubscribe", "status", "alice@users.example", "--json").json()["unsubscribed"] is False


def test_addresses_are_told_from_other_words() -> None:
    assert all(
        map(
            is_address, ["a@b.example", "o'neil+x@sub.b.example", "żółw@b.example", "a@xn--bcher-kva.example"]
        )
    )
    assert not any(
        map(is_address, ["", "a", "a@", "@b", "a b@c.example", "a@b@c.example", "<a@b.example>", "a@b\n"])
    )


def test_an_account_is_made_listed_disabled_and_enabled(here: Here) -> None:
    here.write("password", "correct horse battery\n")
    made = here.call(
        "staff", "add", "stan", "--password-file", "password", "--role", "admin", "--json"
    ).json()
    assert (made["role"], made["agreement_signed"]) == ("admin", None)
    assert "password" not in made
    assert here.call("staff", "disable", "stan", "--json").json()["disabled"]
    enabled = here.call("staff", "enable", "stan", "--agreement-signed", "2026-02-01", "--json").json()
    assert (enabled["disabled"], enabled["agreement_signed"]) == (None, "2026-02-01")
    assert [one["name"] for one in here.call("staff", "list", "--json").json()["staff"]] == ["stan"]
    assert here.call("staff", "add", "stan", "--password-file", "password").code == 1
    assert here.call("staff", "disable", "nobody").code == 1


def test_a_generated_password_is_shown_once_and_a_short_one_refused(here: Here) -> None:
    made = here.call("staff", "add", "stan", "--generate-password", "--json").json()
    assert len(made["password"]) >= 16
    assert made["password"] not in here.call("staff", "list").out
    here.write("password", "short\n")
    assert here.call("staff", "add", "other", "--password-file", "password").code == 1


def test_a_ledger_that_was_changed_is_found_out(here: Here) -> None:
    here.call("staff", "add", "stan", "--generate-password")
    here.call("staff", "disable", "stan")
    whole = here.call("audit", "verify", "--json")
    assert (whole.code, whole.json()["entries"]) == (0, 2)
    with contextlib.closing(sqlite3.connect(here.folder / "mailbot.db")) as database:
        database.execute("UPDATE ledger SET actor = 'nobody' WHERE sequence = 2")
        database.commit()
    broken = here.call("audit", "verify", "--json")
    assert (broken.code, broken.json()) == (1, {"ok": False, "broken_at": 2})
    pack = here.call("audit", "export", "--since", "2026-01-01")
    assert pack.code == 1
    assert json.loads(pack.out)["chain"]["ok"] is False


def test_the_evidence_of_a_period_is_json_with_every_entry(here: Here) -> None:
    here.call("staff", "add", "stan", "--generate-password")
    done = here.call("audit", "export", "--since", "2026-01-01", "--output", "pack.json")
    assert done.code == 0
    pack = json.loads((here.folder / "pack.json").read_text())
    assert [one["action"] for one in pack["entries"]] == ["staff_added"]
    assert "stan" not in json.dumps(pack["entries"])
    assert here.call("audit", "export", "NONE-SUCH").code == 1


def test_rules_are_held_against_their_examples(here: Here) -> None:
    done = here.call("rules", "test", "--json")
    report = done.json()
    assert report["examples"] > 0
    assert (done.code == 0) is report["ok"] is (not report["failures"])


def test_a_rule_that_does_not_read_its_example_is_named(here: Here) -> None:
    here.write(
        "own/requests/en.toml",
        """
        language = "en"
        [[rule]]
        id = "deletion.en.test"
        kind = "deletion"
        sentence = "Asks for deletion."
        confidence = 0.9
        patterns = ["delete my account"]
        matches = ["Please delete my account.", "Please remove me."]
        """,
    )
    here.configure(CONFIG + '[folders]\nrules = "own"\n')
    done = here.call("rules", "test", "--json")
    (failure,) = done.json()["failures"]
    assert done.code == 1
    assert (failure["rule"], failure["example"]) == ("deletion.en.test", "Please remove me.")
    assert "must" in failure["happened"]
