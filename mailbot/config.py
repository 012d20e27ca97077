"""config.toml becomes one frozen typed object. Every key is declared here, once, with its default.

Secrets never stand in the file: a key ending in `_env` names the environment variable, one ending in
`_file` the file, that holds them.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from mailbot.attachments.protocol import Limits
from mailbot.core.request import Kind, Language
from mailbot.core.telling import Channel, Recipient
from mailbot.mail.settings import MailboxSettings, OAuth2Settings, Security, ServiceAccount, SmtpSettings
from mailbot.mail.tls import is_loopback
from mailbot.platform.file_store import S3Settings
from mailbot.platform.http_client import HttpSettings
from mailbot.platform.open_stores import StoreSettings

DEFAULT_PATH = Path("config.toml")
_SHORTEST_SIGNING_SECRET = 24
"""Bytes (Standard Webhooks)."""
_SMTP_KEYS = {"host", "port", "security", "username", "max_per_minute", "timeout_seconds", "allow_cleartext"}
_S3_KEYS = {"bucket", "endpoint_url", "region", "path_style", "prefix", "attempts", "timeout_seconds"}


class ConfigTrouble(Exception):
    """The configuration cannot be used; the text names file, key and mend."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("no time zone of the IANA database; write one such as Europe/Vilnius") from None
    return name


def _known_language(code: Language) -> Language:
    try:
        Locale.parse(code)
    except (UnknownLocaleError, ValueError):
        raise ValueError("no language that Unicode CLDR knows; write a code of ISO 639 such as lt") from None
    return code


Port = Annotated[int, Field(ge=1, le=65_535)]
TimeZone = Annotated[str, AfterValidator(_known_zone)]
LanguageCode = Annotated[Language, Field(pattern="^[a-z]{2,3}$"), AfterValidator(_known_language)]
_SHIPPED_LANGUAGES = tuple(map(Language, ("fr", "en", "de", "es", "it", "pt", "nl", "pl", "lt", "uk", "ru")))


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Controller(_Table):
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


class OAuth2(_Table):
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


class Mailbox(_Table):
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


class Smtp(_Table):
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


class Lmtp(_Table):
    """Where mail may be pushed in; an empty `listen` keeps the door shut."""

    listen: str = ""
    unsubscribe_address: str = ""
    recipients: tuple[str, ...] = ()
    max_message_bytes: int = Field(default=26_214_400, ge=65_536)
    max_connections: int = Field(default=50, ge=1)
    max_per_minute: int = Field(default=3_000, ge=1)


class Database(_Table):
    """Where mailbot's own state is kept; any SQLAlchemy URL of SQLite or PostgreSQL (psycopg)."""

    url: str = "sqlite:///mailbot.db"
    url_env: str = ""


class Secrets(_Table):
    """The master keys: 32 bytes each in base64, several separated by white space, newest first."""

    key_env: str = "MAILBOT_KEY"
    key_file: str = ""


def _secure_url(url: str) -> str:
    parts = urlsplit(url)
    if url and parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ValueError("must begin with https:// (http:// only for this machine)")
    return url


SecureUrl = Annotated[str, AfterValidator(_secure_url)]


class FileStoreTable(_Table):
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


class PlatformApi(_Table):
    """How a platform with kind = "http" is asked; requests are signed with the secret."""

    key_id: str = Field(default="mailbot", pattern=r"^[A-Za-z0-9._-]+$")
    secret_env: str = "MAILBOT_PLATFORM_SECRET"  # noqa: S105  # the name of a variable
    secret_file: str = ""
    ca_file: str = ""
    timeout_seconds: float = Field(default=20, gt=0)
    attempts: int = Field(default=4, ge=1, le=20)
    max_answer_bytes: int = Field(default=16_777_216, ge=1_024)


class PlatformTable(_Table):
    """The platform whose data is changed."""

    kind: Literal["sql", "http"] = "sql"
    map: str = "rules/platform.toml"
    url: str = "sqlite:///platform.db"
    url_env: str = ""
    files_root: str = ""
    http: PlatformApi = PlatformApi()
    stores: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")], FileStoreTable] = {}


class Web(_Table):
    """The pages and the API."""

    listen: str = "127.0.0.1:8025"
    public_url: str = "http://127.0.0.1:8025"
    api_key_env: str = "MAILBOT_API_KEY"
    api_key_file: str = ""
    secure_cookies: bool = True


class Sender(_Table):
    """Whose word on a sender is believed beside the signatures checked here."""

    authserv_ids: tuple[str, ...] = ()
    arc_sealers: tuple[str, ...] = ()
    own_hosts: tuple[str, ...] = ()
    own_domains: tuple[str, ...] = ()


class Attachments(_Table):
    """How much of what is attached to mails is read, and what that may cost (attachments/protocol.Limits)."""

    read: bool = True
    max_bytes: int = Field(default=10_485_760, ge=1_024)
    max_files: int = Field(default=5, ge=1)
    max_pages: int = Field(default=20, ge=1)
    max_characters: int = Field(default=20_000, ge=1_000)
    seconds: float = Field(default=4, gt=0, le=60)
    memory_mib: int = Field(default=256, ge=128)


class Dns(_Table):
    """Resolvers; none: the system's. `127.0.0.1:5300` names a port."""

    nameservers: tuple[str, ...] = ()
    timeout_seconds: float = Field(default=5, gt=0)


class RecipientTable(_Table):
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
        if self.channel is not Channel.MAIL and not _is_safe_url(self.url):
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


class Folders(_Table):
    """Folders whose files stand in for the ones inside the package, file by file; empty: none."""

    templates: str = ""
    rules: str = ""
    locale: str = ""


class Rules(_Table):
    """Folder of the examples that staff keep and `mailbot rules train` learns from, too; empty: none are kept."""

    examples: str = ""


class Logging(_Table):
    """How the log is written: `json` or `console`, from `level` up."""

    format: str = Field(default="console", pattern="^(console|json)$")
    level: str = Field(default="info", pattern="^(debug|info|warning|error)$")


class Config(_Table):
    """The whole configuration. Relative paths in it start at the folder of its file."""

    controller: Controller = Controller()
    mailbox: tuple[Mailbox, ...] = ()
    smtp: Smtp = Smtp()
    lmtp: Lmtp = Lmtp()
    database: Database = Database()
    secrets: Secrets = Secrets()
    platform: PlatformTable = PlatformTable()
    web: Web = Web()
    sender: Sender = Sender()
    attachments: Attachments = Attachments()
    recipient: tuple[RecipientTable, ...] = ()
    dns: Dns = Dns()
    folders: Folders = Folders()
    rules: Rules = Rules()
    logging: Logging = Logging()
    base: Path = Field(default=Path(), exclude=True)
    """The folder of the file; not a key."""

    def path(self, written: str) -> Path:
        """A path as written in the file, from the folder of the file."""
        return (self.base / Path(written).expanduser()).absolute()

    def attachment_limits(self) -> Limits | None:
        """How far attachments are read; None when they are not."""
        table = self.attachments
        return Limits(**table.model_dump(exclude={"read"})) if table.read else None

    def mailboxes(self) -> tuple[MailboxSettings, ...]:
        """Every mailbox with its password. Raises ConfigTrouble for a secret that is missing."""
        return tuple(self._mailbox(number, box) for number, box in enumerate(self.mailbox))

    def smtp_settings(self) -> SmtpSettings:
        """The sending server with its password. Raises ConfigTrouble for a secret that is missing."""
        smtp = self.smtp
        known = smtp.model_dump(include=_SMTP_KEYS)
        ca_file = self.path(smtp.ca_file) if smtp.ca_file else None
        oauth2 = self._oauth2("smtp.oauth2", smtp.oauth2, smtp.username)
        needs_password = smtp.username and oauth2 is None
        password = (
            self._secret("smtp.password", smtp.password_env, smtp.password_file) if needs_password else ""
        )
        return SmtpSettings(**known, ca_file=ca_file, password=password, oauth2=oauth2)

    def recipients(self) -> tuple[Recipient, ...]:
        """Everybody who is told of changes, with the secrets. Raises ConfigTrouble for one that is missing or used
        under one name twice."""
        names = [one.name for one in self.recipient]
        if len(set(names)) < len(names):
            raise ConfigTrouble(
                "recipient: two have the same name; what each was told is logged under its name"
            )
        return tuple(self._recipient(number, one) for number, one in enumerate(self.recipient))

    def _recipient(self, number: int, table: RecipientTable) -> Recipient:
        key = f"recipient[{number}]"
        secret, authorization = (
            self._secret(f"{key}.{name}", variable, file) if variable or file else ""
            for name, variable, file in (
                ("secret", table.secret_env, table.secret_file),
                ("authorization", table.authorization_env, table.authorization_file),
            )
        )
        return Recipient(
            name=table.name,
            channel=table.channel,
            kinds=table.kinds,
            categories=frozenset(table.categories),
            address=table.address,
            language=table.language,
            url=table.url,
            secret=_signing_secret(f"{key}.secret", secret) if secret else b"",
            authorization=authorization,
            ca_file=self.path(table.ca_file) if table.ca_file else None,
        )

    def unsubscribe_address(self) -> str:
        """Where `unsubscribe+TOKEN@` is taken, whether or not our links name it."""
        domain = self.controller.privacy_address.rpartition("@")[2]
        return self.lmtp.unsubscribe_address or f"unsubscribe@{domain}"

    def master_keys(self) -> tuple[bytes, ...]:
        """The master keys, newest first. Raises ConfigTrouble when there is none or one is not 32 bytes."""
        text = self._secret("secrets.key", self.secrets.key_env, self.secrets.key_file)
        try:
            keys = tuple(base64.b64decode(word, validate=True) for word in text.split())
        except binascii.Error:
            keys = ()
        if not keys or any(len(key) != 32 for key in keys):
            raise ConfigTrouble(
                "secrets.key: each key must be 32 bytes in base64; make one with `openssl rand -base64 32`"
            )
        return keys

    def api_key(self) -> str | None:
        """The bearer key of the API; None: the API answers nobody."""
        web = self.web
        present = (web.api_key_env and web.api_key_env in os.environ) or web.api_key_file
        return self._secret("web.api_key", web.api_key_env, web.api_key_file) if present else None

    def database_url(self) -> str:
        """The URL of mailbot's own database; SQLite files stand relative to the configuration."""
        return self._url("database.url", self.database.url, self.database.url_env)

    def platform_url(self) -> str:
        """The URL of the platform's database."""
        return self._url("platform.url", self.platform.url, self.platform.url_env)

    def platform_api(self) -> HttpSettings:
        """How the platform's API is asked. Raises ConfigTrouble for a URL or secret that cannot be used."""
        url, table = self.platform_url(), self.platform.http
        try:
            _secure_url(url)
        except ValueError as error:
            raise ConfigTrouble(f"platform.url: {error}") from None
        secret = self._secret("platform.http.secret", table.secret_env, table.secret_file)
        if len(secret) < 32:
            raise ConfigTrouble(
                "platform.http.secret: is shorter than 32 characters; make one with `openssl rand -hex 32`"
            )
        return HttpSettings(
            url=url,
            key_id=table.key_id,
            secret=secret.encode(),
            ca_file=str(self.path(table.ca_file)) if table.ca_file else "",
            timeout_seconds=table.timeout_seconds,
            attempts=table.attempts,
            max_answer_bytes=table.max_answer_bytes,
        )

    def file_stores(self) -> dict[str, StoreSettings]:
        """Every store of files by its name. Raises ConfigTrouble for a secret that is missing."""
        return {name: self._file_store(name, table) for name, table in self.platform.stores.items()}

    def _file_store(self, name: str, table: FileStoreTable) -> StoreSettings:
        if table.root:
            return self.path(table.root)
        key = f"platform.stores.{name}"
        has_keys = table.access_key_env or table.access_key_file
        return S3Settings(
            name=name,
            access_key=self._secret(f"{key}.access_key", table.access_key_env, table.access_key_file)
            if has_keys
            else "",
            secret_key=self._secret(f"{key}.secret_key", table.secret_key_env, table.secret_key_file)
            if has_keys
            else "",
            ca_file=str(self.path(table.ca_file)) if table.ca_file else "",
            **table.model_dump(include=_S3_KEYS),
        )

    def _url(self, key: str, written: str, variable: str) -> str:
        url = self._secret(key, variable, "") if variable else written
        plain, relative = "sqlite:///", url.removeprefix("sqlite:///")
        is_relative = url.startswith(plain) and relative and not relative.startswith(("/", ":"))
        return plain + str(self.path(relative)) if is_relative else url

    def _mailbox(self, number: int, box: Mailbox) -> MailboxSettings:
        key = f"mailbox[{number}]"
        known = box.model_dump(exclude={"password_env", "password_file", "ca_file", "oauth2"})
        ca_file = self.path(box.ca_file) if box.ca_file else None
        oauth2 = self._oauth2(f"{key}.oauth2", box.oauth2, box.username)
        password = "" if oauth2 else self._secret(f"{key}.password", box.password_env, box.password_file)
        return MailboxSettings(**known, ca_file=ca_file, password=password, oauth2=oauth2)

    def _oauth2(self, key: str, table: OAuth2 | None, username: str) -> OAuth2Settings | None:
        if table is None:
            return None
        secrets = {
            name: self._secret(f"{key}.{name}", variable, file) if variable or file else ""
            for name, variable, file in (
                ("client_secret", table.client_secret_env, table.client_secret_file),
                ("refresh_token", table.refresh_token_env, table.refresh_token_file),
            )
        }
        ca_file = self.path(table.ca_file) if table.ca_file else None
        account, token_url = None, table.token_url
        if table.service_account_file:
            written = self._secret(f"{key}.service_account", "", table.service_account_file)
            account, its_url = _service_account(f"{key}.service_account_file", written, username)
            token_url = token_url or its_url
        return OAuth2Settings(
            token_url,
            table.client_id,
            scope=table.scope or ("https://mail.google.com/" if account else ""),
            service_account=account,
            ca_file=ca_file,
            ends_on=table.secret_ends,
            **secrets,
        )

    def _secret(self, key: str, variable: str, file: str) -> str:
        if file:
            return _read_secret(key, self.path(file))
        if not variable:
            raise ConfigTrouble(
                f"{key}_env is not set: name the environment variable or the file ({key}_file)"
            )
        if variable not in os.environ:
            raise ConfigTrouble(f"{key}_env: the environment variable {variable} is not set")
        return os.environ[variable]


def _is_safe_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and not parts.username and not parts.fragment
        return is_whole and (
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        )
    except ValueError:
        return False


def _signing_secret(key: str, written: str) -> bytes:
    try:
        secret = base64.b64decode(written.strip().removeprefix("whsec_"), validate=True)
    except binascii.Error:
        secret = b""
    if len(secret) < _SHORTEST_SIGNING_SECRET:
        raise ConfigTrouble(
            f"{key}: must be at least 24 bytes in base64; make one with `openssl rand -base64 32`"
        )
    return secret


def listen_address(written: str, key: str = "web.listen") -> tuple[str, int]:
    """Host and port of "127.0.0.1:8025" or "[::1]:8025". Raises ConfigTrouble that names `key`."""
    host, _, port = written.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ConfigTrouble(f'{key}: "{written}" is not an address with a port, such as "127.0.0.1:8025"')
    return host.strip("[]"), int(port)


def load_config(path: Path | None) -> Config:
    """The configuration at `path` (default: $MAILBOT_CONFIG, else ./config.toml).

    Raises ConfigTrouble, naming file, key and mend, for a file that is missing or wrong in any key.
    """
    file = path or Path(os.environ.get("MAILBOT_CONFIG", DEFAULT_PATH))
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigTrouble(f"{file}: cannot be read ({error.strerror}); name it with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigTrouble(f"{file}: not TOML: {error}") from None
    return parse_config(data, file)


def parse_config(data: Mapping[str, Any], file: Path) -> Config:
    """The configuration in `data`; `file` is where it came from. Raises ConfigTrouble."""
    if "base" in data:
        raise ConfigTrouble(f"{file}: base: unknown key; remove it")
    try:
        config = Config.model_validate({**data, "base": file.absolute().parent})
    except ValidationError as error:
        raise ConfigTrouble("\n".join(f"{file}: {_said(problem)}" for problem in error.errors())) from None
    names = [box.name for box in config.mailbox]
    if len(set(names)) < len(names):
        raise ConfigTrouble(f"{file}: mailbox.name: two mailboxes have the same name; rename one")
    return config


def _said(problem: Any) -> str:
    key = ".".join(str(step) for step in problem["loc"])
    match problem["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key; remove it or look for a misspelling"
        case "missing":
            return f"{key}: missing; add it"
        case _:
            return f"{key}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _read_secret(key: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigTrouble(f"{key}_file: {file} cannot be read ({error.strerror})") from None


def _service_account(key: str, written: str, username: str) -> tuple[ServiceAccount, str]:
    """The account of a key file as Google gives it out, and its token_url. Raises ConfigTrouble."""
    try:
        found = json.loads(written)
        email, private_key, key_id, token_url = (
            str(found[name]) for name in ("client_email", "private_key", "private_key_id", "token_uri")
        )
    except (ValueError, KeyError, TypeError):
        raise ConfigTrouble(
            f"{key}: no service account's key file in JSON; download it again from the provider"
        ) from None
    return ServiceAccount(email, private_key, key_id, username), token_url
