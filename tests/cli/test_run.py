"""`mailbot run`, `check` and `cases` against real servers on loopback: mail in, decisions, mail out."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from mailbot.demo.world import PRIVACY, World, start_world
from tests.cli.conftest import PROGRAM, Here

ASKER = "vera@visitors.example"
SUMMARY = {
    *("received", "duplicates", "quarantined", "cases_opened", "replies_sent", "changes_applied"),
    *("failed", "seconds"),
}


@pytest.fixture
def world(here: Here) -> Iterator[World]:
    """Mail servers, DNS and the platform, and a configuration that names them."""
    with ExitStack() as stack:
        started = start_world(here.folder, stack, datetime.now(UTC))
        here.configure(configuration(started))
        yield started


def configuration(world: World, listen: str = "127.0.0.1:0") -> str:
    return f"""
        [controller]
        privacy_address = "{PRIVACY}"
        languages = ["en"]
        [[mailbox]]
        name = "privacy"
        host = "127.0.0.1"
        port = {world.imap.port}
        security = "none"
        username = "{PRIVACY}"
        password_file = "imap.password"
        poll_seconds = 1
        [smtp]
        host = "127.0.0.1"
        port = {world.smtp.port}
        security = "none"
        [platform]
        files_root = "files"
        [web]
        listen = "{listen}"
        [dns]
        nameservers = ["{world.config.dns.nameservers[0]}"]
        [logging]
        level = "error"
        """


def question(number: int) -> bytes:
    """A letter that only a person can answer."""
    head = f"From: Vera <{ASKER}>\r\nTo: {PRIVACY}\r\nSubject: question {number}\r\n"
    head += f"Message-ID: <{number}@visitors.example>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0100\r\n\r\n"
    return (head + "How long do you keep recordings of webinars?\r\n").encode()


def one_case(here: Here, world: World) -> str:
    """The reference of a case that waits for Stan, who has an account."""
    world.imap.deliver(question(1))
    assert here.run("run", "--once").code == 0
    made = here.call("staff", "add", "stan", "--generate-password", "--agreement-signed", "2026-01-01")
    assert made.code == 0, made.err
    (waiting,) = here.call("cases", "list", "--waiting", "--json").json()["requests"]
    return str(waiting["reference"])


def test_once_takes_in_all_mail_and_says_what_it_did(here: Here, world: World) -> None:
    world.imap.deliver(question(1), question(2))
    done = here.run("run", "--once", "--json")
    assert done.code == 0, done.err
    summary = done.json()
    assert set(summary) == SUMMARY
    assert (summary["received"], summary["failed"]) == (2, 0)
    again = here.run("run", "--once", "--json").json()
    assert (again["received"], again["cases_opened"], again["replies_sent"]) == (0, 0, 0)


def test_once_with_a_mailbox_that_is_away_fails(here: Here, world: World) -> None:
    here.configure(configuration(world).replace(str(world.imap.port), "1", 1))
    done = here.run("run", "--once", "--json")
    assert done.code == 1
    assert done.json()["failed"] == 1
    assert "Traceback" not in done.err


def test_only_the_parts_named_run(here: Here, world: World) -> None:
    world.imap.deliver(question(1))
    assert here.run("run", "--once", "--only", "schedule", "--json").json()["received"] == 0
    assert here.run("run", "--once", "--only", "mail,schedule", "--json").json()["received"] == 1


def test_the_service_answers_on_the_web_and_ends_cleanly_when_told_to(here: Here, world: World) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
    here.configure(configuration(world, listen))
    world.imap.deliver(question(1))
    process = subprocess.Popen([PROGRAM, "run"], cwd=here.folder, stderr=subprocess.PIPE, text=True)
    try:
        healthy = wait_for_health(f"http://{listen}/healthz", process)
        assert healthy["status"] == "ok"
        assert world.smtp.wait_for(ASKER, seconds=30)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=40)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "Traceback" not in err


def wait_for_health(url: str, process: subprocess.Popen[str]) -> dict[str, str]:
    ends = time.monotonic() + 30
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urlopen(url, timeout=2) as answer:
                return dict(json.load(answer))
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the service did not come up")


def test_a_port_that_is_taken_is_told_before_anything_starts(here: Here, world: World) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        here.configure(configuration(world, f"127.0.0.1:{taken.getsockname()[1]}"))
        done = here.run("run", "--only", "web")
    assert done.code == 1
    assert "web.listen" in done.err


def test_check_tries_every_part(here: Here, world: World) -> None:
    assert here.call("db", "upgrade").code == 0
    done = here.call("check", "--json")
    found = done.json()
    assert (done.code, found["ok"]) == (0, True), found
    parts = {one["part"] for one in found["checks"]}
    assert parts >= {
        "secrets",
        "imap:privacy",
        "smtp",
        "dns",
        "database",
        "platform",
        "rules",
        "templates",
        "web",
    }
    assert all(set(one) == {"part", "status", "message", "mend"} for one in found["checks"])
    (imap,) = [one for one in found["checks"] if one["part"] == "imap:privacy"]
    assert "IDLE" in imap["message"]
    (sender,) = [one for one in found["checks"] if one["part"] == "sender"]
    assert (sender["status"], "authserv_ids" in sender["mend"]) == ("warning", True)


def test_one_part_that_fails_never_hides_the_others(here: Here, world: World) -> None:
    text = (
        configuration(world)
        .replace(str(world.smtp.port), "1")
        .replace("[platform]", '[platform]\nurl="sqlite:///x"')
    )
    here.configure(text)
    done = here.call("check", "--json")
    statuses = {one["part"]: one["status"] for one in done.json()["checks"]}
    assert done.code == 1
    assert (statuses["smtp"], statuses["platform"], statuses["imap:privacy"]) == ("failed", "failed", "ok")


def test_check_with_a_missing_secret_checks_the_rest_and_is_exit_2(here: Here, world: World) -> None:
    (here.folder / "imap.password").unlink()
    done = here.call("check", "--json")
    statuses = {one["part"]: one["status"] for one in done.json()["checks"]}
    assert done.code == 2
    assert "mailbox[0].password_file" in done.err
    assert (statuses["imap:privacy"], statuses["smtp"]) == ("failed", "ok")


def test_staff_answer_a_question_and_the_person_gets_it(here: Here, world: World) -> None:
    reference = one_case(here, world)
    world.smtp.clear()
    done = here.call("cases", "reply", reference, "--text", "For a year.", "--by", "stan", "--json")
    assert done.code == 0, done.err
    assert done.json()["requests"][0]["state"] == "done"
    assert here.run("run", "--once", "--json").json()["replies_sent"] == 1
    (mail,) = world.smtp.wait_for(ASKER)
    assert b"For a year." in mail.raw
    again = here.call("cases", "reply", reference, "--text", "For two years.", "--by", "stan")
    assert again.code == 1
    assert "cannot be done" in again.err


def test_a_case_is_masked_until_it_is_opened_and_that_is_on_the_ledger(here: Here, world: World) -> None:
    reference = one_case(here, world)
    masked = here.call("cases", "show", reference)
    assert masked.code == 0, masked.err
    assert ASKER not in masked.out and "recordings" not in masked.out
    opened = here.call("cases", "show", reference.lower(), "--open", "--by", "stan", "--json").json()
    assert opened["address"] == ASKER
    assert "recordings" in opened["mails"][0]["reading"]["new_text"]
    assert opened["steps"][-1]["action"] == "opened"
    assert opened["steps"][-1]["actor"] == "staff:stan"
    assert ASKER not in here.call("audit", "export", reference).out


def test_a_request_is_reclassified_refused_extended_and_a_case_closed(here: Here, world: World) -> None:
    reference = one_case(here, world)
    by = ("--by", "stan", "--json")
    longer = here.call("cases", "extend", reference, "--reason", "Many letters.", *by)
    assert longer.code in (0, 1), longer.err
    other = here.call("cases", "reclassify", reference, "--kind", "complaint", *by)
    assert other.json()["requests"][0]["kind"] == "complaint"
    closed = here.call("cases", "close", reference, "--reason", "for somebody else", *by)
    assert closed.json()["requests"][0]["state"] == "dismissed"
    assert here.call("cases", "close", reference, "--reason", "again", *by).code == 1
    listed = here.call("cases", "list", "--state", "dismissed", "--kind", "complaint", "--json").json()[
        "requests"
    ]
    assert [one["reference"] for one in listed] == [reference]


def test_a_mail_is_kept_as_an_example_without_its_person(here: Here, world: World) -> None:
    reference = one_case(here, world)
    refused = here.call("cases", "example", reference, "--by", "stan")
    assert (refused.code, "[rules] examples" in refused.err) == (1, True)
    here.configure(
        (here.folder / "config.toml").read_text(encoding="utf-8") + '\n[rules]\nexamples = "kept"\n'
    )
    shown = here.call("cases", "example", reference, "--by", "stan").out
    assert "recordings" in shown
    assert ASKER not in shown
    assert not (here.folder / "kept").exists()
    edited = here.write("edited.json", json.dumps({**json.loads(shown), "text": "How long do you keep it?"}))
    kept = here.call("cases", "example", reference, "--keep", "--edited", str(edited), "--by", "stan").json()
    assert kept["id"] == "en-kept-0001"
    assert "How long" in (here.folder / "kept" / "en.jsonl").read_text(encoding="utf-8")


def test_old_mails_of_a_mailbox_are_held_against_what_staff_decided(here: Here, world: World) -> None:
    reference = one_case(here, world)
    before = here.call("rules", "shadow", "imap:privacy", "--json").json()
    assert (before["mails"], before["ok"]) == (0, False), "nobody has decided on it yet"
    here.call("cases", "reclassify", reference, "--kind", "complaint", "--by", "stan")
    after = here.call("rules", "shadow", "imap:privacy/Processed", "--json").json()
    assert after["mails"] == 1
    asked = {one["kind"]: (one["asked"], one["read"], one["right"]) for one in after["figures"]}
    assert asked == {"complaint": (1, 0, 0), "question": (0, 1, 0)}


def test_only_staff_who_may_see_people_decide(here: Here, world: World) -> None:
    reference = one_case(here, world)
    assert here.call("staff", "add", "newcomer", "--generate-password").code == 0
    unsigned = here.call("cases", "approve", reference, "--by", "newcomer")
    assert (unsigned.code, "agreement" in unsigned.err) == (2, True)
    assert here.call("staff", "disable", "stan").code == 0
    disabled = here.call("cases", "show", reference, "--open", "--by", "stan")
    assert (disabled.code, "disabled" in disabled.err) == (2, True)
    assert ASKER not in disabled.out


def test_a_sweep_is_looked_at_run_and_let_pass_by_a_named_person(here: Here, world: World) -> None:
    assert here.call("db", "upgrade").code == 0
    looked = here.call("platform", "sweep", "--dry-run", "--json")
    assert looked.code == 0, looked.err
    due = {one["id"]: one["due"] for one in looked.json()["sweeps"]}
    assert due["ended_accounts"] == 1
    assert here.call("platform", "sweep", "--dry-run", "--json").json() == looked.json()
    assert here.call("platform", "sweep", "--dry-run", "--even-if-many").code == 2
    unnamed = here.call("platform", "sweep", "--even-if-many", "--by", "nobody")
    assert (unnamed.code, "no staff account" in unnamed.err) == (2, True)

    done = here.call("platform", "sweep", "--json").json()

    assert {one["id"]: one["taken"] for one in done["sweeps"]} == due
    assert here.run("run", "--once", "--json").json()["changes_applied"] == 1
    assert [one["due"] for one in here.call("platform", "sweep", "--dry-run", "--json").json()["sweeps"]] == [
        0,
        0,
    ]


def test_a_kind_is_stopped_and_resumed_and_a_person_held_and_released(here: Here, world: World) -> None:
    reference, by = one_case(here, world), ("--by", "stan", "--json")
    assert here.call("cases", "stop", "deletion", *by).json() == {"stopped": ["deletion"]}
    assert here.call("cases", "stop", "deletion", *by).code == 1
    assert here.call("cases", "stop", "question", *by).code == 1
    assert here.call("cases", "resume", "deletion", *by).json() == {"stopped": []}
    assert here.call("cases", "hold", reference, *by).code == 0
    assert here.call("cases", "hold", reference, *by).code == 1
    assert here.call("cases", "release", reference, *by).code == 0
    steps = here.call("cases", "show", reference, "--json").json()["steps"]
    assert [one["action"] for one in steps][-2:] == ["held", "released"]
