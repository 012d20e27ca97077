"""The demo's surroundings: DNS, mail servers, the platform, all on loopback, all real; and its configuration."""

from __future__ import annotations

import base64
import os
import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from shutil import copyfile

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mailbot.config import Config, parse_config
from mailbot.core.address import domain_of
from mailbot.demo.imap_server import EmbeddedImap
from mailbot.demo.people import PEOPLE
from mailbot.demo.platform import create_demo_platform
from mailbot.demo.samples import Sample
from mailbot.demo.smtp_sink import SmtpSink
from mailbot.demo.stub_dns import StubDns
from mailbot.resources import built_in

PRIVACY = "privacy@myownconference.com"
BOUNCES = "bounces@myownconference.com"
_SELECTOR = b"demo"
_IMAP_PASSWORD = "demo-mailbox"  # noqa: S105  # of a mailbox that lives in this process


@dataclass(frozen=True)
class World:
    """Everything around mailbot in the demo, running."""

    folder: Path
    imap: EmbeddedImap
    smtp: SmtpSink
    dns: StubDns
    signing_key: bytes
    config: Config

    def letter(self, sample: Sample, now: datetime) -> bytes:
        """The sample as the raw mail its writer's mail program makes of it, signed by its domain."""
        mail = EmailMessage(policy=SMTP)
        person = sample.person
        mail["From"] = f'"{person.name}" <{person.address}>'
        mail["To"] = PRIVACY
        mail["Subject"] = sample.subject
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = make_msgid(domain=domain_of(person.address))
        for name, value in sample.headers:
            mail[name] = value
        mail.set_content(sample.text)
        return self.signed(mail.as_bytes(), person.address) if sample.signed else mail.as_bytes()

    def signed(self, raw: bytes, address: str) -> bytes:
        """`raw` with the DKIM signature of the domain of `address`."""
        domain = domain_of(address).encode()
        return bytes(dkim.sign(raw, _SELECTOR, domain, self.signing_key)) + raw


def start_world(folder: Path, stack: ExitStack, now: datetime) -> World:
    """DNS, IMAP, SMTP and the platform run until `stack` is closed; everything is kept under `folder`."""
    private, record = signing_key()
    dns = stack.enter_context(StubDns(zone_of(record)))
    imap = stack.enter_context(EmbeddedImap(PRIVACY, _IMAP_PASSWORD))
    smtp = stack.enter_context(
        SmtpSink(forward=lambda recipient: imap.deliver if is_ours(recipient) else None)
    )
    write_files(folder, now)
    config = _config(folder, imap, smtp, dns)
    return World(folder, imap, smtp, dns, private, config)


def write_files(folder: Path, now: datetime) -> None:
    """The demo's platform, data map and key are in `folder`."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    copyfile(built_in("rules") / "platform.toml", folder / "rules" / "platform.toml")
    create_demo_platform(f"sqlite:///{folder / 'platform.db'}", folder / "files", now)
    _write_secret(folder / "mailbot.key", base64.b64encode(os.urandom(32)).decode())
    _write_secret(folder / "api.key", secrets.token_urlsafe(32))


def _config(folder: Path, imap: EmbeddedImap, smtp: SmtpSink, dns: StubDns) -> Config:
    _write_secret(folder / "imap.password", _IMAP_PASSWORD)
    data = {
        "controller": {"privacy_address": PRIVACY},
        "mailbox": [
            {
                "name": "privacy",
                "host": "127.0.0.1",
                "port": imap.port,
                "security": "none",
                "username": PRIVACY,
                "password_file": "imap.password",
                "poll_seconds": 1,
            }
        ],
        "smtp": {
            "host": "127.0.0.1",
            "port": smtp.port,
            "security": "none",
            "from_address": PRIVACY,
            "bounce_address": BOUNCES,
            "max_per_minute": 6000,
        },
        "database": {"url": f"sqlite:///{folder / 'mailbot.db'}"},
        "secrets": {"key_file": "mailbot.key"},
        "platform": {
            "map": "rules/platform.toml",
            "url": f"sqlite:///{folder / 'platform.db'}",
            "files_root": "files",
        },
        "dns": {"nameservers": [dns.address], "timeout_seconds": 2},
        "logging": {"level": "error"},
    }
    return parse_config(data, folder / "config.toml")


def is_ours(recipient: str) -> bool:
    """privacy@ and bounces@, with or without a token."""
    local, _, domain = recipient.partition("@")
    return f"{local.partition('+')[0]}@{domain}" in (PRIVACY, BOUNCES)


def signing_key() -> tuple[bytes, str]:
    """A private key (PEM) and the DNS record of its public half (RFC 6376 §3.6.1)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def zone_of(record: str) -> dict[str, dict[str, list[str]]]:
    """Every demo domain signs its mail and asks receivers to reject what is not signed."""
    zone: dict[str, dict[str, list[str]]] = {}
    for domain in sorted({domain_of(person.address) for person in PEOPLE}):
        zone[f"demo._domainkey.{domain}"] = {"TXT": [record]}
        zone[f"_dmarc.{domain}"] = {"TXT": ["v=DMARC1; p=reject"]}
    return zone


def _write_secret(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text + "\n", encoding="utf-8")
