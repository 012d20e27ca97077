"""The demo platform: a webinar service's database and uploaded files, the same every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    create_engine,
    insert,
)
from sqlalchemy.engine import Connection
from sqlalchemy.schema import SchemaItem

from mailbot.demo.people import COMPANIES, PEOPLE, PERSONAS, Persona

__all__ = ["PERSONAS", "Persona", "create_demo_platform"]

Row = dict[str, object]
SCHEMA = MetaData()
VISITORS_OF_NADIA = 240


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=False)


def _to(name: str, target: str, *, null: bool = False) -> Column[int]:
    return Column(name, Integer, ForeignKey(target), nullable=null, index=True)


def _text(name: str, *, null: bool = True) -> Column[str]:
    return Column(name, String(200), nullable=null)


def _time(name: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True))


def _table(name: str, *columns: SchemaItem) -> Table:
    return Table(name, SCHEMA, *columns)


COMPANY_TABLE = _table("companies", _id(), _text("name"), _text("address"), _text("vat_number"),
                       _text("bank_account"))  # fmt: skip
ACCOUNTS = _table(
    "accounts", _id(), Column("email", String(254), unique=True, nullable=False), _text("name"),
    _text("password_hash"), _text("phone"), _to("company_id", "companies.id", null=True), _text("job_title"),
    Column("newsletter", Boolean, nullable=False), _text("last_ip"), _time("last_visit"), _time("created_at"),
    _time("ended_at"), _time("email_changed_at"), _text("city"), Column("country", String(2)), _text("language"),
    _text("visitor_requests"),
)  # fmt: skip
FORMER_EMAILS = _table("former_emails", _id(), _to("account_id", "accounts.id"), _text("email", null=False),
                       _time("changed_at"))  # fmt: skip
WEBINARS = _table("webinars", _id(), _to("host_id", "accounts.id"), _text("title"), _time("starts_at"))
REGISTRATIONS = _table(
    "registrations", _id(), _to("webinar_id", "webinars.id"), Column("email", String(254), index=True),
    _text("name"), _text("job_title"), _text("company"), _text("phone"), _text("skype"), _text("city"),
    Column("country", String(2)), _text("language"), _time("registered_at"),
)  # fmt: skip
CHAT_MESSAGES = _table(
    "chat_messages", _id(), _to("webinar_id", "webinars.id"),
    _to("registration_id", "registrations.id", null=True), _text("author_name"), _text("author_email"),
    Column("text", Text), _time("sent_at"),
)  # fmt: skip
SESSIONS = _table("sessions", _id(), _to("account_id", "accounts.id"), _text("x"), _text("ip"),
                  _time("last_used_at"))  # fmt: skip
SUBSCRIBERS = _table(
    "newsletter_subscribers", _id(), Column("email", String(254), unique=True, nullable=False), _text("name"),
    _time("subscribed_at"), _text("consent_source"), _time("unsubscribed_at"),
)  # fmt: skip
UPLOADS = _table("uploads", _id(), _to("account_id", "accounts.id"),
                 _to("webinar_id", "webinars.id", null=True), _text("title"), _text("path", null=False),
                 _time("uploaded_at"))  # fmt: skip
PAYMENTS = _table(
    "payments", _id(), _to("account_id", "accounts.id", null=True), _text("payer_email"), _text("provider"),
    _text("reference"), Column("amount", Numeric(10, 2)), _text("currency"), _text("invoice_number"),
    _time("paid_at"),
)  # fmt: skip
VISITS = _table("visits", _id(), _to("account_id", "accounts.id"), _text("ip"), _time("at"))

EVENTS: tuple[tuple[int, str, str, int], ...] = (
    (1, "host", "Bien parler devant un écran", -60),
    (2, "host", "Préparer un atelier en ligne", -14),
    (3, "host", "Questions et réponses", 12),
    (4, "host_ask", "Seminare, die hängen bleiben", -30),
    (5, "host_ask", "Stimme und Technik", 20),
    (6, "user_and_visitor", "Selling without slides", -45),
    (7, "delete_account", "Retrouver le calme", -90),
    (8, "many_visitors", "Journée portes ouvertes", -7),
    (9, "ukrainian", "Вебінар для викладачів", 5),
)
"""id, who hosts, title, days from now."""

ATTENDED: tuple[tuple[str, int], ...] = (
    ("visitor", 1), ("visitor", 2), ("visitor", 4), ("visitor_de", 4), ("visitor_de", 5), ("visitor_fr", 2),
    ("visitor_fr", 7), ("user_and_visitor", 1), ("user_and_visitor", 5), ("lithuanian", 6), ("polish", 6),
    ("newsletter", 9), ("visitor_de", 7),
)  # fmt: skip
"""Who attended which event; registrations are numbered in this order from 1."""

CHAT: tuple[tuple[int, str], ...] = (
    (1, "Good morning from Brno"), (3, "Could you repeat the last point?"), (4, "Danke, sehr hilfreich"),
    (7, "Merci pour ce moment"), (8, "Is there a recording?"),
)  # fmt: skip
"""Registration, what was said."""


def create_demo_platform(url: str, files_root: Path, now: datetime) -> None:
    """The demo platform stands at `url` (an empty database) and below `files_root`.

    The same `now` (UTC) makes the same data, to the byte.
    """
    engine = create_engine(url)
    SCHEMA.create_all(engine)
    with engine.begin() as connection:
        for table, rows in _contents(now):
            _insert(connection, table, rows)
    engine.dispose()
    for path, content in _files():
        target = files_root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _insert(connection: Connection, table: Table, rows: Iterator[Row]) -> None:
    connection.execute(insert(table), list(rows))


def _contents(now: datetime) -> Iterator[tuple[Table, Iterator[Row]]]:
    names = ("id", "name", "address", "vat_number", "bank_account")
    yield COMPANY_TABLE, (dict(zip(names, row, strict=True)) for row in COMPANIES)
    yield ACCOUNTS, _accounts(now)
    yield FORMER_EMAILS, _former_emails(now)
    yield WEBINARS, _webinars(now)
    yield REGISTRATIONS, _registrations(now)
    yield CHAT_MESSAGES, _chat_messages(now)
    yield SESSIONS, _sessions(now)
    yield SUBSCRIBERS, _subscribers(now)
    yield UPLOADS, _uploads(now)
    yield PAYMENTS, _payments(now)
    yield VISITS, _visits(now)


def _users() -> list[tuple[int, Persona]]:
    return [(person.account, person) for person in PEOPLE if person.account is not None]


def _account_of(role: str) -> int:
    return PERSONAS[role].account or 0


def _ip(number: int) -> str:
    return f"198.51.100.{number}"


def _accounts(now: datetime) -> Iterator[Row]:
    for number, person in _users():
        ended = person.ended_days_ago
        yield {
            "id": number, "email": person.address, "name": person.name, "phone": person.phone,
            "password_hash": "$argon2id$demo$" + hashlib.sha256(person.address.encode()).hexdigest(),
            "company_id": person.company, "job_title": person.job_title, "newsletter": person.newsletter,
            "last_ip": _ip(number), "last_visit": now - timedelta(days=ended or number),
            "created_at": now - timedelta(days=400 + 37 * number),
            "ended_at": now - timedelta(days=ended) if ended else None,
            "email_changed_at": None, "city": person.city, "country": person.country,
            "language": person.language, "visitor_requests": person.visitor_requests,
        }  # fmt: skip


def _former_emails(now: datetime) -> Iterator[Row]:
    moved = (("correct_name", "j.mueller@alt.example"), ("user_and_visitor", "alice@example.com"))
    for number, (role, address) in enumerate(moved, start=1):
        changed = now - timedelta(days=300 * number)
        yield {"id": number, "account_id": _account_of(role), "email": address, "changed_at": changed}


def _webinars(now: datetime) -> Iterator[Row]:
    for number, role, title, days in EVENTS:
        starts = now + timedelta(days=days)
        yield {"id": number, "host_id": _account_of(role), "title": title, "starts_at": starts}


def _registrations(now: datetime) -> Iterator[Row]:
    for number, (role, webinar) in enumerate(ATTENDED, start=1):
        person = PERSONAS[role]
        yield {
            "id": number, "webinar_id": webinar, "email": person.address, "name": person.name,
            "job_title": person.job_title, "company": None, "phone": person.phone, "skype": None,
            "city": person.city, "country": person.country, "language": person.language,
            "registered_at": now - timedelta(days=100 - number),
        }  # fmt: skip
    for number in range(1, VISITORS_OF_NADIA + 1):
        yield {
            "id": 1000 + number, "webinar_id": 8, "email": f"visiteur{number}@public.example",
            "name": f"Visiteur {number}", "job_title": None, "company": None, "phone": None, "skype": None,
            "city": "Nice", "country": "FR", "language": "fr", "registered_at": now - timedelta(days=8),
        }  # fmt: skip


def _chat_messages(now: datetime) -> Iterator[Row]:
    for number, (registration, text) in enumerate(CHAT, start=1):
        role, webinar = ATTENDED[registration - 1]
        person = PERSONAS[role]
        yield {
            "id": number, "webinar_id": webinar, "registration_id": registration,
            "author_name": person.name, "author_email": person.address, "text": text,
            "sent_at": now - timedelta(days=14, minutes=number),
        }  # fmt: skip


def _sessions(now: datetime) -> Iterator[Row]:
    for number, person in _users():
        for device in range(1 + number % 3):
            token = hashlib.sha256(f"{person.role}{device}".encode()).hexdigest()
            used = now - timedelta(days=3 + 17 * device + number % 5)
            yield {"id": 10 * number + device, "account_id": number, "x": token, "ip": _ip(number),
                   "last_used_at": used}  # fmt: skip


def _subscribers(now: datetime) -> Iterator[Row]:
    roles = ("newsletter", "one_click", "delete_account", "two_things", "visitor_fr")
    for number, role in enumerate(roles, start=1):
        person = PERSONAS[role]
        yield {
            "id": number, "email": person.address, "name": person.name,
            "subscribed_at": now - timedelta(days=200 + number), "consent_source": "sign-up form",
            "unsubscribed_at": None,
        }  # fmt: skip


def _upload_list() -> list[tuple[int, int, int | None, str]]:
    slides = [(_account_of(role), webinar, title) for webinar, role, title, _ in EVENTS]
    uploads: list[tuple[int, int, int | None, str]] = [
        (webinar, account, webinar, f"accounts/{account}/slides-{webinar}.pdf")
        for account, webinar, _ in slides
    ]
    portraits = [(100 + number, number, None, f"accounts/{number}/portrait.png") for number, _ in _users()]
    return uploads + portraits


def _uploads(now: datetime) -> Iterator[Row]:
    for number, account, webinar, path in _upload_list():
        title = "Slides" if webinar else "Portrait"
        yield {"id": number, "account_id": account, "webinar_id": webinar, "title": title, "path": path,
               "uploaded_at": now - timedelta(days=120 - number % 100)}  # fmt: skip


def _files() -> Iterator[tuple[str, bytes]]:
    for number, _, webinar, path in _upload_list():
        head = b"%PDF-1.4\n% demo slides " if webinar else b"\x89PNG\r\n\x1a\n demo portrait "
        yield path, head + str(number).encode() + b"\n"


def _payments(now: datetime) -> Iterator[Row]:
    for number, person in _users():
        if not person.company:
            continue
        provider = ("Paysera", "PayPal")[number % 2]
        for year in range(2):
            yield {
                "id": 10 * number + year, "account_id": number, "payer_email": person.address,
                "provider": provider, "reference": f"{provider[:3].upper()}-{7000 + 10 * number + year}",
                "amount": 29 + 10 * year, "currency": "EUR", "invoice_number": f"INV-{500 + 10 * number + year}",
                "paid_at": now - timedelta(days=30 + 365 * year),
            }  # fmt: skip


def _visits(now: datetime) -> Iterator[Row]:
    for number, _ in _users():
        for visit in range(5):
            at = now - timedelta(days=number + 11 * visit, minutes=7 * visit)
            yield {"id": 10 * number + visit, "account_id": number, "ip": _ip(number), "at": at}
