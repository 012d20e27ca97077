"""A mailbox is read in order and in bounds, and mails leave it only for the folder they were meant for."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.mail.inbox import Arrived, Inbox, Mail, MailboxTrouble, TooLarge, Unfetchable
from mailbot.mail.settings import MailboxSettings, Security
from tests.mail.conftest import Account, dovecot_account, letter
from tests.servers.certificates import make_certificates
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.scripted import ScriptedServer


def fetched(inbox: Inbox) -> list[Mail]:
    return [mail for batch in inbox.fetch(inbox.waiting()) for mail in batch]


def subjects(inbox: Inbox) -> list[str]:
    return [mail.raw.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for mail in fetched(inbox)]


def elsewhere(account: Account, folder: str) -> Inbox:
    return Inbox(account.with_settings(folder=folder))


def test_mails_come_in_order_of_their_uids_and_byte_for_byte(any_account: Account) -> None:
    mails = [letter(number) for number in range(120)]
    any_account.deliver(*mails)
    with Inbox(any_account.settings) as inbox:
        batches = list(inbox.fetch(list(reversed(inbox.waiting()))))
        assert [len(batch) for batch in batches] == [50, 50, 20]
        arrived = [mail for batch in batches for mail in batch if isinstance(mail, Arrived)]
        assert [mail.location.uid for mail in arrived] == sorted(inbox.waiting())
        assert all(mail.raw.endswith(expected) for mail, expected in zip(arrived, mails, strict=True))
        assert all(mail.size == len(mail.raw) for mail in arrived)
        assert {mail.location.uidvalidity for mail in arrived} == {inbox.uidvalidity}
        assert all(abs(mail.internal_date.timestamp() - time.time()) < 3600 for mail in arrived)


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: dots\r\n\r\n.\r\n..\r\n. x\r\n",
        b"Subject: literals\r\n\r\n* 1 FETCH (UID 7 BODY[] {3}\r\nabc)\r\n{100}\r\n",
        b"Subject: eight bits \xe9\r\n\r\n\xff\xfe\x80\r\n",
        b"\r\nno header\r\n",
        b"Subject: long line\r\n\r\n" + b"x" * 900_000 + b"\r\n",
    ],
    ids=["dots", "literals", "eight-bits", "no-header", "long-line"],
)
def test_bytes_that_look_like_the_protocol_come_unchanged(dovecot: Dovecot, raw: bytes) -> None:
    account = dovecot_account(dovecot)
    with Inbox(account.settings) as inbox:
        inbox._client.append("INBOX", raw)
        (mail,) = fetched(inbox)
        assert isinstance(mail, Arrived)
        assert mail.raw == raw


def test_fetching_marks_nothing_as_read(account: Account, dovecot: Dovecot) -> None:
    account.deliver(letter(1))
    with Inbox(account.settings) as inbox:
        fetched(inbox)
    flags = dovecot.doveadm("fetch", "-u", account.settings.username, "flags", "mailbox", "INBOX", "ALL")
    assert "Seen" not in flags


def test_a_batch_stays_within_eight_mebibytes(account: Account) -> None:
    account.deliver(*[letter(number, lines=125_000) for number in range(5)])
    with Inbox(account.settings) as inbox:
        batches = list(inbox.fetch(inbox.waiting()))
    assert [len(batch) for batch in batches] == [2, 2, 1]


def test_of_a_mail_above_the_limit_only_the_header_is_read(any_account: Account) -> None:
    head = b"Subject: huge\r\n" + b"X-Padding: " + b"y" * 500 + b"\r\n\r\n"
    any_account.deliver(letter(1), head + b"z" * 78 * 1000 + b"\r\n", letter(2))
    with Inbox(any_account.with_settings(max_message_bytes=50_000)) as inbox:
        first, huge, last = fetched(inbox)
    assert isinstance(first, Arrived)
    assert isinstance(last, Arrived)
    assert isinstance(huge, TooLarge)
    assert huge.head.endswith(head)
    assert huge.size >= 78_000


def test_a_huge_mail_does_not_fill_the_memory(account: Account) -> None:
    account.deliver(b"X-Long: " + b"h" * 900 + b"\r\n" + letter(1, lines=1_000_000))
    with Inbox(account.with_settings(max_message_bytes=1 << 20)) as inbox:
        tracemalloc.start()
        (mail,) = fetched(inbox)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert isinstance(mail, TooLarge)
    assert peak < 2 << 20


def test_uids_that_are_gone_are_passed_over(any_account: Account) -> None:
    any_account.deliver(letter(1), letter(2), letter(3))
    with Inbox(any_account.settings) as inbox:
        uids = inbox.waiting()
        inbox.move(uids[1:2], "Processed")
        found = [mail.location.uid for batch in inbox.fetch([*uids, 4_000_000]) for mail in batch]
        assert found == [uids[0], uids[2]]


def test_a_mail_that_the_server_fails_on_is_unfetchable_and_in_nobodys_way(dovecot: Dovecot) -> None:
    account = dovecot_account(dovecot)
    account.deliver(letter(1), letter(2), letter(3))
    with Inbox(account.settings) as inbox:
        second = inbox.waiting()[1]
    # A maildir file whose name lies about its size: Dovecot gives up on the connection when it is read.
    folder = dovecot.folder / "mail" / account.settings.username
    (path,) = [each for each in folder.glob("*/*,S=*") if b"letter 2" in each.read_bytes()]
    path.write_bytes(path.read_bytes()[:-20])
    with Inbox(account.settings) as inbox:
        first, broken, last = fetched(inbox)
    assert isinstance(first, Arrived)
    assert isinstance(last, Arrived)
    assert isinstance(broken, Unfetchable)
    assert broken.location.uid == second


def test_moved_mails_are_in_the_other_folder_and_only_there(any_account: Account) -> None:
    any_account.deliver(*[letter(number) for number in range(4)])
    with Inbox(any_account.settings) as inbox:
        uids = inbox.waiting()
        inbox.move(uids[::2], "Processed")
        inbox.move(uids[1:2], "Quarantine")
        inbox.move(uids[:3], "Processed")  # all gone: nothing happens
        assert subjects(inbox) == ["letter 3"]
    with elsewhere(any_account, "Processed") as processed:
        assert subjects(processed) == ["letter 0", "letter 2"]
    with elsewhere(any_account, "Quarantine") as quarantine:
        assert subjects(quarantine) == ["letter 1"]


@pytest.fixture(scope="module", params=["IMAP4rev1 IDLE UIDPLUS AUTH=PLAIN", "IMAP4rev1 AUTH=PLAIN"])
def poor_server(request: pytest.FixtureRequest) -> Iterator[Dovecot]:
    """A server without MOVE, then one without UIDPLUS, IDLE and NAMESPACE as well."""
    with Dovecot(capability=request.param) as server:
        yield server


def test_without_move_mails_are_moved_all_the_same(poor_server: Dovecot) -> None:
    account = dovecot_account(poor_server)
    account.deliver(*[letter(number) for number in range(4)])
    with Inbox(account.settings) as inbox:
        uids = inbox.waiting()
        inbox.move([*uids[::2], 999], "Processed")
        inbox.move([*uids[::2], 999], "Processed")
        assert subjects(inbox) == ["letter 1", "letter 3"]
    with elsewhere(account, "Processed") as processed:
        assert subjects(processed) == ["letter 0", "letter 2"]


def test_without_move_a_mail_that_somebody_marked_as_deleted_survives(poor_server: Dovecot) -> None:
    account = dovecot_account(poor_server)
    account.deliver(*[letter(number) for number in range(3)])
    with Inbox(account.settings) as inbox:
        first, second, _ = inbox.waiting()
        inbox._client.add_flags([first], [rb"\Deleted"], silent=True)
        inbox.move([second], "Processed")
        inbox.move([second], "Processed")
        assert "letter 0" in subjects(inbox)
        assert "letter 2" in subjects(inbox)
    with elsewhere(account, "Processed") as processed:
        assert subjects(processed) == ["letter 1"]


def test_new_mail_is_noticed_without_idle(poor_server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.mail.imap_idle.NOOP_EVERY_SECONDS", 0.1)
    account = dovecot_account(poor_server)
    with Inbox(account.settings) as inbox:
        inbox.waiting()
        threading.Timer(0.3, account.deliver, [letter(1)]).start()
        started = time.monotonic()
        inbox.wait(10)
        assert time.monotonic() - started < 3
        assert subjects(inbox) == ["letter 1"]


def test_folders_are_made_below_the_servers_prefix() -> None:
    with Dovecot(prefix="INBOX.") as server:
        account = dovecot_account(server)
        account.deliver(letter(1))
        with Inbox(account.with_settings(processed_folder="Done/Ausgeführt")) as inbox:
            inbox.move(inbox.waiting(), "Done/Ausgeführt")
            assert inbox._client.folder_exists("INBOX.Done.Ausgeführt")
            assert inbox._client.folder_exists("INBOX.Quarantine")
            assert inbox.waiting() == []


def test_a_folder_that_was_removed_meanwhile_is_made_again(account: Account, dovecot: Dovecot) -> None:
    account.deliver(letter(1))
    with Inbox(account.settings) as inbox:
        dovecot.doveadm("mailbox", "delete", "-u", account.settings.username, "Processed")
        inbox.move(inbox.waiting(), "Processed")
        assert inbox.waiting() == []
    with elsewhere(account, "Processed") as processed:
        assert subjects(processed) == ["letter 1"]


def test_a_folder_that_was_made_anew_shows_in_the_location(account: Account, dovecot: Dovecot) -> None:
    inbox = elsewhere(account, "Privacy")
    with inbox:
        inbox._client.append("Privacy", letter(1))
        (before,) = fetched(inbox)
    dovecot.doveadm("mailbox", "delete", "-u", account.settings.username, "Privacy")
    time.sleep(1.1)  # Dovecot takes UIDVALIDITY from the clock, in seconds
    with inbox:
        inbox._client.append("Privacy", letter(2))
        (after,) = fetched(inbox)
    assert before.location.uid == after.location.uid == 1
    assert before.location != after.location


def test_new_mail_is_noticed_within_two_seconds(any_account: Account) -> None:
    with Inbox(any_account.settings) as inbox:
        inbox.waiting()
        threading.Timer(0.5, any_account.deliver, [letter(1)]).start()
        started = time.monotonic()
        inbox.wait(20)
        assert time.monotonic() - started < 2.5
        assert subjects(inbox) == ["letter 1"]


def test_waiting_ends_when_its_time_is_over_or_somebody_says_stop(any_account: Account) -> None:
    stop = threading.Event()
    with Inbox(any_account.settings) as inbox:
        started = time.monotonic()
        inbox.wait(0.7, stop)
        assert 0.6 < time.monotonic() - started < 1.5
        threading.Timer(0.3, stop.set).start()
        inbox.wait(30, stop)
        assert time.monotonic() - started < 3


def test_a_connection_that_is_dropped_while_waiting_is_noticed_at_once(
    account: Account, dovecot: Dovecot
) -> None:
    with Inbox(account.settings) as inbox:
        threading.Timer(0.5, dovecot.kick, [account.settings.username]).start()
        started = time.monotonic()
        with pytest.raises(MailboxTrouble) as trouble:
            inbox.wait(30)
        assert time.monotonic() - started < 3
        assert trouble.value.later
        inbox.connect()
        assert inbox.waiting() == []


def test_a_connection_that_is_dropped_while_fetching_is_taken_up_again(
    account: Account, dovecot: Dovecot
) -> None:
    account.deliver(*[letter(number) for number in range(120)])
    with Inbox(account.settings) as inbox:
        batches = inbox.fetch(inbox.waiting())
        found = len(next(batches))
        dovecot.kick(account.settings.username)
        rest = [mail for batch in batches for mail in batch]
        assert all(isinstance(mail, Arrived) for mail in rest)
        assert found + len(rest) == 120


def test_starttls_protects_the_connection(account: Account, dovecot: Dovecot) -> None:
    settings = account.with_settings(port=dovecot.imap_port, security=Security.STARTTLS)
    with Inbox(settings) as inbox:
        assert "protected by TLS" in inbox.check()[0]
        assert "certificate is valid until 20" in inbox.check()[0]


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_certificate_of_an_unknown_ca_is_refused(
    account: Account, dovecot: Dovecot, tmp_path: Path, security: Security
) -> None:
    stranger = make_certificates(tmp_path, "a stranger's CA")
    port = dovecot.imaps_port if security is Security.TLS else dovecot.imap_port
    for ca_file in (None, stranger.ca):
        settings = account.with_settings(ca_file=ca_file, port=port, security=security)
        with pytest.raises(MailboxTrouble, match=r"not trusted.*ca_file") as trouble:
            Inbox(settings).connect()
        assert not trouble.value.later


def test_clear_text_to_another_machine_is_refused_before_anything_is_sent() -> None:
    settings = MailboxSettings("privacy", "192.0.2.1", 143, Security.NONE, None, "alice", "secret")
    with pytest.raises(MailboxTrouble, match="clear text") as trouble:
        Inbox(settings).connect()
    assert not trouble.value.later


def test_no_password_is_sent_when_the_server_offers_no_starttls() -> None:
    def answer(line: bytes) -> bytes:
        tag = line.split(b" ")[0]
        return b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" + tag + b" OK done\r\n"

    with ScriptedServer(b"* OK hello\r\n", answer) as server:
        settings = MailboxSettings(
            "privacy", "127.0.0.1", server.port, Security.STARTTLS, None, "alice", "secret"
        )
        with pytest.raises(MailboxTrouble, match="no STARTTLS"):
            Inbox(settings).connect()
        assert not [line for line in server.lines if b"LOGIN" in line or b"AUTH" in line]


def test_a_refused_login_says_what_to_check_and_no_secret(account: Account) -> None:
    with pytest.raises(MailboxTrouble, match=r"login refused.*check username and password") as trouble:
        Inbox(account.with_settings(password="wrong")).connect()
    assert not trouble.value.later
    assert account.settings.username not in str(trouble.value)
    assert PASSWORD not in repr(account.settings)


@pytest.mark.parametrize(
    "greeting", [b"", b"* OK hello\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"* BYE go away\r\n"]
)
def test_a_server_that_is_silent_or_no_imap_is_trouble_in_time(greeting: bytes) -> None:
    with ScriptedServer(greeting) as server:
        settings = MailboxSettings(
            "privacy", "127.0.0.1", server.port, Security.NONE, None, "alice", "secret",
            connect_timeout_seconds=0.5, read_timeout_seconds=0.5,
        )  # fmt: skip
        started = time.monotonic()
        with pytest.raises(MailboxTrouble) as trouble:
            Inbox(settings).connect()
        assert trouble.value.later
        assert time.monotonic() - started < 5


def test_a_server_that_goes_silent_in_idle_is_noticed_when_idle_is_left() -> None:
    def answer(line: bytes) -> bytes:
        tag, _, command = line.partition(b" ")
        if command == b"IDLE":
            return b"+ idling\r\n"
        if line == b"DONE":
            return b""
        if command.startswith(b"SELECT"):
            return b"* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n" + tag + b" OK [READ-WRITE] done\r\n"
        if command.startswith(b"LIST"):
            return b'* LIST () "/" "x"\r\n' + tag + b" OK done\r\n"
        return b"* CAPABILITY IMAP4rev1 IDLE\r\n" + tag + b" OK done\r\n"

    with ScriptedServer(b"* OK hello\r\n", answer) as server:
        settings = MailboxSettings(
            "privacy",
            "127.0.0.1",
            server.port,
            Security.NONE,
            None,
            "alice",
            "secret",
            read_timeout_seconds=0.5,
        )
        with Inbox(settings) as inbox:
            started = time.monotonic()
            with pytest.raises(MailboxTrouble, match="no answer in time"):
                inbox.wait(1)
            assert time.monotonic() - started < 3


def test_a_body_in_a_rare_shape_is_read_and_one_that_cannot_be_is_unfetchable() -> None:
    bodies = {b"1": b'* 1 FETCH (UID 1 BODY[] "quoted" INTERNALDATE "17-Jul-2026 02:44:25 +0000")\r\n',
              b"2": b"* 2 FETCH (UID 2 BODY[] NIL)\r\n"}  # fmt: skip

    def answer(line: bytes) -> bytes:
        tag, _, command = line.partition(b" ")
        done = tag + b" OK [READ-WRITE] done\r\n"
        if command.startswith(b"SELECT"):
            return b"* 2 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n" + done
        if b"RFC822.SIZE" in command:
            return b"* 1 FETCH (UID 1 RFC822.SIZE 6)\r\n* 2 FETCH (UID 2 RFC822.SIZE 6)\r\n" + done
        if b"BODY.PEEK" in command:
            return b"".join(bodies[uid] for uid in bodies if uid in command.split()[2]) + done
        known = {
            b"LIST": b'* LIST () "/" "x"\r\n',
            b"UID SEARCH": b"* SEARCH 1 2\r\n",
            b"CAPA": b"* CAPABILITY IMAP4\r\n",
        }
        return b"".join(each for start, each in known.items() if command.startswith(start)) + done

    with ScriptedServer(b"* OK [CAPABILITY IMAP4REV1] hello\r\n", answer) as server:
        settings = MailboxSettings(
            "privacy", "127.0.0.1", server.port, Security.NONE, None, "alice", "secret"
        )
        with Inbox(settings) as inbox:
            read, lost = (mail for batch in inbox.fetch([1, 2]) for mail in batch)
    assert isinstance(read, Arrived)
    assert read.raw == b"quoted"
    assert isinstance(lost, Unfetchable)


def test_what_the_server_can_do_is_said_in_sentences(any_account: Account) -> None:
    with Inbox(any_account.settings) as inbox:
        assert {"MOVE", "IDLE", "UIDPLUS"} <= inbox.capabilities()
        lines = inbox.check()
    assert "mails are moved by MOVE" in lines
    assert "new mail is told by IDLE" in lines
