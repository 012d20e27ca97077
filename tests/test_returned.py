"""Bounces and complaints mean something only with a secret of the very mail they are about."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from mailbot.demo.world import BOUNCES, PRIVACY
from tests.laws.test_law_5 import bounce
from tests.world import ALICE, CAMILLE, DELETE_EN, EMILY, MALLORY, VERA, World


def asked(world: World, address: str = CAMILLE) -> str:
    """`address` asked for deletion and was written to; the envelope sender of that letter."""
    world.write(address, "Delete my account", DELETE_EN)
    return world.smtp.mails_for(address)[-1].envelope_from


def returned(recipient: str, text: str, **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "MAILER-DAEMON@mx.example", recipient, "failure notice"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def test_a_letter_that_another_server_gave_up_on_is_sent_again_and_then_left_to_staff(world: World) -> None:
    sender = asked(world)
    for times in (2, 3):
        world.take(bounce(sender, "failed", "4.4.7", subject=f"Undelivered {times}"))
        assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]
        world.work()
        assert len(world.smtp.mails_for(CAMILLE)) == times - 1, "not at once"
        world.clock.forward(days=1, minutes=1)
        world.work()
        assert len(world.smtp.mails_for(CAMILLE)) == times
    assert len({mail.raw for mail in world.smtp.mails_for(CAMILLE)}) == 1, "the same bytes"
    world.take(bounce(sender, "failed", "4.4.7", subject="Undelivered 4"))
    assert world.states(CAMILLE) == [("deletion", "unreachable")]


def test_a_delay_is_noted_with_the_letter(world: World) -> None:
    world.take(bounce(asked(world), "delayed", "4.4.1"))
    assert [row["last_answer"] for row in world.dump()["letter"]] == ["bounce: delayed 4.4.1"]
    world.clock.forward(days=2)
    world.work()
    assert len(world.smtp.mails_for(CAMILLE)) == 1


def test_a_bounce_in_a_servers_own_words_makes_the_request_unreachable(world: World) -> None:
    world.take(returned(asked(world), "<camille@courriel.example>: host mx said: 550 5.1.1 no such user"))
    assert world.states(CAMILLE) == [("deletion", "unreachable")]


@pytest.mark.parametrize(
    "headers", [{"Auto_Submitted": "auto-replied"}, {"Return_Path": "<>"}], ids=["marked", "null sender"]
)
def test_an_absence_notice_to_the_envelope_address_is_no_bounce(
    world: World, headers: dict[str, str]
) -> None:
    raw = returned(asked(world), "I am away until 5.7.26.", **headers).replace(b"MAILER-DAEMON", b"camille")
    world.take(raw)
    assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]


def test_the_token_of_another_letter_says_nothing_of_this_one(world: World) -> None:
    sender = asked(world, EMILY)
    asked(world)
    world.take(bounce(sender, "failed", "5.1.1", enclosed=world.smtp.mails_for(CAMILLE)[0].raw))
    assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]
    assert world.states(EMILY) == [("deletion", "unreachable")]


def test_a_persons_mail_to_the_envelope_address_is_no_bounce(world: World) -> None:
    sender = asked(world)
    world.write(CAMILLE, "Status: 5.1.1", "Action: failed\n550 5.1.1 no such user\n", to=sender)
    assert ("deletion", "unreachable") not in world.states(CAMILLE)


def promotional(world: World, address: str) -> str:
    links = world.app.unsubscribing.link(address)
    return (
        f"From: MyOwnConference <news@platform.example>\nTo: {address}\nSubject: News\n"
        f"List-Unsubscribe: {links.list_unsubscribe}\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n\nBuy.\n"
    )


def complaint(about: str, kind: str = "abuse", reporter: str = "fbl@provider.example") -> bytes:
    """A feedback report (RFC 5965)."""
    return (
        f"From: {reporter}\nTo: {PRIVACY}\nSubject: FW: News\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThis is an abuse report.\n"
        f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: {kind}\nUser-Agent: P/1\nVersion: 1\n\n"
        f"--b\nContent-Type: message/rfc822\n\n{about}\n--b--\n"
    ).encode()


def is_unsubscribed(world: World, address: str) -> bool:
    row = world.app.unsubscribing.status(address)
    return row is not None and row.lifted_at is None


def test_a_complaint_about_promotional_mail_unsubscribes_and_writes_to_nobody(world: World) -> None:
    world.take(complaint(promotional(world, VERA)))
    world.work()
    assert is_unsubscribed(world, VERA)
    assert ("unsubscribe", "done") in world.states(VERA)
    assert world.sent() == []


def test_a_complaint_that_comes_twice_changes_nothing_more(world: World) -> None:
    world.take(complaint(promotional(world, VERA)))
    assert world.take(complaint(promotional(world, VERA), "opt-out")) == ["ignored"]
    assert len(world.states(VERA)) == 1


def test_a_complaint_about_a_mail_that_names_nobody_is_for_staff(world: World) -> None:
    forged = promotional(world, VERA).replace("/u/A", "/u/B").replace("%20A", "%20B")
    world.take(complaint(forged))
    world.take(complaint(f"From: a@b.example\nTo: {VERA}\nSubject: Buy\n\nBuy.\n"))
    world.work()
    assert not is_unsubscribed(world, VERA)
    assert world.states(VERA) == []
    assert world.states("fbl@provider.example") == [("complaint", "awaiting_staff")], "one case for both"
    assert world.sent() == []


@pytest.mark.parametrize("kind", ["auth-failure", "not-spam"])
def test_a_report_that_complains_of_nothing_is_recorded_only(world: World, kind: str) -> None:
    assert world.take(complaint(promotional(world, VERA), kind)) == ["ignored"]
    assert not is_unsubscribed(world, VERA)


def test_a_request_through_a_web_form_is_for_staff_and_answered_by_them_alone(world: World) -> None:
    form = "noreply@forms.example.net"
    world.write(form, "Contact form", DELETE_EN, headers={"Reply-To": f"Alice <{ALICE}>"}, signed=False)
    assert world.sent() == []
    assert world.states(ALICE) == [("deletion", "awaiting_staff")]
    assert world.states(form) == []
    world.staff(ALICE, "reply", text="Please write to us from your own address.", closes="1")
    world.work()
    assert len(world.letters(ALICE)) == 1


def test_mallory_gains_nothing_by_a_web_form_of_hers(world: World) -> None:
    headers = {"Reply-To": ALICE}
    for number in range(3):
        world.write("noreply@forge.example", f"Form {number}", f"{DELETE_EN}{number}", headers=headers)
    assert world.letters(ALICE) == []
    assert {state for _, state in world.states(ALICE)} == {"awaiting_staff"}
    assert world.letters(MALLORY) == []


@pytest.mark.parametrize("machine", [{}, {"Auto-Submitted": "auto-replied"}, {"Precedence": "bulk"}])
def test_a_mail_programs_unsubscribe_mail_counts_though_a_machine_wrote_it(
    world: World, machine: dict[str, str]
) -> None:
    token = world.app.unsubscribing.link(VERA).url.rpartition("/")[2]
    world.write("somebody@elsewhere.example", f"unsubscribe {token}", "unsubscribe", headers=machine)
    assert is_unsubscribed(world, VERA)
    assert world.letters("somebody@elsewhere.example") == []


def test_bounces_address_alone_means_nothing(world: World) -> None:
    asked(world)
    world.take(bounce(BOUNCES, "failed", "5.1.1"))
    assert world.states(CAMILLE) == [("deletion", "awaiting_proof")]
