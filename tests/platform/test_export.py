"""An export has everything of the person that may be shown, and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
import os
import tracemalloc
from pathlib import Path
from zipfile import ZipFile

from mailbot.core.plan import Subject
from mailbot.core.wording import Fact, Wording
from mailbot.demo.platform import PERSONAS
from tests.platform.worlds import World


def exported(world: World, *subjects: Subject, wording: Wording | None = None) -> dict[str, bytes]:
    out = io.BytesIO()
    world.platform.export(subjects, out, wording or Wording())
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


def test_the_page_says_what_article_15_asks_in_the_persons_language(world: World) -> None:
    """Whatever sentence it needs, ours or the data map's, is asked of the wording; nothing else is text."""
    asked: list[str] = []

    def said(sentence: str) -> str:
        asked.append(sentence)
        return f"fr:{sentence}"

    wording = Wording("fr", said, lambda key: f"chose:{key}", said, about=(Fact("Vos droits", "accès"),))
    page = exported(world, world.user("host"), wording=wording)["index.html"].decode()
    for expected in (
        '<html lang="fr">',
        "<dt>Vos droits</dt><dd>accès</dd>",
        "<h2>chose:payments</h2>",
        "fr:10 years from payment",
        "fr:accounting",
        "PayPal",
        "fr:from you, or from your use of the service",
        '<td data-name="fr:email">',
    ):
        assert expected in page


def test_a_large_copy_passes_through_little_memory(sqlite_world: World) -> None:
    """Files of 192 MiB, to an output that cannot be sought in: what Python holds grows by less than 16 MiB."""
    for number in range(12):
        name = f"accounts/1/film-{number}.mp4"
        (sqlite_world.files / name).write_bytes(os.urandom(1 << 20) * 16)
        sqlite_world.add("uploads", id=950 + number, account_id=1, title="Film", path=name)

    class Counted:
        size = 0

        def write(self, data: bytes, /) -> int:
            self.size += len(data)
            return len(data)

        def flush(self) -> None: ...

        def close(self) -> None: ...

    out = Counted()
    tracemalloc.start()
    try:
        sqlite_world.platform.export((sqlite_world.user("host"),), out, Wording())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert out.size > 192 << 20
    assert peak < 16 << 20
