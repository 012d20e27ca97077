"""The tables of config.toml: every key with its default."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mailbot.config.values import LanguageCode, Port, SecureUrl, TimeZone, is_safe_url
from mailbot.core.request import Kind, Language
from mailbot.core.telling import Channel
from mailbot.mail.settings import Security

_SHIPPED_LANGUAGES = tuple(map(Language, ("fr", "en", "de", "es", "it", "pt", "nl", "pl", "lt", "uk", "ru")))


class Table(BaseModel):
    """A table that cannot be changed and knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Controller(Table):
    """Who answers for the data (GDPR Art. 4(7)), as shown in replies."""

    name: str = "MyOwnConference"
    legal_name: str = "UAB Akovana"
    address: str = "Didžioji g. 18, 01128 Vilnius, Lithuania"
    country: str = Field(default="LT", pattern="^[A-Z]{2}$")
    timezone: TimeZone = "Europe/Vilnius"
    privacy_address: str = "privacy@myownconference.com"
    policy_url: str = "https://myownconference.com/privacy-policy"
    policy_version: str = "3.12"
    profile_url: str = "https://my.myownconference.com/profile"
    supervisory_authority: str = "Valstybinė duomenų apsaugos inspekcija, https://vdai.lrv.lt"
    languages: tuple[LanguageCode, ...] = Field(default=_SHIPPED_LANGUAGES, min_length=1)
    fallback_language: LanguageCode = Language("en")

    def spoken(self, language: str | None) -> Language:
        """`language` where it is one of ours, else the fallback."""
        return Language(language) if language in self.languages else self.fallback_language


class OAuth2(Table):
    """How an access token is got instead of a password: a service account's key file (Google), a refresh token, or the
    program's own credentials (Microsoft 365); secrets by environment or file. `secret_ends`: when the client secret
    or the key ends, so that `mailbot check` can warn before."""

    token_url: str = ""
    client_id: str = ""
    scope: str = ""
    client_secret_env: str = ""
    client_secret_file: str = ""
    refresh_token_env: str = ""
    refresh_token_file: str = ""
    service_account_file: str = ""
    secret_ends: date | None = None
    ca_file: str = ""

    @model_validator(mode="after")
    def _is_complete(self) -> OAuth2:
        if not self.service_account_file and not (self.token_url and self.client_id):
            raise ValueError("give token_url and client_id, or service_account_file")
        return self


class Mailbox(Table):
    """One mailbox that is watched."""

    name: str = Field(pattern=r"^[\w-]+$")
    host: str
    port: Port = 993
    security: Security = Security.TLS
    ca_file: str = ""
    username: str
    password_env: str = "MAILBOT_IMAP_PASSWORD"  # noqa: S105  # the name of a variable
    password_file: str = ""
    oauth2: OAuth2 | None = None
    folder: str = "INBOX"
    processed_folder: str = "Processed"
    quarantine_folder: str = "Quarantine"
    poll_seconds: float = Field(default=60, gt=0)
    max_message_bytes: int = Field(default=26_214_400, ge=65_536)
    connect_timeout_seconds: float = Field(default=20, gt=0)
    read_timeout_seconds: float = Field(default=60, gt=0)
    allow_cleartext: bool = False


class Smtp(Table):
    """The server that sends our mail."""

    host: str = "localhost"
    port: Port = 587
    security: Security = Security.STARTTLS
    ca_file: str = ""
    username: str = ""
    password_env: str = "MAILBOT_SMTP_PASSWORD"  # noqa: S105  # as above
    password_file: str = ""
    oauth2: OAuth2 | None = None
    from_address: str = "privacy@myownconference.com"
    bounce_address: str = "bounces@myownconference.com"
    max_per_minute: int = Field(default=600, ge=1)
    timeout_seconds: float = Field(default=60, gt=0)
    allow_cleartext: bool = False


class Lmtp(Table):
    """Where mail may be pushed in; an empty `listen` keeps the door shut."""

    listen: str = ""
    unsubscribe_address: str = ""
    recipients: tuple[str, ...] = ()
    max_message_bytes: int = Field(default=26_214_400, ge=65_536)
    max_connections: int = Field(default=50, ge=1)
    max_per_minute: int = Field(default=3_000, ge=1)


class Database(Table):
    """Where mailbot's own state is kept; any SQLAlchemy URL of SQLite or PostgreSQL (psycopg)."""

    url: str = "sqlite:///mailbot.db"
    url_env: str = ""


class Secrets(Table):
    """The master keys: 32 bytes each in base64, several separated by white space, newest first."""

    key_env: str = "MAILBOT_KEY"
    key_file: str = ""


class FileStoreTable(Table):
    """A place where files of the platform are, as the data map names it: a folder (`root`) or an S3 bucket."""

    root: str = ""
    bucket: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$")
    endpoint_url: SecureUrl = ""
    region: str = ""
    path_style: bool = False
    prefix: str = Field(default="", pattern=r"^([^/].*/)?$")
    access_key_env: str = ""
    access_key_file: str = ""
    secret_key_env: str = ""
    secret_key_file: str = ""
    ca_file: str = ""
    attempts: int = Field(default=5, ge=1, le=20)
    timeout_seconds: float = Field(default=20, gt=0)

    @model_validator(mode="after")
    def _is_one_of_two(self) -> FileStoreTable:
        if bool(self.root) == bool(self.bucket):
            raise ValueError("give either root (a folder) or bucket (S3)")
        has_access_key = bool(self.access_key_env or self.access_key_file)
        if has_access_key != bool(self.secret_key_env or self.secret_key_file):
            raise ValueError("give both access_key and secret_key (_env or _file), or neither")
        return self


class PlatformApi(Table):
    """How a platform with kind = "http" is asked; requests are signed with the secret."""

    key_id: str = Field(default="mailbot", pattern=r"^[A-Za-z0-9._-]+$")
    secret_env: str = "MAILBOT_PLATFORM_SECRET"  # noqa: S105  # the name of a variable
    secret_file: str = ""
    ca_file: str = ""
    timeout_seconds: float = Field(default=20, gt=0)
    attempts: int = Field(default=4, ge=1, le=20)
    max_answer_bytes: int = Field(default=16_777_216, ge=1_024)


class PlatformTable(Table):
    """The platform whose data is changed."""

    kind: Literal["sql", "http"] = "sql"
    map: str = "rules/platform.toml"
    url: str = "sqlite:///platform.db"
    url_env: str = ""
    files_root: str = ""
    http: PlatformApi = PlatformApi()
    stores: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")], FileStoreTable] = {}


class Web(Table):
    """The pages and the API."""

    listen: str = "127.0.0.1:8025"
    public_url: str = "http://127.0.0.1:8025"
    api_key_env: str = "MAILBOT_API_KEY"
    api_key_file: str = ""
    secure_cookies: bool = True


class Sender(Table):
    """Whose word on a sender is believed beside the signatures checked here."""

    authserv_ids: tuple[str, ...] = ()
    arc_sealers: tuple[str, ...] = ()
    own_hosts: tuple[str, ...] = ()
    own_domains: tuple[str, ...] = ()


class Attachments(Table):
    """How much of what is attached to mails is read, and what that may cost (attachments/protocol.Limits)."""

    read: bool = True
    max_bytes: int = Field(default=10_485_760, ge=1_024)
    max_files: int = Field(default=5, ge=1)
    max_pages: int = Field(default=20, ge=1)
    max_characters: int = Field(default=20_000, ge=1_000)
    seconds: float = Field(default=4, gt=0, le=60)
    memory_mib: int = Field(default=256, ge=128)


class Dns(Table):
    """Resolvers; none: the system's. `127.0.0.1:5300` names a port."""

    nameservers: tuple[str, ...] = ()
    timeout_seconds: float = Field(default=5, gt=0)


class RecipientTable(Table):
    """Somebody to whom data is passed on, told of deletions and corrections (GDPR Art. 19). `categories` are sections
    of the data map; none: all. `secret_*` signs webhooks: "whsec_" and at least 24 bytes in base64. `authorization_*`
    holds the whole value of the header Authorization."""

    name: str = Field(min_length=1, max_length=100)
    channel: Channel
    tells: tuple[Literal[Kind.DELETION, Kind.CORRECTION], ...] = ()
    categories: tuple[str, ...] = ()
    address: str = ""
    language: str = ""
    url: str = ""
    secret_env: str = ""
    secret_file: str = ""
    authorization_env: str = ""
    authorization_file: str = ""
    ca_file: str = ""

    @model_validator(mode="after")
    def _can_be_told(self) -> RecipientTable:
        if self.channel is Channel.MAIL and "@" not in self.address:
            raise ValueError('channel "mail" needs address')
        if self.channel is not Channel.MAIL and not is_safe_url(self.url):
            raise ValueError(f'channel "{self.channel}" needs url, and it must begin with https://')
        if self.channel is Channel.WEBHOOK and not (self.secret_env or self.secret_file):
            raise ValueError('channel "webhook" needs secret_env or secret_file, to sign with')
        if self.channel is Channel.OPENDSR and Kind.CORRECTION in self.tells:
            raise ValueError("OpenDSR knows no corrections: use webhook or mail for them")
        return self

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it is told of: without `tells`, everything that its channel knows."""
        every = {Kind.DELETION} if self.channel is Channel.OPENDSR else {Kind.DELETION, Kind.CORRECTION}
        return frozenset(self.tells or every)


class Folders(Table):
    """Folders whose files stand in for the ones inside the package, file by file; empty: none."""

    templates: str = ""
    rules: str = ""
    locale: str = ""


class Rules(Table):
    """Folder of the examples that staff keep and `mailbot rules train` learns from, too; empty: none are kept."""

    examples: str = ""


class Logging(Table):
    """How the log is written: `json` or `console`, from `level` up."""

    format: str = Field(default="console", pattern="^(console|json)$")
    level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
