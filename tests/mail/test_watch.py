"""A watched mailbox keeps being watched, whatever server, network and handling do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mailbot.mail.inbox import Inbox, Mail, MailboxTrouble
from mailbot.mail.settings import MailboxSettings
from mailbot.mail.watch import Handle, WatchState, pause_seconds, watch
from tests.mail.conftest import Account, dovecot_account, letter
from tests.servers.dovecot import Dovecot


class Desk:
    """Takes mails in and moves them, and remembers what it was handed."""

    def __init__(self, fails_on: bytes = b"", leaves: bytes = b"") -> None:
        self.handed: list[Mail] = []
        self.calls: list[int] = []
        self.states: list[WatchState] = []
        self.fails_on = fails_on
        self.leaves = leaves

    def handle(self, inbox: Inbox, mails: list[Mail]) -> None:
        self.calls.append(len(mails))
        if self.fails_on and any(self.fails_on in mail.raw for mail in mails):
            raise ValueError("the text of vera@visitors.example")
        self.handed += mails
        moved = [mail.location.uid for mail in mails if not (self.leaves and self.leaves in mail.raw)]
        inbox.move(moved, inbox.settings.processed_folder)

    def subjects(self) -> set[str]:
        return {mail.raw.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for mail in self.handed}


@contextmanager
def watching(settings: MailboxSettings, handle: Handle, desk: Desk) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(settings, handle, stop, False, desk.states.append))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


def soon(holds: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def test_once_hands_over_all_that_waits_one_time_and_returns(any_account: Account) -> None:
    any_account.deliver(*[letter(number) for number in range(70)])
    desk = Desk()
    watch(any_account.settings, desk.handle, threading.Event(), True, desk.states.append)
    assert desk.calls == [50, 20]
    assert len(desk.subjects()) == 70
    assert desk.states[-1].last_success is not None
    watch(any_account.settings, desk.handle, threading.Event(), True, desk.states.append)
    assert desk.calls == [50, 20]


def test_mail_that_comes_while_watching_is_handed_over_soon(any_account: Account) -> None:
    desk = Desk()
    with watching(any_account.settings, desk.handle, desk):
        for number in range(3):
            any_account.deliver(letter(number))
            assert soon(lambda: len(desk.handed) == number + 1, 3)  # noqa: B023  # asked at once
    assert desk.subjects() == {"letter 0", "letter 1", "letter 2"}


def test_a_dropped_connection_is_taken_up_again(account: Account, dovecot: Dovecot) -> None:
    desk = Desk()
    with watching(account.settings, desk.handle, desk):
        assert soon(lambda: bool(desk.states) and desk.states[-1].last_success is not None)
        dovecot.kick(account.settings.username)
        assert soon(lambda: bool(desk.states[-1].last_trouble))
        account.deliver(letter(1))
        assert soon(lambda: desk.subjects() == {"letter 1"})
        assert soon(lambda: desk.states[-1].failures == 0)
    assert account.settings.username not in desk.states[-1].last_trouble


def test_a_server_that_is_away_for_a_while_is_found_again() -> None:
    desk = Desk()
    with Dovecot() as server:
        account = dovecot_account(server)
        account.deliver(letter(1))
        server.stop()
        with watching(account.settings, desk.handle, desk):
            assert soon(lambda: bool(desk.states) and desk.states[-1].failures >= 2)
            assert not desk.states[-1].connected
            server.start_again()
            assert soon(lambda: desk.subjects() == {"letter 1"})


def test_a_mail_whose_handling_fails_is_tried_again_alone_and_blocks_no_other(account: Account) -> None:
    desk = Desk(fails_on=b"letter 3\r\n")
    account.deliver(*[letter(number) for number in range(6)])
    with watching(account.settings, desk.handle, desk):
        assert soon(lambda: len(desk.handed) == 5)
        account.deliver(letter(7))
        assert soon(lambda: len(desk.handed) == 6)
        desk.fails_on = b""
        assert soon(lambda: len(desk.handed) == 7, 20)
    assert desk.calls[0] == 6
    assert set(desk.calls[1:]) == {1}
    assert not any("vera" in state.last_trouble for state in desk.states)


def test_a_failure_of_our_own_does_not_end_the_watching(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk()
    real, calls = Inbox.waiting, []

    def failing_once(inbox: Inbox) -> list[int]:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError("vera")
        return real(inbox)

    monkeypatch.setattr(Inbox, "waiting", failing_once)
    account.deliver(letter(1))
    with watching(account.settings, desk.handle, desk):
        assert soon(lambda: desk.subjects() == {"letter 1"})
    assert any("ZeroDivisionError" in state.last_trouble for state in desk.states)
    assert not any("vera" in state.last_trouble for state in desk.states)


def test_a_mail_that_is_left_in_the_folder_does_not_spin_the_loop(account: Account) -> None:
    desk = Desk(leaves=b"letter 1\r\n")
    account.deliver(letter(1), letter(2))
    with watching(account.settings, desk.handle, desk):
        time.sleep(3)
    assert 1 <= len(desk.calls) <= 4


def test_surroundings_that_fail_every_batch_stop_the_pass_early(account: Account) -> None:
    desk = Desk(fails_on=b"letter")
    account.deliver(*[letter(number) for number in range(400)])
    with pytest.raises(ValueError, match="the text"):
        watch(account.settings, desk.handle, threading.Event(), True, desk.states.append)
    assert desk.calls == [50, 50, 50]
    assert desk.states[-1].last_success is None


def test_once_raises_the_trouble_of_the_server(account: Account) -> None:
    desk = Desk()
    settings = account.with_settings(password="wrong")
    with pytest.raises(MailboxTrouble, match="login refused"):
        watch(settings, desk.handle, threading.Event(), True, desk.states.append)
    assert desk.states[-1].last_trouble


def test_a_folder_made_anew_while_watching_is_read_from_its_first_mail(
    account: Account, dovecot: Dovecot
) -> None:
    desk = Desk()
    settings = account.with_settings(folder="Privacy", poll_seconds=0.5)
    with Inbox(settings) as inbox:
        inbox._client.append("Privacy", letter(1))
    with watching(settings, desk.handle, desk):
        assert soon(lambda: desk.subjects() == {"letter 1"})
        dovecot.doveadm("mailbox", "delete", "-u", settings.username, "Privacy")
        time.sleep(1.1)  # Dovecot takes UIDVALIDITY from the clock, in seconds
        with Inbox(settings) as inbox:
            inbox._client.append("Privacy", letter(2))
        assert soon(lambda: desk.subjects() == {"letter 1", "letter 2"})
    assert len({mail.location for mail in desk.handed}) == 2


def test_pauses_grow_and_end_at_five_minutes() -> None:
    assert [pause_seconds(failures, 1.0) for failures in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]
    assert pause_seconds(3, 0.0) == 2
