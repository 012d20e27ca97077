"""A complete mailbot with everything around it: mailbox, SMTP sink, DNS, demo platform, a clock that is moved."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import dkim
from imapclient import IMAPClient
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel, col, select
from starlette.testclient import TestClient

from mailbot.app import App, build_app
from mailbot.config import parse_config
from mailbot.core.address import domain_of
from mailbot.core.workflow import OPEN_STATES
from mailbot.demo.imap_server import EmbeddedImap
from mailbot.demo.people import PERSONAS
from mailbot.demo.smtp_sink import SinkMail, SmtpSink
from mailbot.demo.stub_dns import StubDns
from mailbot.demo.world import BOUNCES, PRIVACY, signing_key, write_files, zone_of
from mailbot.knowledge import load_knowledge, own_addresses
from mailbot.reading import Knowledge
from mailbot.service import Service, Summary
from mailbot.store import cases, staff
from mailbot.store.messages import Incoming, Place
from mailbot.store.tables import Case, Request, StaffSession
from mailbot.web.site import create_site
from tests.servers.dovecot import PASSWORD, Dovecot

START = datetime.now(UTC).replace(microsecond=0)
"""Servers stamp mail with the real time, so the movable clock starts there."""

ALICE, VERA, HUGO = (PERSONAS[role].address for role in ("user_and_visitor", "visitor", "host"))
CAMILLE, JUERGEN, EMILY = (
    PERSONAS[role].address for role in ("delete_account", "correct_name", "newsletter")
)
SOPHIE, INGRID = (PERSONAS[role].address for role in ("two_things", "host_ask"))
MALLORY = "mallory@forge.example"
STAN, STAN_PASSWORD = "stan", "correct horse battery"
WEB = "http://privacy.test"

DELETE_EN = "Hello,\n\nplease delete my account and all my personal data.\n\nKind regards\nA customer\n"
"""A deletion as anybody may write it; the signature names nobody."""


@cache
def keys() -> tuple[bytes, str]:
    """One signing key for the whole run and its DNS record."""
    return signing_key()


class Clock:
    """The time, moved by hand."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time it shows."""
        return self.now

    def forward(self, **much: float) -> datetime:
        """So much later (as timedelta takes it)."""
        self.now += timedelta(**much)
        return self.now


class Box(Protocol):
    """A mailbox on a server, from the side of those who write to it and of those who look into it."""

    def table(self, folder: Path) -> dict[str, Any]:
        """Its [[mailbox]] in config.toml; secrets are written to `folder`."""

    def deliver(self, *raws: bytes) -> None:
        """The mails lie in INBOX."""

    def raws(self, folder: str) -> list[bytes]:
        """The mails in a folder, in order."""


@dataclass
class DovecotBox:
    """A user's mailbox on the private Dovecot; mail comes by LMTP."""

    server: Dovecot
    user: str

    def table(self, folder: Path) -> dict[str, Any]:
        """See Box."""
        (folder / "imap.password").write_text(PASSWORD, encoding="utf-8")
        return {
            "name": "privacy",
            "host": "127.0.0.1",
            "port": self.server.imaps_port,
            "security": "tls",
            "ca_file": str(self.server.certificates.ca),
            "username": self.user,
            "password_file": "imap.password",
        }

    def deliver(self, *raws: bytes) -> None:
        """See Box."""
        self.server.deliver(self.user, *raws)

    def raws(self, folder: str) -> list[bytes]:
        """See Box."""
        with self._logged_in() as client:
            return _raws(client, folder)

    def append(self, *raws: bytes) -> None:
        """The very bytes lie in INBOX: LMTP would put lines above each."""
        with self._logged_in() as client:
            for raw in raws:
                client.append("INBOX", raw)

    def _logged_in(self) -> IMAPClient:
        client = IMAPClient("127.0.0.1", self.server.imap_port, ssl=False, timeout=20)
        client.plain_login(self.user, PASSWORD)
        return client


@dataclass
class PymapBox:
    """The demo's mailbox in this process."""

    server: EmbeddedImap

    def table(self, folder: Path) -> dict[str, Any]:
        """See Box."""
        (folder / "imap.password").write_text(self.server.password, encoding="utf-8")
        return {
            "name": "privacy",
            "host": "127.0.0.1",
            "port": self.server.port,
            "security": "none",
            "username": self.server.user,
            "password_file": "imap.password",
        }

    def deliver(self, *raws: bytes) -> None:
        """See Box."""
        self.server.deliver(*raws)

    def raws(self, folder: str) -> list[bytes]:
        """See Box."""
        with IMAPClient("127.0.0.1", self.server.port, ssl=False, timeout=20) as client:
            client.login(self.server.user, self.server.password)
            return _raws(client, folder)


def _raws(client: IMAPClient, folder: str) -> list[bytes]:
    if not client.folder_exists(folder):
        return []
    client.select_folder(folder, readonly=True)
    uids = client.search("ALL")
    found = client.fetch(uids, ["BODY.PEEK[]"]) if uids else {}
    return [bytes(found[uid][b"BODY[]"]) for uid in sorted(found)]


@dataclass
class World:
    """One mailbot and its surroundings. Without `box` mails are handed to the intake by `take`."""

    folder: Path
    config_data: dict[str, Any]
    app: App
    clock: Clock
    smtp: SmtpSink
    dns: StubDns
    box: Box | None
    client: TestClient = field(init=False)
    taken: int = 0

    def __post_init__(self) -> None:
        site = create_site(self.app.parts(Service(self.app).health))
        self.client = TestClient(site, base_url=WEB, follow_redirects=False)

    # ---- mail in ------------------------------------------------------------------------------------

    def letter(
        self,
        sender: str,
        subject: str,
        body: str,
        *,
        to: str = PRIVACY,
        signed: bool = True,
        headers: Mapping[str, str] | None = None,
        message_id: str = "",
        name: str = "",
    ) -> bytes:
        """A mail as the sender's program makes it, signed by the sender's domain."""
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"] = f'"{name}" <{sender}>' if name else sender
        mail["To"], mail["Subject"] = to, subject
        mail["Date"] = format_datetime(self.clock.now)
        mail["Message-ID"] = message_id or make_msgid(domain=domain_of(sender))
        for header, value in (headers or {}).items():
            mail[header] = value
        mail.set_content(body)
        return self.signed(mail.as_bytes(), sender) if signed else mail.as_bytes()

    def signed(self, raw: bytes, sender: str) -> bytes:
        """`raw` with the DKIM signature of the sender's domain."""
        private, record = keys()
        domain = domain_of(sender)
        self.dns.zone.setdefault(f"demo._domainkey.{domain}", {"TXT": [record]})
        return bytes(dkim.sign(raw, b"demo", domain.encode(), private)) + raw

    def take(self, *raws: bytes) -> list[str]:
        """The mails are taken in as one batch, each from a place of its own; their dispositions."""
        incomings = []
        for raw in raws:
            self.taken += 1
            incomings.append(Incoming(raw, self.clock.now, "imap", Place("privacy", 1, self.taken)))
        found = self.app.receive.take(incomings)
        return [found[one.place] for one in incomings if one.place]

    def work(self) -> Summary:
        """Everything that is due is done: clock, changes, letters."""
        return Service(self.app).run_once(("mail", "schedule"))

    def write(self, sender: str, subject: str, body: str, **more: Any) -> bytes:
        """A mail is written, taken in, and all that follows at once is done."""
        raw = self.letter(sender, subject, body, **more)
        if self.box:
            self.box.deliver(raw)
        else:
            self.take(raw)
        self.work()
        return raw

    # ---- mail out -----------------------------------------------------------------------------------

    def letters(self, address: str) -> list[EmailMessage]:
        """What was really sent to `address`, oldest first."""
        return [parsed(mail.raw) for mail in self.smtp.mails_for(address)]

    def sent(self) -> list[SinkMail]:
        """Everything that was really sent."""
        return list(self.smtp.mails)

    def link(self, mail: EmailMessage, path: str) -> str:
        """The path of the first link of this kind in the mail's plain text."""
        start = f"{WEB}{path}"
        word = next(word for word in plain(mail).split() if word.startswith(start))
        return urlsplit(word).path

    def newest_link(self, address: str, path: str) -> str:
        """The link of this kind in the newest mail to `address` that has one."""
        for mail in reversed(self.letters(address)):
            if f"{WEB}{path}" in plain(mail):
                return self.link(mail, path)
        raise LookupError(f"no mail with a link {path}")

    # ---- pages --------------------------------------------------------------------------------------

    def press(self, path: str, action: str, **edited: str) -> Any:
        """The page is opened, fields are edited by their name, a button is pressed."""
        page = self.client.get(path)
        assert page.status_code == 200, page.status_code
        form = LexborHTMLParser(page.text).css_first("main form")
        assert form is not None
        sent = {
            node.attributes["name"]: node.attributes.get("value") or ""
            for node in form.css("input[name]")
            if "disabled" not in node.attributes
        }
        for name, value in edited.items():
            field_name = next(one for one in sent if one.rpartition(".")[2] == name)
            sent[field_name] = value
        target = form.attributes.get("action") or path
        return self.client.post(target, data={**sent, "action": action})

    def confirm(self, address: str, **edited: str) -> None:
        """`address` opens the link it was sent and says yes; what follows is done."""
        answer = self.press(self.newest_link(address, "/c/"), "confirm", **edited)
        assert answer.status_code == 200, answer.text
        self.work()

    def staff(self, address: str, action: str, **form: str) -> Any:
        """Stan, logged in, decides about the last open request of an address."""
        with self.app.store.begin() as tx:
            if staff.by_name(tx, STAN) is None:
                staff.add(tx, STAN, STAN_PASSWORD, role="admin", agreement=date.today(), now=self.clock.now)
        self.client.post("/staff/login", data={"name": STAN, "password": STAN_PASSWORD})
        with self.app.store.read() as tx:
            csrf = tx.session.exec(select(StaffSession).order_by(col(StaffSession.created_at))).all()[-1].csrf
        case, request = [one for one in self.requests(address) if one[1].state in OPEN_STATES][-1]
        path = f"/staff/case/{case.reference}"
        self.client.post(f"{path}/open", data={"csrf": csrf})
        return self.client.post(f"{path}/{request.id}/{action}", data={**form, "csrf": csrf})

    # ---- what is stored -----------------------------------------------------------------------------

    def requests(self, address: str) -> list[tuple[Case, Request]]:
        """Every request of every case of an address, as stored."""
        with self.app.store.read() as tx:
            found = cases.of_address(tx, address)
            return [(case, one) for case in found for one in cases.requests_of(tx, case.id)]

    def states(self, address: str) -> list[tuple[str, str]]:
        """(kind, state) of every request of an address."""
        return [(request.kind, request.state) for _, request in self.requests(address)]

    def the_request(self, address: str) -> Request:
        """The only request of an address."""
        ((_, request),) = self.requests(address)
        return request

    def platform(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """Rows of the platform's database."""
        engine = create_engine(self.app.config.platform_url())
        with engine.begin() as connection:
            answer = connection.execute(text(query), values)
            rows = [tuple(row) for row in answer] if answer.returns_rows else []
        engine.dispose()
        return rows

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of mailbot's own database."""
        with self.app.store.engine.connect() as connection:
            return {
                table.name: sorted(map(dict, connection.execute(table.select()).mappings()), key=repr)
                for table in SQLModel.metadata.sorted_tables
            }


def plain(mail: EmailMessage) -> str:
    """The text part."""
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body else ""


def parsed(raw: bytes) -> EmailMessage:
    """A mail that was sent."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


@dataclass
class Builder:
    """Builds worlds quickly: what does not change is made once."""

    template: Path
    smtp: SmtpSink
    dns: StubDns
    knowledge: Knowledge | None = None

    @contextmanager
    def world(
        self,
        folder: Path,
        *,
        box: Box | None = None,
        database: str = "",
        clock: Clock | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Iterator[World]:
        """A world in `folder`; `database` is the URL of an empty one (default: a SQLite file), `more` has further
        keys of config.toml, by table; those that come several times as lists."""
        shutil.copytree(self.template, folder, dirs_exist_ok=True)
        data = config_data(folder, self.smtp, self.dns, box, database)
        for table, keys_of_it in (more or {}).items():
            is_list = isinstance(keys_of_it, list)
            data[table] = keys_of_it if is_list else {**data.get(table, {}), **keys_of_it}
        with opened(folder, data, clock or Clock(), self) as app:
            yield World(folder, data, app, app.clock, self.smtp, self.dns, box)  # type: ignore[arg-type]  # a Clock


@contextmanager
def opened(folder: Path, data: Mapping[str, Any], clock: Clock, builder: Builder) -> Iterator[App]:
    """A mailbot over what is in `folder`; a second one over the same is a second process as far as it knows."""
    config = parse_config(data, folder / "config.toml")
    builder.knowledge = builder.knowledge or load_knowledge(config)
    app = build_app(config, clock, replace(builder.knowledge, own_addresses=own_addresses(config)))
    if app.store.schema_state() == "empty":
        app.store.upgrade()
    app.store.open()
    app.sweeping.rules = ()  # what nobody asked for happens only in the tests of it
    try:
        yield app
    finally:
        app.store.engine.dispose()
        app.platform.close()


def config_data(
    folder: Path, smtp: SmtpSink, dns: StubDns, box: Box | None, database: str = ""
) -> dict[str, Any]:
    """What config.toml would say."""
    return {
        "controller": {"privacy_address": PRIVACY},
        "mailbox": [box.table(folder)] if box else [],
        "smtp": {
            "host": "127.0.0.1",
            "port": smtp.port,
            "security": "none",
            "from_address": PRIVACY,
            "bounce_address": BOUNCES,
            "max_per_minute": 60000,
        },
        "database": {"url": database or f"sqlite:///{folder / 'mailbot.db'}"},
        "secrets": {"key_file": "mailbot.key"},
        "web": {"public_url": WEB, "api_key_file": "api.key", "secure_cookies": False},
        "platform": {
            "map": "rules/platform.toml",
            "url": f"sqlite:///{folder / 'platform.db'}",
            "files_root": "files",
        },
        "dns": {"nameservers": [dns.address], "timeout_seconds": 5},
        "logging": {"level": "error"},
    }


@contextmanager
def building(folder: Path) -> Iterator[Builder]:
    """A builder with an SMTP sink and a DNS server of its own."""
    write_files(folder, START)
    with ExitStack() as stack:
        dns = stack.enter_context(StubDns(zone_of(keys()[1])))
        dns.zone["_dmarc.forge.example"] = {"TXT": ["v=DMARC1; p=none"]}
        yield Builder(folder, stack.enter_context(SmtpSink()), dns)
