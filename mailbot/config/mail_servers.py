"""How mail servers are reached: their tables with the secrets they name."""

from __future__ import annotations

import json

from mailbot.config.lookup import Lookup
from mailbot.config.tables import Mailbox, OAuth2, Smtp
from mailbot.config.trouble import ConfigTrouble
from mailbot.mail.settings import MailboxSettings, OAuth2Settings, ServiceAccount, SmtpSettings

_SMTP_KEYS = {"host", "port", "security", "username", "max_per_minute", "timeout_seconds", "allow_cleartext"}


def mailbox_settings(key: str, box: Mailbox, lookup: Lookup) -> MailboxSettings:
    """One mailbox with its password. Raises ConfigTrouble for a secret that is missing."""
    known = box.model_dump(exclude={"password_env", "password_file", "ca_file", "oauth2"})
    ca_file = lookup.path_if_named(box.ca_file)
    oauth2 = _oauth2(f"{key}.oauth2", box.oauth2, box.username, lookup)
    password = "" if oauth2 else lookup.secret(f"{key}.password", box.password_env, box.password_file)
    return MailboxSettings(**known, ca_file=ca_file, password=password, oauth2=oauth2)


def smtp_settings(smtp: Smtp, lookup: Lookup) -> SmtpSettings:
    """The sending server with its password. Raises ConfigTrouble for a secret that is missing."""
    known = smtp.model_dump(include=_SMTP_KEYS)
    ca_file = lookup.path_if_named(smtp.ca_file)
    oauth2 = _oauth2("smtp.oauth2", smtp.oauth2, smtp.username, lookup)
    needs_password = smtp.username and oauth2 is None
    password = lookup.secret("smtp.password", smtp.password_env, smtp.password_file) if needs_password else ""
    return SmtpSettings(**known, ca_file=ca_file, password=password, oauth2=oauth2)


def _oauth2(key: str, table: OAuth2 | None, username: str, lookup: Lookup) -> OAuth2Settings | None:
    if table is None:
        return None
    client_secret = lookup.secret_if_named(
        f"{key}.client_secret", table.client_secret_env, table.client_secret_file
    )
    refresh_token = lookup.secret_if_named(
        f"{key}.refresh_token", table.refresh_token_env, table.refresh_token_file
    )
    account, its_url = _service_account(key, table.service_account_file, username, lookup)
    return OAuth2Settings(
        token_url=table.token_url or its_url,
        client_id=table.client_id,
        client_secret=client_secret,
        refresh_token=refresh_token,
        scope=table.scope or ("https://mail.google.com/" if account else ""),
        service_account=account,
        ca_file=lookup.path_if_named(table.ca_file),
        ends_on=table.secret_ends,
    )


def _service_account(key: str, file: str, username: str, lookup: Lookup) -> tuple[ServiceAccount | None, str]:
    """The account of a key file as Google gives it out, and its token_url; None and empty without a file."""
    if not file:
        return None, ""
    written = lookup.secret(f"{key}.service_account", "", file)
    try:
        found = json.loads(written)
        email, private_key, key_id, token_url = (
            str(found[name]) for name in ("client_email", "private_key", "private_key_id", "token_uri")
        )
    except (ValueError, KeyError, TypeError):
        raise ConfigTrouble(
            f"{key}.service_account_file: no service account's key file in JSON; download it again from the provider"
        ) from None
    return ServiceAccount(email, private_key, key_id, username), token_url
