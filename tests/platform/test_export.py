"""An export has everything of the person that may be shown, and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from zipfile import ZipFile

from mailbot.core.plan import Subject
from mailbot.demo.platform import PERSONAS
from tests.platform.worlds import World


def exported(world: World, *subjects: Subject) -> dict[str, bytes]:
    out = io.BytesIO()
    world.platform.export(subjects, out)
    with ZipFile(out) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_user_gets_page_json_csv_and_files(world: World) -> None:
    got = exported(world, world.user("host"))
    assert got["files/accounts/1/slides-2.pdf"] == (world.files / "accounts/1/slides-2.pdf").read_bytes()
    data = {section["table"]: section for section in json.loads(got["data.json"])["sections"]}
    assert data["accounts"]["rows"][0]["name"] == "Hugo Bernard"
    assert data["payments"]["retention"] == "10 years from payment" and len(data["webinars"]["rows"]) == 3
    rows = list(csv.reader(io.StringIO(got["csv/01-user-accounts.csv"].decode("utf-8-sig"))))
    assert rows[1][:3] == [PERSONAS["host"].address, "Hugo Bernard", "+33 4 72 00 11 22"]
    assert "Hugo Bernard" in got["index.html"].decode()


def test_secrets_are_left_out_and_bank_accounts_masked(world: World) -> None:
    whole = b"\n".join(exported(world, world.user("host")).values())
    assert b"argon2id" not in whole and b"7890 189" not in whole
    assert "… 189".encode() in whole


def test_nobody_elses_data_is_in_it(world: World) -> None:
    for role, person in PERSONAS.items():
        if person.account is None:
            continue
        whole = b"\n".join(exported(world, world.user(role)).values()).decode(errors="replace")
        others = [other for other in PERSONAS.values() if other.role != role]
        assert not [other.role for other in others if other.address in whole or f" {other.name} " in whole]


def test_a_visitor_gets_what_lies_with_the_hosts_asked_for(world: World) -> None:
    got = exported(world, world.visitor("visitor", "host"))
    text = got["data.json"].decode()
    assert "Good morning from Brno" in text and "repeat the last point" not in text


def test_cells_that_a_spreadsheet_would_run_are_made_harmless(world: World) -> None:
    world.change("accounts", 1, job_title="=HYPERLINK(1)", city="-2+3+cmd|x")
    got = exported(world, world.user("host"))
    table = got["csv/01-user-accounts.csv"].decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in table and "'-2+3+cmd|x" in table and "'+33" not in table


def test_markup_in_data_is_only_text_on_the_page(world: World) -> None:
    world.change("accounts", 1, name="<script>alert(1)</script>")
    assert b"<script>" not in exported(world, world.user("host"))["index.html"]


def test_a_file_outside_the_root_is_never_exported(sqlite_world: World, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("not theirs")
    sqlite_world.add("uploads", id=900, account_id=1, title="?", path="../secret.txt")
    sqlite_world.add("uploads", id=901, account_id=1, title="?", path="accounts/1/link")
    (sqlite_world.files / "accounts/1/link").symlink_to(tmp_path / "secret.txt")
    got = exported(sqlite_world, sqlite_world.user("host"))
    assert not any(b"not theirs" in content for content in got.values())
