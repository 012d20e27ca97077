"""The whole of config.toml as one object, and what the program asks of it."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field

from mailbot.attachments.protocol import Limits
from mailbot.config import keys, mail_servers, platforms, told
from mailbot.config.lookup import Lookup
from mailbot.config.tables import (
    Attachments,
    Controller,
    Database,
    Dns,
    Folders,
    Lmtp,
    Logging,
    Mailbox,
    PlatformTable,
    RecipientTable,
    Rules,
    Secrets,
    Sender,
    Smtp,
    Table,
    Web,
)
from mailbot.core.telling import Recipient
from mailbot.mail.settings import MailboxSettings, SmtpSettings
from mailbot.platform.http_client import HttpSettings
from mailbot.platform.open_stores import StoreSettings


class Config(Table):
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

    @property
    def _lookup(self) -> Lookup:
        return Lookup(self.base)

    def path(self, written: str) -> Path:
        """A path as written in the file, from the folder of the file."""
        return self._lookup.path(written)

    def attachment_limits(self) -> Limits | None:
        """How far attachments are read; None when they are not."""
        table = self.attachments
        return Limits(**table.model_dump(exclude={"read"})) if table.read else None

    def mailboxes(self) -> tuple[MailboxSettings, ...]:
        """Every mailbox with its password. Raises ConfigTrouble for a secret that is missing."""
        return tuple(
            mail_servers.mailbox_settings(f"mailbox[{number}]", box, self._lookup)
            for number, box in enumerate(self.mailbox)
        )

    def smtp_settings(self) -> SmtpSettings:
        """The sending server with its password. Raises ConfigTrouble for a secret that is missing."""
        return mail_servers.smtp_settings(self.smtp, self._lookup)

    def recipients(self) -> tuple[Recipient, ...]:
        """Everybody who is told of changes, with the secrets. Raises ConfigTrouble for one that is missing or used
        under one name twice."""
        return told.recipients(self.recipient, self._lookup)

    def unsubscribe_address(self) -> str:
        """Where `unsubscribe+TOKEN@` is taken, whether or not our links name it."""
        domain = self.controller.privacy_address.rpartition("@")[2]
        return self.lmtp.unsubscribe_address or f"unsubscribe@{domain}"

    def master_keys(self) -> tuple[bytes, ...]:
        """The master keys, newest first. Raises ConfigTrouble when there is none or one is not 32 bytes."""
        key, table = "secrets.key", self.secrets
        return keys.master_keys(key, self._lookup.secret(key, table.key_env, table.key_file))

    def api_key(self) -> str | None:
        """The bearer key of the API; None: the API answers nobody."""
        web = self.web
        is_given = web.api_key_file or web.api_key_env in os.environ
        return self._lookup.secret("web.api_key", web.api_key_env, web.api_key_file) if is_given else None

    def database_url(self) -> str:
        """The URL of mailbot's own database; SQLite files stand relative to the configuration."""
        return self._lookup.url("database.url", self.database.url, self.database.url_env)

    def platform_url(self) -> str:
        """The URL of the platform's database."""
        return self._lookup.url("platform.url", self.platform.url, self.platform.url_env)

    def platform_api(self) -> HttpSettings:
        """How the platform's API is asked. Raises ConfigTrouble for a URL or secret that cannot be used."""
        return platforms.http_settings(self.platform_url(), self.platform.http, self._lookup)

    def file_stores(self) -> dict[str, StoreSettings]:
        """Every store of files by its name. Raises ConfigTrouble for a secret that is missing."""
        stores = self.platform.stores
        return {name: platforms.store_settings(name, table, self._lookup) for name, table in stores.items()}
