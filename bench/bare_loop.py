"""The least a program must do for a mail, in plain Python and one thread: what mailbot is measured against.

fetch by 50 → stdlib parse, every part read → DKIM by dkimpy → one durable commit → one SMTP reply → MOVE by 50.
It understands nothing, encrypts nothing, and would lose count after a crash; it is written without handicap:
no debug output, one connection each, a DNS cache, SQLite in WAL mode.

Run as a process of its own: python -m bench.bare_loop IMAP_PORT USER PASSWORD SMTP_PORT NAMESERVER DATABASE
"""

from __future__ import annotations

import smtplib
import sqlite3
import sys
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

import dkim
import dns.exception
import dns.nameserver
import dns.rdtypes.ANY.TXT
import dns.resolver
from imapclient import IMAPClient

BATCH = 50
PRIVACY = "privacy@myownconference.com"
_REPLY = """Hello,

we have received your mail "{subject}" and will answer it within a month.
Your reference is {reference}.

Kind regards
MyOwnConference
"""


def main(imap_port: int, user: str, password: str, smtp_port: int, nameserver: str, database: str) -> int:
    """Everything in INBOX is answered and in Processed; returns how many mails there were."""
    imap = IMAPClient("127.0.0.1", port=imap_port, ssl=False)
    imap._imap.debug = 0  # IMAPClient has imaplib format every mail for a log that nobody reads
    imap.plain_login(user, password)
    imap.create_folder("Processed")
    imap.select_folder("INBOX")
    database_connection = _open(database)
    lookup = _Lookup(nameserver)
    answered = 0
    with smtplib.SMTP("127.0.0.1", smtp_port) as smtp:
        uids = imap.search("ALL")
        for start in range(0, len(uids), BATCH):
            batch = uids[start : start + BATCH]
            for uid, answer in imap.fetch(batch, ["BODY.PEEK[]"]).items():
                _handle(uid, answer[b"BODY[]"], database_connection, smtp, lookup)
                answered += 1
            imap.move(batch, "Processed")
    imap.logout()
    return answered


def _handle(uid: int, raw: bytes, database: sqlite3.Connection, smtp: smtplib.SMTP, lookup: _Lookup) -> None:
    mail = message_from_bytes(raw, policy=policy.default)
    text = "".join(
        part.get_content()
        for part in mail.walk()
        if part.get_content_type() == "text/plain" and part.get_content_disposition() != "attachment"
    )
    signed = mail["DKIM-Signature"] is not None and dkim.verify(raw, dnsfunc=lookup)
    row = (uid, str(mail["Message-ID"]), str(mail["From"]), str(mail["Subject"]), text, signed)
    database.execute("INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?)", row)
    database.commit()
    smtp.send_message(_reply(mail, uid))


def _reply(mail: EmailMessage, uid: int) -> EmailMessage:
    subject = str(mail["Subject"])
    reply = EmailMessage()
    reply["From"] = f"MyOwnConference <{PRIVACY}>"
    reply["To"] = str(mail["From"])
    reply["Subject"] = f"Re: {subject} [{uid}]"
    reply["Message-ID"] = make_msgid(domain="myownconference.com")
    reply["In-Reply-To"] = reply["References"] = str(mail["Message-ID"])
    reply["Auto-Submitted"] = "auto-replied"
    reply.set_content(_REPLY.format(subject=subject, reference=uid))
    return reply


def _open(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE mail (uid INTEGER PRIMARY KEY, message_id TEXT, sender TEXT, subject TEXT, text TEXT,"
        " signed INTEGER)"
    )
    return connection


class _Lookup:
    """TXT records for dkimpy, kept as long as they hold."""

    def __init__(self, nameserver: str) -> None:
        host, _, port = nameserver.rpartition(":")
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers = [dns.nameserver.Do53Nameserver(host, int(port))]
        self._resolver.cache = dns.resolver.LRUCache()

    def __call__(self, name: bytes, timeout: float = 5) -> bytes | None:
        try:
            answer = self._resolver.resolve(name.decode(), "TXT", lifetime=timeout, search=False)
        except dns.exception.DNSException:
            return None
        return b"".join(next(iter(answer)).strings)


if __name__ == "__main__":
    port_, user_, password_file, smtp_port_, nameserver_, database_ = sys.argv[1:]
    secret = Path(password_file).read_text(encoding="utf-8").strip()
    print(main(int(port_), user_, secret, int(smtp_port_), nameserver_, database_))
