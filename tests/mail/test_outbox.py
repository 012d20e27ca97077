"""What became of a mail is told truly: sent, to be tried again, or never."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.demo.smtp_sink import SmtpSink
from mailbot.mail.outbox import Later, Refused, Sent, SmtpConnection
from mailbot.mail.rate import RateLimit
from mailbot.mail.settings import Security, SmtpSettings
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.scripted import ScriptedServer

BOUNCES = "bounces+t0@mailbot.example"
MAIL = b"Subject: answer\r\n\r\nDone.\r\n"


def settings_for(port: int, security: Security = Security.NONE, **changes: object) -> SmtpSettings:
    values: dict[str, object] = {"username": "", "password": "", "ca_file": None, "timeout_seconds": 5}
    values |= {"host": "127.0.0.1", "port": port, "security": security, "max_per_minute": 1_000_000}
    return SmtpSettings(**(values | changes))  # type: ignore[arg-type]  # fields of SmtpSettings


def smtp_answer(line: bytes) -> bytes:
    """What a server that takes everything says to a line of `MAIL` or a command."""
    if line.upper() == b"DATA":
        return b"354 go on\r\n"
    return b"" if line in MAIL.split(b"\r\n") else b"250 ok\r\n"


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture
def connection(sink: SmtpSink) -> Iterator[SmtpConnection]:
    with SmtpConnection(settings_for(sink.port)) as open_connection:
        yield open_connection


def test_a_mail_arrives_with_its_envelope_and_byte_for_byte(
    sink: SmtpSink, connection: SmtpConnection
) -> None:
    raw = b"Subject: dots\r\n\r\n.\r\n..x\r\n\xc3\xa9 without an end of line"
    assert connection.send(BOUNCES, "alice@users.example", raw) == Sent()
    (mail,) = sink.mails
    assert (mail.envelope_from, mail.recipients, mail.raw) == (
        BOUNCES,
        ("alice@users.example",),
        raw + b"\r\n",
    )


def test_the_null_sender_stays_null(sink: SmtpSink, connection: SmtpConnection) -> None:
    assert connection.send("", "alice@users.example", MAIL) == Sent()
    assert sink.mails[0].envelope_from == ""


def test_one_connection_serves_many_mails_and_not_too_many(sink: SmtpSink) -> None:
    with SmtpConnection(settings_for(sink.port), mails_a_connection=10) as connection:
        assert [connection.send(BOUNCES, "alice@users.example", MAIL) for _ in range(25)] == [Sent()] * 25
    assert sink.connections == 3


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("550 5.1.1 no vera@visitors.example here", Refused("recipient refused: 550 5.1.1", 550)),
        ("450 4.2.0 greylisted", Later("recipient refused: 450 4.2.0", 450)),
        ("452 full", Later("recipient refused: 452", 452)),
        ("552 too many", Later("recipient refused: 552", 552)),
    ],
)
def test_a_refused_recipient_is_told_by_its_code_and_harms_nobody_else(
    sink: SmtpSink, connection: SmtpConnection, answer: str, outcome: Later | Refused
) -> None:
    sink.answers["vera@visitors.example"] = answer
    assert connection.send(BOUNCES, "vera@visitors.example", MAIL) == outcome
    assert connection.send(BOUNCES, "alice@users.example", MAIL) == Sent()
    assert sink.connections == 1
    assert [mail.recipients for mail in sink.mails] == [("alice@users.example",)]


@pytest.mark.parametrize(("answer", "kind"), [("554 5.7.1 spam", Refused), ("451 4.3.0 disk", Later)])
def test_refused_content_is_told_by_its_code(
    sink: SmtpSink, connection: SmtpConnection, answer: str, kind: type[Later | Refused]
) -> None:
    sink.content_answers["vera@visitors.example"] = answer
    outcome = connection.send(BOUNCES, "vera@visitors.example", MAIL)
    assert isinstance(outcome, kind)
    assert outcome.reason == f"content refused: {answer[:9]}"
    assert connection.send(BOUNCES, "alice@users.example", MAIL) == Sent()


@pytest.mark.parametrize(
    "address",
    [
        "alice@x.example\r\nRCPT TO:<mallory@x.example>",
        "a@x.example> SIZE=1",
        "a b@x.example",
        "alice",
        "a@x\0.example",
    ],
)
def test_an_address_cannot_smuggle_commands(sink: SmtpSink, connection: SmtpConnection, address: str) -> None:
    assert isinstance(connection.send(BOUNCES, address, MAIL), Refused)
    assert sink.mails == []


def test_bare_line_ends_cannot_smuggle_a_second_mail(sink: SmtpSink, connection: SmtpConnection) -> None:
    raw = b"Subject: x\r\n\r\nhello\n.\nMAIL FROM:<mallory@x.example>\r.\r\nend\r\n"
    assert connection.send(BOUNCES, "alice@users.example", raw) == Sent()
    (mail,) = sink.mails
    assert mail.raw == raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def test_an_international_address_needs_a_server_that_takes_it(
    sink: SmtpSink, connection: SmtpConnection
) -> None:
    assert connection.send(BOUNCES, "žana@users.example", MAIL) == Sent()
    assert sink.mails[0].recipients == ("žana@users.example",)
    with SmtpSink(utf8=False) as old, SmtpConnection(settings_for(old.port)) as to_old:
        assert isinstance(to_old.send(BOUNCES, "žana@users.example", MAIL), Refused)
        assert to_old.send(BOUNCES, "alice@users.example", MAIL) == Sent()


def test_nobody_listening_is_later_with_the_mend() -> None:
    with SmtpSink() as gone:
        port = gone.port
    outcome = SmtpConnection(settings_for(port)).send(BOUNCES, "alice@users.example", MAIL)
    assert isinstance(outcome, Later)
    assert "check host and port" in outcome.reason


def test_a_server_that_refuses_us_is_not_the_fault_of_the_mail() -> None:
    with ScriptedServer(b"554 5.7.1 your address is on a list\r\n") as server:
        outcome = SmtpConnection(settings_for(server.port)).send(BOUNCES, "alice@users.example", MAIL)
    assert isinstance(outcome, Later)
    assert outcome.code == 554


def test_a_server_that_wants_a_login_is_not_the_fault_of_the_mail() -> None:
    with (
        SmtpSink(login=("mailbot", "secret")) as server,
        SmtpConnection(settings_for(server.port)) as connection,
    ):
        outcome = connection.send(BOUNCES, "alice@users.example", MAIL)
    assert outcome == Later("sender refused: 530 5.7.0", 530)


def test_a_silent_server_is_later_in_time() -> None:
    with ScriptedServer(b"220 hello\r\n") as server:
        connection = SmtpConnection(settings_for(server.port, timeout_seconds=0.3))
        outcome = connection.send(BOUNCES, "alice@users.example", MAIL)
    assert isinstance(outcome, Later)
    assert "no answer in time" in outcome.reason


def test_a_connection_lost_after_the_content_is_later_and_not_sent_twice_by_itself() -> None:
    def answer(line: bytes) -> bytes | None:
        return None if line == b"." else smtp_answer(line)

    with ScriptedServer(b"220 hello\r\n", answer) as server:
        outcome = SmtpConnection(settings_for(server.port)).send(BOUNCES, "alice@users.example", MAIL)
        assert server.lines.count(b"data") == 1
    assert isinstance(outcome, Later)


def test_a_connection_that_the_server_closed_in_between_is_opened_again() -> None:
    taken = 0

    def answer(line: bytes) -> bytes | None:
        nonlocal taken
        if line == b".":
            taken += 1
        if line.startswith(b"MAIL") and taken == 1:
            taken += 1
            return b"421 4.4.2 idle too long\r\n"
        return smtp_answer(line)

    with (
        ScriptedServer(b"220 hello\r\n", answer) as server,
        SmtpConnection(settings_for(server.port)) as connection,
    ):
        assert connection.send(BOUNCES, "alice@users.example", MAIL) == Sent()
        assert connection.send(BOUNCES, "alice@users.example", MAIL) == Sent()
        assert server.lines.count(b"data") == 2


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("smtp"))


def server_context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server, certificates.key)
    return context


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_protected_connection_checks_the_certificate_and_logs_in(
    certificates: Certificates, security: Security
) -> None:
    implicit = security is Security.TLS
    login = ("mailbot", "sécret")
    with SmtpSink(tls=server_context(certificates), implicit_tls=implicit, login=login) as server:
        good = settings_for(
            server.port, security, ca_file=certificates.ca, username=login[0], password=login[1]
        )
        with SmtpConnection(good) as connection:
            assert connection.send(BOUNCES, "alice@users.example", MAIL) == Sent()
            assert "protected by TLS" in connection.check()[0]
        stranger = SmtpConnection(settings_for(server.port, security, username=login[0], password=login[1]))
        outcome = stranger.send(BOUNCES, "alice@users.example", MAIL)
        assert isinstance(outcome, Later)
        assert "not trusted" in outcome.reason
        wrong = settings_for(
            server.port, security, ca_file=certificates.ca, username=login[0], password="wrong"
        )
        refused = SmtpConnection(wrong).send(BOUNCES, "alice@users.example", MAIL)
        assert isinstance(refused, Later)
        assert "check username and password" in refused.reason
        assert len(server.mails) == 1


def test_starttls_never_falls_back_to_clear_text(sink: SmtpSink) -> None:
    settings = settings_for(sink.port, Security.STARTTLS, username="mailbot", password="secret")
    outcome = SmtpConnection(settings).send(BOUNCES, "alice@users.example", MAIL)
    assert isinstance(outcome, Later)
    assert "STARTTLS" in outcome.reason
    assert sink.mails == []


def test_clear_text_to_another_machine_is_refused() -> None:
    settings = settings_for(25, host="192.0.2.1")
    outcome = SmtpConnection(settings).send(BOUNCES, "alice@users.example", MAIL)
    assert isinstance(outcome, Later)
    assert "clear text" in outcome.reason
    with pytest.raises(ConnectionError, match="clear text"):
        SmtpConnection(settings).check()


def test_a_ca_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    settings = settings_for(25, Security.TLS, ca_file=tmp_path / "missing.pem")
    assert isinstance(SmtpConnection(settings).send(BOUNCES, "alice@users.example", MAIL), Later)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("per_minute", [1, 7, 60, 600])
def test_no_minute_sees_more_mails_than_allowed(per_minute: int) -> None:
    clock = Clock()
    rate = RateLimit(per_minute, clock, clock.sleep)
    times = []
    for number in range(per_minute * 5):
        if number == per_minute * 2:
            clock.now += 600  # a quiet time does not earn a bigger burst
        rate.take()
        times.append(clock.now)
    for start in times:
        assert sum(start <= each < start + 59.9 for each in times) <= per_minute + 1
    assert times[-1] - times[0] < 600 + 60 * 7
