"""Mail pushed in by LMTP is answered with 250 only when it is stored, for each recipient by itself."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mailbot.mail.lmtp import Accept, LmtpAnswer, LmtpDoor, LmtpMail

MAIL = b"Subject: stop\r\n\r\nPlease.\r\n"


@contextmanager
def open_door(accept: Accept, **options: int) -> Iterator[smtplib.LMTP]:
    door = LmtpDoor("127.0.0.1:0", accept, **options)
    door.start()
    try:
        with smtplib.LMTP("127.0.0.1", door.port, timeout=10) as lmtp:
            yield lmtp
    finally:
        door.stop()


def test_250_is_said_after_the_mail_was_taken() -> None:
    taken: list[LmtpMail] = []

    def accept(mail: LmtpMail) -> LmtpAnswer:
        taken.append(mail)
        return LmtpAnswer.TAKEN

    with open_door(accept) as lmtp:
        assert lmtp.sendmail("vera@visitors.example", ["unsubscribe+t0@mailbot.example"], MAIL) == {}
    assert taken == [LmtpMail("vera@visitors.example", "unsubscribe+t0@mailbot.example", MAIL)]


def test_the_null_sender_is_empty() -> None:
    taken: list[LmtpMail] = []

    def accept(mail: LmtpMail) -> LmtpAnswer:
        taken.append(mail)
        return LmtpAnswer.TAKEN

    with open_door(accept) as lmtp:
        lmtp.sendmail("<>", ["bounces+t0@mailbot.example"], MAIL)
    assert taken[0].envelope_from == ""


def answers_after(lmtp: smtplib.LMTP, recipients: list[str], content: bytes) -> list[int]:
    """The code for each recipient after the content, as RFC 2033 wants it."""
    lmtp.ehlo_or_helo_if_needed()
    lmtp.mail("vera@visitors.example")
    for recipient in recipients:
        assert lmtp.rcpt(recipient)[0] == 250
    assert lmtp.docmd("DATA")[0] == 354
    lmtp.send(content + b".\r\n")
    return [lmtp.getreply()[0] for _ in recipients]


def test_each_recipient_has_an_answer_of_its_own() -> None:
    def accept(mail: LmtpMail) -> LmtpAnswer:
        if mail.recipient.startswith("broken"):
            raise OSError("the disk of vera@visitors.example")
        return LmtpAnswer.TAKEN if mail.recipient.startswith("alice") else LmtpAnswer.UNKNOWN_RECIPIENT

    with open_door(accept) as lmtp:
        recipients = ["alice@x.example", "nobody@x.example", "broken@x.example", "alice2@x.example"]
        assert answers_after(lmtp, recipients, MAIL) == [250, 550, 451, 250]
        assert lmtp.noop()[0] == 250


def test_a_failure_inside_is_not_told_outside() -> None:
    def accept(mail: LmtpMail) -> LmtpAnswer:
        raise RuntimeError("secret")

    with open_door(accept) as lmtp, pytest.raises(smtplib.SMTPDataError) as refused:
        lmtp.sendmail("vera@visitors.example", ["a@x.example"], MAIL)
    assert refused.value.smtp_code == 451
    assert b"secret" not in refused.value.smtp_error


def test_a_mail_that_is_too_large_is_refused_for_each_recipient() -> None:
    with open_door(lambda mail: LmtpAnswer.TAKEN, max_message_bytes=10_000) as lmtp:
        assert answers_after(lmtp, ["a@x.example", "b@x.example"], MAIL + b"x" * 70 * 1000 + b"\r\n") == [
            552,
            552,
        ]
        assert answers_after(lmtp, ["a@x.example"], MAIL) == [250]


def test_a_line_longer_than_smtp_allows_is_taken() -> None:
    with open_door(lambda mail: LmtpAnswer.TAKEN) as lmtp:
        assert answers_after(lmtp, ["a@x.example"], MAIL + b"x" * 100_000 + b"\r\n") == [250]


def test_an_address_in_use_is_told_at_the_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        door = LmtpDoor(f"127.0.0.1:{other.getsockname()[1]}", lambda mail: LmtpAnswer.TAKEN)
        with pytest.raises(OSError, match="in use"):
            door.start()
