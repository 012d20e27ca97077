"""What a bounce says of its letter is read from its delivery status, else from what servers write."""

from __future__ import annotations

import pytest

from mailbot.core.bounce import Delivery, Finality, read_bounce
from mailbot.core.message import ParsedMail
from mailbot.core.parse import parse

NOTHING = Delivery(Finality.UNKNOWN)


def read(raw: str) -> Delivery:
    octets = raw.replace("\n", "\r\n").encode()
    mail = parse(octets)
    assert isinstance(mail, ParsedMail)
    return read_bounce(mail, octets)


def report(*recipients: str, enclosed: str = "") -> str:
    """A delivery status with these groups of fields, one a recipient."""
    return (
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nReport.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        + "\n\n".join(f"Final-Recipient: rfc822; vera@visitors.example\n{one}" for one in recipients)
        + (f"\n--b\nContent-Type: message/rfc822\n\n{enclosed}" if enclosed else "")
        + "\n--b--\n"
    )


def inner(raw: str) -> str:
    """The same with another boundary."""
    return raw.replace('"b"', '"c"').replace("--b", "--c")


def plain(text: str, sender: str = "MAILER-DAEMON@mx.example") -> str:
    return f"From: {sender}\nSubject: failure notice\n\n{text}\n"


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (report("Action: failed\nStatus: 5.1.1"), Delivery(Finality.PERMANENT, "5.1.1")),
        (report("action: Failed"), Delivery(Finality.PERMANENT)),
        (report("Action: failed\nStatus: 4.4.7"), Delivery(Finality.TEMPORARY, "4.4.7")),
        (report("Action: delayed\nStatus: 4.4.1"), Delivery(Finality.DELAYED, "4.4.1")),
        (report("Action: delivered\nStatus: 2.0.0"), Delivery(Finality.UNKNOWN, "2.0.0")),
        (
            report("Action: delayed\nStatus: 4.4.1", "Action: failed\nStatus: 5.1.1"),
            Delivery(Finality.PERMANENT, "5.1.1"),
        ),
        (
            report("Action: delayed\nStatus: 4.4.1", enclosed=inner(report("Action: failed\nStatus: 5.1.1"))),
            Delivery(Finality.DELAYED, "4.4.1"),
        ),
        (plain("The server said: 550 No such user"), Delivery(Finality.PERMANENT)),
        (plain("<vera@visitors.example>: 550 5.1.1 unknown"), Delivery(Finality.PERMANENT, "5.1.1")),
        (plain("Something happened."), NOTHING),
        (plain("I am away until 5.7.26, telephone 555 123.", "Vera <vera@visitors.example>"), NOTHING),
        ("From: =?utf-8?q?=FF?= <\nSubject: a\n\nNothing.\n", NOTHING),
    ],
)
def test_how_final_a_bounce_is(raw: str, wanted: Delivery) -> None:
    assert read(raw) == wanted


def test_a_qmail_notice_is_read_by_the_library() -> None:
    text = (
        "Hi. This is the qmail-send program at mx.example.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<vera@visitors.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n"
    )
    assert read(plain(text)) == Delivery(Finality.PERMANENT, "5.1.1")
