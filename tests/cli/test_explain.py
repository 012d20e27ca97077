"""`mailbot explain`: what it reads, what it prints, and that nothing stops it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from mailbot.cli.mails import RawMail, mails_in
from tests.attachments.builders import DELETION, pdf, with_file
from tests.cli.conftest import PROGRAM, Here

KEYS = {
    *("path", "from", "subject", "message_id", "automatic", "language", "language_confidence", "new_text"),
    *("attachments", "requests", "sender", "opinions", "decision", "reasons", "error"),
}


def letter(number: int, text: str = "Please delete my account.") -> bytes:
    """A mail of Alice's that names its number."""
    mail = EmailMessage()
    mail["From"] = "Alice <alice@users.example>"
    mail["To"] = "privacy@myownconference.com"
    mail["Subject"] = f"letter {number}"
    mail["Message-ID"] = f"<{number}@users.example>"
    mail["Date"] = "Mon, 02 Mar 2026 10:00:00 +0100"
    mail.set_content(text)
    return mail.as_bytes()


def mbox(*mails: bytes) -> bytes:
    """The mails as an mbox (RFC 4155), body lines that look like its own quoted."""
    return b"".join(
        b"From alice@users.example Mon Mar  2 10:00:00 2026\n" + mail.replace(b"\nFrom ", b"\n>From ") + b"\n"
        for mail in mails
    )


def lines(here: Here, *words: str, stdin: bytes = b"") -> list[dict[str, Any]]:
    """What `explain --json` prints, a dict a line."""
    done = here.run("explain", "--json", "--no-dns", *words, stdin=stdin)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_a_line_has_exactly_the_promised_keys(here: Here) -> None:
    here.write("in.eml", letter(1))
    (line,) = lines(here, "in.eml")
    assert set(line) == KEYS
    assert (line["path"], line["from"], line["message_id"]) == (
        "in.eml",
        "alice@users.example",
        "<1@users.example>",
    )
    assert [one["kind"] for one in line["requests"]] == ["deletion"]
    assert line["decision"] == "confirm"
    assert line["error"] is None
    evidence = line["requests"][0]["evidence"][0]
    assert line["new_text"][evidence["start"] : evidence["end"]] == evidence["text"]


def test_what_stands_in_an_attached_file_is_told_apart_from_the_letter(here: Here) -> None:
    here.write("in.eml", with_file(pdf(DELETION), "letter.pdf", "application/pdf"))
    (line,) = lines(here, "in.eml")
    assert [(one["name"], one["kind"]) for one in line["attachments"]] == [("letter.pdf", "PDF")]
    assert [(one["kind"], one["attachment"]) for one in line["requests"]] == [("deletion", "letter.pdf")]
    assert "delete" not in line["new_text"]
    readable = here.run("explain", "--no-dns", "in.eml").out
    assert "attached  letter.pdf (PDF): read" in readable
    assert "deletion in the attached file letter.pdf" in readable


def test_attachments_that_are_not_to_be_read_are_not(here: Here) -> None:
    here.write("config.toml", "[attachments]\nread = false\n")
    here.write("in.eml", with_file(pdf(DELETION), "letter.pdf", "application/pdf"))
    (line,) = lines(here, "in.eml", "--config", "config.toml")
    assert line["attachments"] == []
    assert line["decision"] == "review"


def test_a_text_may_begin_with_its_subject(here: Here) -> None:
    here.write("with.txt", "Subject: mon compte\n\nMerci de supprimer mon compte.\n")
    here.write("without.txt", "Merci de supprimer mon compte.\n")
    found = lines(here, "with.txt", "without.txt")
    assert [one["subject"] for one in found] == ["mon compte", ""]
    assert [one["requests"][0]["kind"] for one in found] == ["deletion", "deletion"]
    assert all("Subject" not in one["new_text"] for one in found)


def test_every_mail_of_an_mbox_is_a_line_with_its_number(here: Here) -> None:
    here.write("old.mbox", mbox(letter(1), letter(2, "From now on, no mails.\n\nFrom me.\n"), letter(3)))
    found = lines(here, "old.mbox")
    assert [one["path"] for one in found] == ["old.mbox:1", "old.mbox:2", "old.mbox:3"]
    assert [one["subject"] for one in found] == ["letter 1", "letter 2", "letter 3"]
    assert found[1]["new_text"].startswith("From now on")


def test_an_mbox_is_known_by_what_is_in_it(here: Here) -> None:
    here.write("inbox", mbox(letter(1), letter(2)))
    assert [one["path"] for one in lines(here, "inbox")] == ["inbox:1", "inbox:2"]
    assert [one["path"] for one in lines(here, "-", stdin=mbox(letter(1), letter(2)))] == ["-:1", "-:2"]


def test_a_folder_is_read_to_its_bottom_in_order_and_only_mails_of_it(here: Here) -> None:
    here.write("box/b/2.eml", letter(2))
    here.write("box/a/1.eml", letter(1))
    here.write("box/a/notes.md", "# no mail\n")
    here.write("box/cur/1700.M1.host:2,S", letter(3))
    here.write("box/c.mbox", mbox(letter(4), letter(5)))
    here.write("box/.hidden.eml", letter(6))
    os.mkfifo(here.folder / "box" / "pipe.eml")
    found = [Path(one["path"]).name for one in lines(here, "box")]
    assert found == ["c.mbox:1", "c.mbox:2", "1.eml", "2.eml", "1700.M1.host:2,S"]


def test_standard_input_is_a_mail_or_plain_words(here: Here) -> None:
    (mail,) = lines(here, "-", stdin=letter(1))
    (words,) = lines(here, "-", stdin=b"Subject: account\n\nPlease delete my account.\n")
    assert (mail["path"], mail["from"]) == ("-", "alice@users.example")
    assert (words["from"], words["subject"]) == (None, "account")
    assert words["requests"][0]["kind"] == "deletion"


def test_what_cannot_be_read_is_a_line_for_staff_and_no_failure(here: Here) -> None:
    here.write("empty.eml", b"")
    here.write("noise.eml", bytes(range(256)) * 40)
    here.write("good.eml", letter(1))
    found = lines(here, "empty.eml", "noise.eml", "good.eml")
    assert len(found) == 3
    assert all(one["decision"] in ("review", "ignore") for one in found[:2])
    assert found[0]["error"]
    assert found[2]["error"] is None


def test_a_path_that_does_not_exist_ends_it_before_anything_is_printed(here: Here) -> None:
    here.write("good.eml", letter(1))
    done = here.run("explain", "--json", "good.eml", "nothing.eml")
    assert (done.code, done.out) == (2, "")
    assert "nothing.eml: no such file or folder" in done.err


def test_it_works_without_configuration_database_or_secret(here: Here) -> None:
    (here.folder / "config.toml").unlink()
    here.write("in.eml", letter(1))
    here.environment.clear()
    assert lines(here, "in.eml")[0]["decision"] == "confirm"
    assert not (here.folder / "mailbot.db").exists()


def test_a_configuration_that_is_named_must_be_there(here: Here) -> None:
    here.write("in.eml", letter(1))
    done = here.run("explain", "--config", "other.toml", "in.eml")
    assert done.code == 2
    assert "other.toml" in done.err


def test_a_reader_that_goes_away_is_no_error(here: Here) -> None:
    here.write("many.mbox", mbox(*(letter(number) for number in range(400))))
    command = f"{PROGRAM} explain --no-dns --json many.mbox | head -n 1; echo ${{PIPESTATUS[0]}}"
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run([bash, "-c", command], cwd=here.folder, capture_output=True, timeout=120)
    *_, code = done.stdout.decode().split()
    assert code == "0"
    assert done.stderr == b""


def test_a_strangers_mail_cannot_move_the_cursor(here: Here) -> None:
    here.write(
        "in.txt", "Subject: \x1b[2Jcleared \u202edesrever\n\nPlease delete my account. \x1b]0;title\x07\n"
    )
    done = here.run("explain", "--no-dns", "in.txt")
    assert done.code == 0
    assert "\x1b" not in done.out and "\x07" not in done.out and "\u202e" not in done.out
    assert "CONFIRM" in done.out


def test_a_mail_above_the_limit_is_told_not_read(here: Here) -> None:
    path = here.write("large.eml", letter(1) + b"x" * 2000)
    (found,) = mails_in(str(path), 1000)
    assert not isinstance(found, RawMail)
    assert "larger than 1000 bytes" in found.reason  # type: ignore[union-attr]  # it is Unavailable


POLICY = Path(__file__).parents[2] / "rules" / "policy.toml"


def test_automation_is_switched_off_for_one_kind_in_one_language(here: Here) -> None:
    """And only there: the same wish in another language, and another wish in this one, go their way."""
    off = '\n[kinds.deletion.languages.fr]\nhandling = "staff"\n'
    here.write("own/policy.toml", (POLICY.read_text(encoding="utf-8") + off).encode())
    here.write("config.toml", (here.folder / "config.toml").read_bytes() + b'[folders]\nrules = "own"\n')
    here.write("fr.txt", "Bonjour, merci de supprimer mon compte.")
    here.write("en.txt", b"Please delete my account.")
    here.write("copy.txt", "Bonjour, envoyez-moi une copie de toutes mes données.".encode())
    done = here.call("explain", "--json", "--no-dns", "fr.txt", "en.txt", "copy.txt")
    shown = [json.loads(line) for line in done.out.splitlines()]
    assert [one["decision"] for one in shown] == ["review", "confirm", "confirm"]
    assert "deletion is always read by staff" in shown[0]["reasons"]


def test_a_language_of_the_policy_that_is_none_is_named(here: Here) -> None:
    here.write(
        "own/policy.toml", POLICY.read_bytes() + b'\n[kinds.deletion.languages.rr]\nhandling = "staff"\n'
    )
    here.write("config.toml", (here.folder / "config.toml").read_bytes() + b'[folders]\nrules = "own"\n')
    here.write("en.txt", b"Please delete my account.")
    done = here.run("explain", "--no-dns", "en.txt", PYTHONPATH=os.environ.get("PYTHONPATH", ""))
    assert done.code == 2
    assert "kinds.deletion.languages.rr" in done.err


def test_explaining_starts_without_database_and_web() -> None:
    """They cost two seconds of start-up and are not needed to read a mail."""
    asked = (
        "import sys, mailbot.cli.explain; print({'sqlalchemy', 'alembic', 'fastapi'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
