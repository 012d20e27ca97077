"""Recipients of the data are told of deletions and corrections (GDPR Art. 19): each once, each for itself."""

from __future__ import annotations

import base64
import hmac
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from mailbot.config import ConfigTrouble, parse_config
from mailbot.core.token import Purpose
from mailbot.demo.smtp_sink import SmtpSink
from mailbot.store import tokens
from mailbot.store.tables import LedgerEntry, ToldRecipient
from tests.processes import start, take_in_and_work
from tests.servers.certificates import make_certificates
from tests.servers.recipient_server import RecipientServer
from tests.world import CAMILLE, DELETE_EN, JUERGEN, Builder, Clock, World, config_data, opened, plain

SECRET = base64.b64encode(b"twenty-four bytes at least").decode()
MOST_STEPS = 60
NAME = "Bitte korrigieren Sie meinen Namen: Jürgen Müller-Lüdenscheidt statt Jürgen Müller.\n"
PROCESSOR = "privacy@mailer.example"


@pytest.fixture(autouse=True)
def _nothing_sent_before(builder: Builder) -> None:
    builder.smtp.clear()
    builder.smtp.answers.clear()


@pytest.fixture
def server() -> Iterator[RecipientServer]:
    with RecipientServer() as running:
        yield running


def webhook(server: RecipientServer, name: str = "Mailer Ltd", **more: Any) -> dict[str, Any]:
    return {"name": name, "channel": "webhook", "url": server.url, "secret_file": "hook.secret", **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hook.secret").write_text(f"whsec_{SECRET}\n", encoding="utf-8")
    (tmp_path / "dsr.authorization").write_text("Bearer s3cret", encoding="utf-8")
    return tmp_path


def delete_camille(world: World) -> None:
    world.write(CAMILLE, "Delete my account", DELETE_EN)
    world.confirm(CAMILLE)


def rows(world: World) -> dict[str, ToldRecipient]:
    with world.app.store.read() as tx:
        return {one.recipient: one for one in tx.session.exec(select(ToldRecipient))}


def logged(world: World) -> list[tuple[str, str]]:
    with world.app.store.read() as tx:
        found = tx.session.exec(select(LedgerEntry).order_by(LedgerEntry.sequence)).all()  # type: ignore[arg-type]  # a column
        return [(one.action, str(one.details["recipient"])) for one in found if "recipient" in one.details]


def test_a_deletion_is_told_by_a_signed_webhook_that_says_no_more_than_who(
    builder: Builder, folder: Path, server: RecipientServer
) -> None:
    with builder.world(folder, more={"recipient": [webhook(server)]}) as world:
        delete_camille(world)

        (taken,) = server.taken
        assert taken.json["type"] == "person.deleted"
        assert taken.json["data"]["identifiers"] == [{"type": "email", "value": CAMILLE}]
        assert set(taken.json["data"]) == {"id", "identifiers", "asked_at"}
        assert "@" not in taken.path
        number, stamp = taken.headers["webhook-id"], taken.headers["webhook-timestamp"]
        signed = f"{number}.{stamp}.".encode() + taken.body
        digest = base64.b64encode(hmac.digest(base64.b64decode(SECRET), signed, "sha256")).decode()
        assert taken.headers["webhook-signature"] == f"v1,{digest}"
        assert number == taken.headers["idempotency-key"] == taken.json["data"]["id"]

        row = rows(world)["Mailer Ltd"]
        assert (row.state, str(row.id), row.sealed_content) == ("told", number, None)
        assert logged(world) == [("recipient_told", "Mailer Ltd")]


def test_the_person_hears_in_the_letter_who_is_told(
    builder: Builder, folder: Path, server: RecipientServer
) -> None:
    with builder.world(folder, more={"recipient": [webhook(server)]}) as world:
        delete_camille(world)
        assert "Mailer Ltd" in plain(world.letters(CAMILLE)[-1])


def test_an_opendsr_request_has_the_shape_of_its_specification(
    builder: Builder, folder: Path, server: RecipientServer
) -> None:
    recipient = {
        "name": "Counter",
        "channel": "opendsr",
        "url": server.url,
        "authorization_file": "dsr.authorization",
    }
    with builder.world(folder, more={"recipient": [recipient]}) as world:
        delete_camille(world)
        (taken,) = server.taken
        said = taken.json
        assert UUID(said.pop("subject_request_id")).version == 4
        assert said.pop("submitted_time").endswith("Z")
        assert said == {
            "regulation": "gdpr",
            "subject_request_type": "erasure",
            "subject_identities": [
                {"identity_type": "email", "identity_value": CAMILLE, "identity_format": "raw"}
            ],
            "api_version": "1.0",
        }
        assert taken.headers["authorization"] == "Bearer s3cret"


def test_a_processor_is_told_by_mail_in_its_language_without_the_persons_words(
    builder: Builder, folder: Path
) -> None:
    recipient = {"name": "Mailer Ltd", "channel": "mail", "address": PROCESSOR, "language": "de"}
    with builder.world(folder, more={"recipient": [recipient]}) as world:
        delete_camille(world)
        (letter,) = world.letters(PROCESSOR)
        assert str(letter["Subject"]).startswith("Bitte löschen Sie die Daten dieser Person")
        assert CAMILLE in plain(letter)
        assert "A customer" not in plain(letter)
        assert rows(world)["Mailer Ltd"].state == "told"
        assert logged(world) == [("recipient_told", "Mailer Ltd")]


def test_a_correction_is_told_with_the_new_values_of_what_the_recipient_had(
    builder: Builder, folder: Path, server: RecipientServer
) -> None:
    recipients = [webhook(server), webhook(server, "Elsewhere", categories=["6"])]
    with builder.world(folder, more={"recipient": recipients}) as world:
        world.write(JUERGEN, "Name", NAME)
        world.confirm(JUERGEN, name="Jürgen Müller-Lüdenscheidt")
        assert [one.json["type"] for one in server.taken] == ["person.corrected"]
        assert [one.json["data"]["fields"] for one in server.taken] == [
            {"name": "Jürgen Müller-Lüdenscheidt"}
        ]
        assert set(rows(world)) == {"Mailer Ltd"}


def test_each_is_told_for_itself_however_the_others_fare(
    builder: Builder, folder: Path, server: RecipientServer
) -> None:
    with RecipientServer() as other:
        server.faults += [503, "hang up", (429, {"Retry-After": "7200"})]
        recipients = [webhook(server, "Slow"), webhook(other, "Quick")]
        with builder.world(folder, more={"recipient": recipients}) as world:
            delete_camille(world)
            assert {name: row.state for name, row in rows(world).items()} == {
                "Slow": "waiting",
                "Quick": "told",
            }
            for _ in range(2):
                world.clock.forward(minutes=30)
                world.work()
            assert len(server.taken) == 3
            world.clock.forward(hours=1)
            world.work()
            assert len(server.taken) == 3, "429 with Retry-After is honoured"
            world.clock.forward(hours=1, minutes=1)
            world.work()
            assert rows(world)["Slow"].state == "told"
            assert len({one.headers["idempotency-key"] for one in server.taken}) == 1
            assert len({one.body for one in server.taken}) == 1
            assert len(other.taken) == 1
            assert world.states(CAMILLE) == [("deletion", "done")]


def test_one_that_refuses_is_a_line_in_the_staff_queue_and_is_told_when_staff_say_so(
    builder: Builder, folder: Path, server: RecipientServer
) -> None:
    server.faults += [401]
    with builder.world(folder, more={"recipient": [webhook(server)]}) as world:
        delete_camille(world)
        request = world.the_request(CAMILLE)
        assert (request.state, request.reason) == (
            "untold",
            "the recipient 'Mailer Ltd' could not be told: answers 401",
        )
        world.staff(CAMILLE, "approve")
        world.work()
        assert world.states(CAMILLE) == [("deletion", "done")]
        assert len({one.headers["idempotency-key"] for one in server.taken}) == 1
        assert logged(world) == [("recipient_not_told", "Mailer Ltd"), ("recipient_told", "Mailer Ltd")]
        assert len([one for one in world.letters(CAMILLE) if "Mailer Ltd" in plain(one)]) == 1


def test_one_that_is_down_for_days_is_given_up_and_shown_to_staff(
    builder: Builder, folder: Path, server: RecipientServer
) -> None:
    server.faults += [500] * 12
    with builder.world(folder, more={"recipient": [webhook(server)]}) as world:
        delete_camille(world)
        for _ in range(12):
            world.clock.forward(hours=6)
            world.work()
        assert len(server.taken) == 12
        assert world.states(CAMILLE) == [("deletion", "untold")]
        world.staff(CAMILLE, "dismiss", reason="told them by telephone")
        assert world.states(CAMILLE) == [("deletion", "done")]


def test_redirects_are_not_followed(builder: Builder, folder: Path, server: RecipientServer) -> None:
    with RecipientServer() as elsewhere:
        server.faults += [(307, {"Location": elsewhere.url})]
        with builder.world(folder, more={"recipient": [webhook(server)]}) as world:
            delete_camille(world)
            assert elsewhere.taken == []
            assert world.states(CAMILLE) == [("deletion", "untold")]


def test_the_certificate_of_a_recipient_is_verified(builder: Builder, folder: Path) -> None:
    (folder / "tls").mkdir()
    certificates = make_certificates(folder / "tls")
    with RecipientServer(certificates=certificates) as server:
        known = webhook(server, "Known", ca_file=str(certificates.ca))
        recipients = [known, webhook(server, "Unknown")]
        with builder.world(folder, more={"recipient": recipients}) as world:
            delete_camille(world)
            assert len(server.taken) == 1
            states = {name: (row.state, row.last_answer) for name, row in rows(world).items()}
            assert states == {"Known": ("told", ""), "Unknown": ("waiting", "cannot be reached (SSLError)")}


def test_the_persons_own_page_says_who_is_told_and_who_has_been(
    builder: Builder, folder: Path, server: RecipientServer
) -> None:
    server.faults += [503]
    recipients = [webhook(server, "Slow"), {"name": "By mail", "channel": "mail", "address": PROCESSOR}]
    with builder.world(folder, more={"recipient": recipients}) as world:
        delete_camille(world)
        with world.app.store.begin() as tx:
            case = world.requests(CAMILLE)[0][0]
            token = tokens.mint(
                tx, Purpose.STATUS, case_id=case.id, address=CAMILLE, days=1, now=world.clock.now
            )
        view = world.app.status.view(token, world.clock.now)
        assert view is not None
        assert view.requests[0].told == (("By mail", True), ("Slow", False))
        page = world.client.get(f"/case/{token}").text
        assert "Slow" in page
        assert "By mail" in page


def test_a_processors_mail_server_that_refuses_is_a_line_in_the_staff_queue(
    builder: Builder, folder: Path
) -> None:
    recipient = {"name": "Mailer Ltd", "channel": "mail", "address": "gone@mailer.example"}
    with builder.world(folder, more={"recipient": [recipient]}) as world:
        world.smtp.answers["gone@mailer.example"] = "550 5.1.1 no such user"
        delete_camille(world)
        assert world.states(CAMILLE) == [("deletion", "untold")]
        assert rows(world)["Mailer Ltd"].state == "failed"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"channel": "webhook", "url": "http://mailer.example/", "secret_file": "hook.secret"}, "https://"),
        ({"channel": "webhook", "url": "https://mailer.example/"}, "secret_file"),
        ({"channel": "opendsr", "url": "https://a.example/", "tells": ["correction"]}, "no corrections"),
        ({"channel": "mail"}, "address"),
        ({"channel": "fax"}, "channel"),
    ],
)
def test_a_recipient_that_cannot_be_told_is_named_in_the_configuration(
    folder: Path, table: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigTrouble, match=said):
        parse_config({"recipient": [{"name": "x", **table}]}, folder / "config.toml")


def test_a_short_signing_secret_is_refused_with_the_mend(folder: Path) -> None:
    (folder / "hook.secret").write_text("c2hvcnQ=", encoding="utf-8")
    table = {"name": "x", "channel": "webhook", "url": "https://a.example/", "secret_file": "hook.secret"}
    config = parse_config({"recipient": [table]}, folder / "config.toml")
    with pytest.raises(ConfigTrouble, match="openssl rand"):
        config.recipients()


def test_killed_at_each_step_of_telling_the_redo_is_the_same_request(
    builder: Builder, folder: Path, server: RecipientServer
) -> None:
    before = folder / "before"
    before.mkdir()
    shutil.copy(folder / "hook.secret", before)
    recipients = [webhook(server), {"name": "By mail", "channel": "mail", "address": PROCESSOR}]
    with builder.world(before, more={"recipient": recipients}) as world:
        world.write(CAMILLE, "Delete my account", DELETE_EN)
        world.press(world.newest_link(CAMILLE, "/c/"), "confirm")
    step = 0
    while not _killed_at(step := step + 1, builder, before, recipients, world.clock, server):
        assert step < MOST_STEPS
    assert step > 10, "the hooks of this test do not fit the program any more"


def _killed_at(
    step: int,
    builder: Builder,
    before: Path,
    recipients: list[dict[str, Any]],
    now: Clock,
    server: RecipientServer,
) -> bool:
    """A process dies at `step` and another goes on; True when it ended before it came to that step."""
    folder = before.with_name(f"step{step}")
    shutil.copytree(before, folder)
    server.taken.clear()
    with SmtpSink() as smtp:
        data = {**config_data(folder, smtp, builder.dns, None), "recipient": recipients}
        process = start(folder, data, now.now, die_at=step)
        process.join(120)
        assert process.exitcode in (0, -signal.SIGKILL), f"step {step}: {process.exitcode}"
        later = Clock(now.now)
        later.forward(minutes=6)  # longer than any lease
        with opened(folder, data, later, builder) as app:
            take_in_and_work(app)
            world = World(folder, data, app, later, smtp, builder.dns, None)
            assert {name: row.state for name, row in rows(world).items()} == {
                "Mailer Ltd": "told",
                "By mail": "told",
            }, step
            assert Counter(logged(world)) == {
                ("recipient_told", "Mailer Ltd"): 1,
                ("recipient_told", "By mail"): 1,
            }, step
            assert len({one.body for one in server.taken}) == 1, step
            assert 1 <= len(server.taken) <= 2, step
            assert len({str(one["Message-ID"]) for one in world.letters(PROCESSOR)}) == 1, step
            assert world.states(CAMILLE) == [("deletion", "done")], step
    return process.exitcode == 0
