"""Where mail is fetched and where it is sent: plain frozen data, built from config.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path


class Security(StrEnum):
    """How a connection to a mail server is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A program's own account that may act for `subject`, the mailbox's user (Google: domain-wide delegation)."""

    email: str
    private_key: str = field(repr=False)
    key_id: str
    subject: str


@dataclass(frozen=True, slots=True)
class OAuth2Settings:
    """How to get an access token: as `service_account` where there is one, by `refresh_token` where there is one, else
    as the program itself. `ends_on`: when its secret or key ends, as far as the configuration says."""

    token_url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    scope: str = ""
    service_account: ServiceAccount | None = None
    ca_file: Path | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """One mailbox that is watched. Folder names use "/" between levels, whatever the server uses."""

    name: str
    host: str
    port: int
    security: Security
    ca_file: Path | None
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    processed_folder: str = "Processed"
    quarantine_folder: str = "Quarantine"
    poll_seconds: float = 60
    max_message_bytes: int = 26_214_400
    connect_timeout_seconds: float = 20
    read_timeout_seconds: float = 60
    allow_cleartext: bool = False
    oauth2: OAuth2Settings | None = None
    """Takes the place of the password."""


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """The server that sends our mail. An empty user name means that it wants no login."""

    host: str
    port: int
    security: Security
    ca_file: Path | None
    username: str
    password: str = field(repr=False)
    max_per_minute: int = 600
    timeout_seconds: float = 60
    allow_cleartext: bool = False
    oauth2: OAuth2Settings | None = None
    """Takes the place of the password."""
