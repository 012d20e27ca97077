"""The demo's own servers work together: what is sent to the mailbox by SMTP lies in it, and is told by IDLE."""

from __future__ import annotations

import threading
import time

import pytest

from mailbot.demo.imap_server import EmbeddedImap
from mailbot.demo.smtp_sink import SmtpSink
from mailbot.mail.inbox import Arrived, Inbox
from mailbot.mail.outbox import Sent, SmtpConnection
from mailbot.mail.settings import Security, SmtpSettings

PRIVACY = "privacy@demo.example"
MAIL = b"From: Vera <vera@visitors.example>\r\nSubject: delete\r\n\r\nPlease delete my data.\r\n"


def send(sink: SmtpSink, recipient: str) -> None:
    settings = SmtpSettings("127.0.0.1", sink.port, Security.NONE, None, "", "")
    with SmtpConnection(settings) as connection:
        assert connection.send("vera@visitors.example", recipient, MAIL) == Sent()


def test_a_mail_to_the_mailbox_lies_in_it_and_one_to_a_person_does_not() -> None:
    with (
        EmbeddedImap(PRIVACY, "secret") as imap,
        SmtpSink(forward=lambda recipient: imap.deliver if recipient == PRIVACY else None) as sink,
        Inbox(imap.settings()) as inbox,
    ):
        assert inbox.waiting() == []
        threading.Timer(0.2, send, [sink, PRIVACY.upper()]).start()
        started = time.monotonic()
        inbox.wait(10)
        assert time.monotonic() - started < 3
        send(sink, "vera@visitors.example")
        ((mail,),) = inbox.fetch(inbox.waiting())
        assert isinstance(mail, Arrived)
        assert mail.raw == MAIL
        assert len(sink.wait_for("vera@visitors.example")) == 1


def test_waiting_for_a_mail_that_does_not_come_ends() -> None:
    with SmtpSink() as sink, pytest.raises(TimeoutError, match="0 of 1"):
        sink.wait_for("alice@users.example", seconds=0.1)
