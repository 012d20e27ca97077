"""Law 5: machines and forgers are never answered, and nobody gets more than a few letters a day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mailbot.demo.world import BOUNCES, PRIVACY
from tests.world import ALICE, CAMILLE, DELETE_EN, MALLORY, Builder, World, parsed, plain

MACHINES = {
    "auto-reply": (CAMILLE, {"Auto-Submitted": "auto-replied"}),
    "generated": (CAMILLE, {"Auto-Submitted": "auto-generated"}),
    "list": (CAMILLE, {"List-Id": "<news.example.org>", "Precedence": "list"}),
    "bulk": (CAMILLE, {"Precedence": "bulk"}),
    "null sender": (CAMILLE, {"Return-Path": "<>"}),
    "no-reply": ("no-reply@example.org", {}),
    "daemon": ("MAILER-DAEMON@example.org", {}),
    "ourselves": (PRIVACY, {}),
    "our bounces": (BOUNCES, {}),
    "loop": (CAMILLE, {"X-Auto-Response-Suppress": "All", "Auto-Submitted": "auto-notified"}),
}


@pytest.mark.parametrize(("sender", "headers"), MACHINES.values(), ids=MACHINES.keys())
def test_a_machines_mail_is_kept_and_never_answered(
    world: World, sender: str, headers: dict[str, str]
) -> None:
    world.write(sender, "Delete my account", DELETE_EN, headers=headers)
    assert world.sent() == []
    assert [row["disposition"] for row in world.dump()["message"]] == ["ignored"]
    assert world.requests(sender) == []


def test_a_forged_sender_gets_nothing_and_staff_see_the_mail(world: World) -> None:
    for _ in range(3):
        world.write(CAMILLE, "Delete my account", DELETE_EN, signed=False)
    assert world.sent() == []
    assert set(world.states(CAMILLE)) == {("deletion", "awaiting_staff")}


def test_an_injected_verdict_of_another_server_makes_a_forger_no_better(world: World) -> None:
    injected = {"Authentication-Results": "mx.example.net; dkim=pass header.d=courriel.example; dmarc=pass"}
    world.write(CAMILLE, "Delete my account", DELETE_EN, signed=False, headers=injected)
    assert world.sent() == []
    assert world.states(CAMILLE) == [("deletion", "awaiting_staff")]


def test_whatever_an_address_sends_it_gets_only_a_few_letters_a_day(world: World) -> None:
    texts = ("Where is my invoice?", "What is your policy?", "I complain about you.", "Delete my account.")
    for number in range(16):
        world.write(ALICE, f"Question {number}", f"{texts[number % 4]} This is mail number {number}.\n")
    assert len(world.letters(ALICE)) <= 5
    requests = world.dump()["request"]
    assert len(world.dump()["message"]) == 16, "what is not answered is kept all the same"
    assert requests

    world.clock.forward(days=1, minutes=1)
    before = len(world.letters(ALICE))
    world.write(ALICE, "Question 99", "Where is my other invoice?\n")
    assert len(world.letters(ALICE)) > before, "the next day is another one"


def test_the_challenges_to_one_address_are_fewer_still(world: World) -> None:
    for number in range(8):
        world.write(ALICE, f"Delete my account {number}", f"Please delete my account. ({number})\n")
    assert sum("/c/" in plain(mail) for mail in world.letters(ALICE)) <= 3


ONE, TWO = "privacy@one.example", "privacy@two.example"
MARKS = ("Auto-Submitted", "X-Auto-Response-Suppress", "X-Mailbot-Reference", "Precedence", "Return-Path")


def settings_of(address: str) -> dict[str, Any]:
    """The tables of a mailbot that is `address`."""
    bounces = address.replace("privacy@", "bounces@")
    return {
        "controller": {"privacy_address": address},
        "smtp": {"from_address": address, "bounce_address": bounces},
    }


@contextmanager
def two_mailbots(builder: Builder, folder: Path) -> Iterator[dict[str, World]]:
    """Two, each with a privacy address of its own."""
    builder.smtp.clear()
    with (
        builder.world(folder / "one", more=settings_of(ONE)) as one,
        builder.world(folder / "two", more=settings_of(TWO)) as two,
    ):
        yield {"one.example": one, "two.example": two}


def exchange(bots: dict[str, World], rounds: int, marked: bool = True) -> list[int]:
    """All that each sends is delivered to the other, signed by its domain; how many letters each round brought.
    Not `marked`: something on the way takes away whatever tells a machine."""
    builder_mails = next(iter(bots.values())).smtp.mails
    delivered, counts = 0, []
    for _ in range(rounds):
        fresh, delivered = builder_mails[delivered:], len(builder_mails)
        counts.append(len(fresh))
        for mail in fresh:
            raw = mail.raw if marked else unmarked(mail.raw)
            sender = str(parsed(mail.raw)["From"].addresses[0].addr_spec)
            bot = bots[mail.recipients[0].rpartition("@")[2]]
            bot.take(bot.signed(raw, sender))
            bot.work()
    return counts


def unmarked(raw: bytes) -> bytes:
    mail = parsed(raw)
    for name in MARKS:
        del mail[name]
    return mail.as_bytes()


def test_two_mailbots_that_write_to_each_other_are_silent_after_one_exchange(
    builder: Builder, tmp_path: Path
) -> None:
    with two_mailbots(builder, tmp_path) as bots:
        one = bots["one.example"]
        one.write(TWO, "Delete my account", DELETE_EN)
        bots["two.example"].write(ONE, "Delete my account", DELETE_EN)
        assert exchange(bots, 6) == [2, 0, 0, 0, 0, 0]
        one.clock.forward(days=40)
        one.work()
        bots["two.example"].work()
        assert sum(exchange(bots, 4)) <= 2 + 2 * 3, "the question, two reminders and the end of it, to each"


def test_even_without_any_mark_two_mailbots_come_to_an_end(builder: Builder, tmp_path: Path) -> None:
    with two_mailbots(builder, tmp_path) as bots:
        bots["one.example"].write(TWO, "Delete my account", DELETE_EN)
        counts = exchange(bots, 12, marked=False)
        assert counts[-3:] == [0, 0, 0]
        assert 2 < sum(counts) <= 2 * 5, "they do answer, up to the caps of a day"


def test_a_bounce_with_our_envelope_token_makes_the_request_unreachable(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.take(bounce(world.sent()[0].envelope_from, "failed", "5.1.1"))
    assert world.states(CAMILLE) == [("deletion", "unreachable")]


def test_a_delay_is_no_bounce(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.take(bounce(world.sent()[0].envelope_from, "delayed", "4.4.1"))
    assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]


def test_a_forged_bounce_achieves_nothing(world: World) -> None:
    """With a guessed token, with none, with the reference in the subject, with our letter enclosed."""
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    ((case, _),) = world.requests(CAMILLE)
    local, _, domain = BOUNCES.partition("@")
    real = world.sent()[0].envelope_from.partition("+")[2].partition("@")[0]
    other = "b" if real[-1] == "a" else "a"
    for recipient in (
        BOUNCES,
        f"{local}+{'a' * 32}@{domain}",
        f"{local}+{real[:-1]}{other}@{domain}",
        PRIVACY,
    ):
        world.take(
            bounce(recipient, "failed", "5.1.1", f"Undelivered [{case.reference}]", world.sent()[0].raw)
        )
    world.work()
    assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]
    assert len(world.sent()) == 1


def test_mallory_cannot_make_us_pester_alice(world: World) -> None:
    """In Alice's name she brings her no mail; in her own, by naming Alice's account, one question a day at most."""
    world.write(ALICE, "Delete my account", DELETE_EN, signed=False)
    assert world.letters(ALICE) == []
    for signed in (True, False, True):
        for kind in ("Delete the account", "Send me a copy of all data in the account"):
            world.write(
                MALLORY, "Account", f"{kind} of {ALICE}.\n", headers={"Reply-To": ALICE}, signed=signed
            )
    assert len(world.letters(ALICE)) == 1
    world.clock.forward(days=1, hours=1)
    world.work()
    assert len(world.letters(ALICE)) <= 2


def bounce(
    recipient: str, action: str, status: str, subject: str = "Undelivered Mail", enclosed: bytes = b""
) -> bytes:
    """A delivery status (RFC 3464)."""
    head = (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: {recipient}\r\nSubject: {subject}\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered to {recipient}.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; somebody@example.org\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
    )
    original = b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + enclosed + b"\r\n" if enclosed else b""
    return head.encode() + original + b"--b--\r\n"
