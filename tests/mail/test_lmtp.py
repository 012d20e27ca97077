"""Mail pushed in by LMTP is answered with 250 only when it is stored, for each recipient by itself."""

from __future__ import annotations

import smtplib
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mailbot.mail.lmtp import Accept, Knows, LmtpAnswer, LmtpDoor, LmtpLimits, LmtpMail

MAIL = b"Subject: stop\r\n\r\nPlease.\r\n"


@contextmanager
def open_door(
    accept: Accept, knows: Knows = lambda _: LmtpAnswer.TAKEN, **limits: int
) -> Iterator[smtplib.LMTP]:
    door = LmtpDoor("127.0.0.1:0", accept, knows, LmtpLimits(**limits))
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


def test_a_recipient_nobody_knows_is_refused_before_the_mail_comes() -> None:
    taken: list[str] = []

    def accept(mail: LmtpMail) -> LmtpAnswer:
        taken.append(mail.recipient)
        return LmtpAnswer.TAKEN

    def knows(recipient: str) -> LmtpAnswer:
        if recipient.startswith("broken"):
            raise OSError("the database")
        return LmtpAnswer.TAKEN if recipient.startswith("alice") else LmtpAnswer.UNKNOWN_RECIPIENT

    with open_door(accept, knows) as lmtp:
        refused = lmtp.sendmail("v@x.example", ["alice@x.example", "bob@x.example", "broken@x.example"], MAIL)
    assert {who: code for who, (code, _) in refused.items()} == {
        "bob@x.example": 550,
        "broken@x.example": 451,
    }
    assert taken == ["alice@x.example"]


def test_a_declared_size_over_the_limit_is_refused_at_once() -> None:
    with open_door(lambda mail: LmtpAnswer.TAKEN, max_message_bytes=10_000) as lmtp:
        lmtp.ehlo()
        assert lmtp.mail("vera@visitors.example", ["SIZE=10001"])[0] == 552
        assert lmtp.mail("vera@visitors.example", ["SIZE=10000"])[0] == 250


def test_of_too_many_connections_the_last_is_told_to_come_later() -> None:
    with open_door(lambda mail: LmtpAnswer.TAKEN, max_connections=2) as first:
        port = first.sock.getpeername()[1]
        with smtplib.LMTP("127.0.0.1", port, timeout=10) as second:
            assert second.ehlo()[0] == 250
            with pytest.raises(smtplib.SMTPConnectError) as refused:
                smtplib.LMTP("127.0.0.1", port, timeout=10)
            assert refused.value.smtp_code == 421
            assert first.ehlo()[0] == 250
        until = time.monotonic() + 10
        while not (lets_in := _lets_in(port)) and time.monotonic() < until:
            time.sleep(0.05)
        assert lets_in, "who was refused or has left takes no place"


def _lets_in(port: int) -> bool:
    try:
        with smtplib.LMTP("127.0.0.1", port, timeout=10) as lmtp:
            return lmtp.ehlo()[0] == 250
    except smtplib.SMTPConnectError:
        return False


def test_of_too_many_mails_the_last_is_told_to_come_later() -> None:
    with open_door(lambda mail: LmtpAnswer.TAKEN, max_per_minute=20) as lmtp:
        lmtp.ehlo()
        codes = []
        for _ in range(4):
            codes.append(lmtp.mail("vera@visitors.example")[0])
            lmtp.rset()
    assert codes == [250, 250, 451, 451]


def test_of_too_many_recipients_the_rest_is_told_to_come_in_another_copy() -> None:
    with open_door(lambda mail: LmtpAnswer.TAKEN) as lmtp:
        lmtp.ehlo()
        lmtp.mail("vera@visitors.example")
        assert [lmtp.rcpt(f"a{number}@x.example")[0] for number in range(101)] == [250] * 100 + [452]


def test_international_addresses_and_eight_bit_mail_come_as_they_are() -> None:
    taken: list[LmtpMail] = []

    def accept(mail: LmtpMail) -> LmtpAnswer:
        taken.append(mail)
        return LmtpAnswer.TAKEN

    raw = "Subject: löschen\r\n\r\nBitte löschen Sie alles.\r\n".encode()
    with open_door(accept) as lmtp:
        lmtp.ehlo()
        assert {"smtputf8", "8bitmime", "size"} <= set(lmtp.esmtp_features)
        lmtp.sendmail("jürgen@münchen.example", ["privacy@x.example"], raw, ["SMTPUTF8", "BODY=8BITMIME"])
    assert taken == [LmtpMail("jürgen@münchen.example", "privacy@x.example", raw)]
