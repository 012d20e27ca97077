"""A site over a real store, with operations that remember what they were asked."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from mailbot.config import parse_config
from mailbot.core.case import Person
from mailbot.core.ledger import Entry
from mailbot.core.request import Asked, Capacity, Kind
from mailbot.core.workflow import State
from mailbot.keeping import ExampleKeeper
from mailbot.mail.catalogues import Catalogues
from mailbot.store import cases, ledger, letters, messages, staff
from mailbot.store.database import Store, new_id
from mailbot.store.encryption import Keyring
from mailbot.store.tables import Case, Message, Request
from mailbot.web.parts import WEB_DOMAIN, Health, Parts
from mailbot.web.site import create_site
from tests.web.fakes import (
    Deeds,
    FakeDesk,
    FakeExports,
    FakeHosts,
    FakeProof,
    FakeStatus,
    FakeUnsubscribing,
)

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
API_KEY = "key-of-the-platform"


@dataclass
class World:
    """The site, what is behind it and what it did."""

    parts: Parts
    store: Store
    deeds: Deeds
    site: FastAPI
    client: TestClient
    proof: FakeProof
    desk: FakeDesk
    unsubscribing: FakeUnsubscribing
    clock: list[datetime]

    def link(self, address: str = "alice@example.org") -> str:
        """The path of an unsubscribe link."""
        return f"/u/{self.store.pseudonyms.link_token(address)}"

    def bearer(self) -> dict[str, str]:
        """The header that opens the API."""
        return {"Authorization": f"Bearer {API_KEY}"}

    def log_in(self, name: str = "stan", password: str = PASSWORD) -> str:
        """Stan is logged in; says the CSRF token of the login."""
        self.client.post("/staff/login", data={"name": name, "password": password})
        page = self.client.get("/staff/").text
        return page.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A site as people and staff meet it."""
    monkeypatch.setenv("MAILBOT_API_KEY", API_KEY)
    made = make_world(tmp_path)
    with made.client:
        yield made
    made.store.engine.dispose()


def make_world(folder: Path, **web: Any) -> World:
    """A site with Stan, who may log in, and Nora, who has not signed."""
    web = {"public_url": "https://privacy.example", **web}
    config = parse_config({"web": web, "rules": {"examples": "kept"}}, folder / "config.toml")
    store = Store(f"sqlite:///{shutil.copy(_template(), folder / 'mailbot.db')}", Keyring([bytes(32)]))
    deeds, clock = Deeds(), [NOW]
    proof, desk, unsubscribing = FakeProof(deeds), FakeDesk(deeds), FakeUnsubscribing(store, deeds)
    parts = Parts(
        config=config,
        store=store,
        proof=proof,
        unsubscribing=unsubscribing,
        hosts=FakeHosts(deeds),
        exports=FakeExports(deeds),
        status=FakeStatus(),
        desk=desk,
        keeper=ExampleKeeper(store, config),
        catalogues=Catalogues(ROOT / "locale", domain=WEB_DOMAIN),
        templates=(ROOT / "templates",),
        clock=lambda: clock[0],
        health=lambda: Health(True, {"intake": "ok", "outbox": "ok", "clock": "ok"}, clock[0]),
        field_names=("email", "name", "phone"),
    )
    site = create_site(parts)
    client = TestClient(site, base_url="https://privacy.example")
    return World(parts, store, deeds, site, client, proof, desk, unsubscribing, clock)


@cache
def _template() -> Path:
    """A database with its schema and its staff, made once: migrations and password hashes are slow on purpose."""
    file = Path(mkdtemp()) / "template.db"
    store = Store(f"sqlite:///{file}", Keyring([bytes(32)]))
    store.open()
    with store.begin() as tx:
        staff.add(tx, "stan", PASSWORD, role="agent", agreement=date(2026, 1, 7), now=NOW)
        staff.add(tx, "nora", PASSWORD, role="agent", agreement=None, now=NOW)
    with store.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.engine.dispose()
    return file


def add_case(
    store: Store,
    *,
    kind: Kind = Kind.DELETION,
    state: State = State.AWAITING_STAFF,
    language: str = "en",
    address: str = "alice@example.org",
    name: str = "Alice",
    text: str = "Please delete my account.",
    html: str = "",
    subject: str = "My account",
    reason: str = "the sender is not proven",
    verdict: str = "unproven",
    due: date = date(2026, 12, 15),
    opened: datetime = NOW - timedelta(days=4),
    evidence: str = "delete my account",
) -> str:
    """A case with its mail; says its reference."""
    with store.begin() as tx:
        person = Person(address, name, subject)
        case = cases.open_case(
            tx,
            person,
            channel="mail",
            language=language,
            bilingual=False,
            answerable=True,
            received_at=opened,
            due_on=due,
            due_why="One month after the day the mail came, moved to the next working day.",
            now=opened,
        )
        request = cases.add_request(tx, case, Asked(kind, Capacity.USER, 0.93), 0, opened)
        request.state, request.reason = state.value, reason
        _add_mail(tx, case, text, html, subject, verdict, kind, evidence, opened, f"{name} <{address}>")
        letters.save(
            tx,
            case,
            letter_id=new_id(),
            template="received",
            message_id=f"<{case.reference}@example.com>",
            envelope=letters.Envelope("bounces@example.com", address),
            raw=b"Subject: We have your request\r\n\r\nDear Alice, we have it.\r\n",
            now=opened,
            state="sent",
        )
        entry = Entry(
            opened, "understood_for_staff", "mailbot", case.reference, str(request.id), "Art. 17", {}
        )
        ledger.append(tx, entry)
        return case.reference


def _add_mail(
    tx: Any,
    case: Case,
    text: str,
    html: str,
    subject: str,
    verdict: str,
    kind: Kind,
    evidence: str,
    at: datetime,
    sender: str,
) -> None:
    raw = mail_bytes(text, html, subject, sender)
    incoming = messages.Incoming(raw, at, "privacy")
    message = messages.save(
        tx, incoming, key_id=case.key_id, case=case, disposition="case", reason="", now=at
    )
    start = text.find(evidence)
    found = {
        "rule": "deletion.en.close_account",
        "sentence": "The person wants their account closed.",
        "text": evidence,
        "start": start,
        "end": start + len(evidence),
    }
    reading = {
        "new_text": text,
        "subject": subject,
        "language": "en",
        "requests": [
            {
                "kind": kind.value,
                "capacity": "user",
                "confidence": 0.93,
                "evidence": [found] if start >= 0 else [],
                "fields": [],
            }
        ],
        "opinions": [
            {
                "kind": kind.value,
                "rules": 0.96,
                "model": 0.88,
                "features": [
                    {"sort": "ideas", "name": "delete before account", "weight": 1.21},
                    {"sort": "words", "name": "yesterday", "weight": -0.07},
                ],
            }
        ],
        "sender": {"verdict": verdict, "method": None, "domain": "example.org", "reasons": ["no signature"]},
        "decision": "review",
        "reasons": ["the sender is not proven"],
        "error": None,
    }
    message.sealed_reading = tx.seal(case.key_id).seal(json.dumps(reading).encode(), "message.reading")


def mail_bytes(
    text: str, html: str = "", subject: str = "My account", sender: str = "a@example.org"
) -> bytes:
    """A mail with a text, perhaps an HTML part, and a file."""
    parts = [("text/plain; charset=utf-8", "", text)]
    if html:
        parts = [("text/html; charset=utf-8", "", html)]
    file = base64.b64encode(b"<script>alert(1)</script>").decode()
    parts.append(("text/html", 'Content-Disposition: attachment; filename="../../evil.html"\r\n', file))
    encodings = ["8bit"] * (len(parts) - 1) + ["base64"]
    body = "".join(
        f"--frontier\r\nContent-Type: {kind}\r\n{extra}Content-Transfer-Encoding: {encoding}\r\n\r\n{content}\r\n"
        for (kind, extra, content), encoding in zip(parts, encodings, strict=True)
    )
    head = (
        f"From: {sender}\r\nTo: privacy@example.com\r\nSubject: {subject}\r\nMessage-ID: <{new_id()}@example.org>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="frontier"\r\n\r\n'
    )
    return (head + body + "--frontier--\r\n").encode()


def add_quarantined(store: Store) -> str:
    """A mail that could not be read; says its id."""
    with store.begin() as tx:
        key_id, _ = tx.new_key()
        incoming = messages.Incoming(b"Subject: odd\r\n\r\nsecret words\r\n", NOW, "privacy")
        message: Message = messages.save(
            tx, incoming, key_id=key_id, case=None, disposition="quarantined", reason="broken header", now=NOW
        )
        return str(message.id)


def first_request(store: Store, reference: str) -> Request:
    """The first request of a case."""
    with store.read() as tx:
        case = cases.by_reference(tx, reference)
        assert case is not None
        return cases.requests_of(tx, case.id)[0]
