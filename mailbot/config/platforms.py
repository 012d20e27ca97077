"""How the platform and its files are reached: their tables with the secrets they name."""

from __future__ import annotations

from mailbot.config.lookup import Lookup
from mailbot.config.tables import FileStoreTable, PlatformApi
from mailbot.config.trouble import ConfigTrouble
from mailbot.config.values import secure_url
from mailbot.platform.file_store import S3Settings
from mailbot.platform.http_client import HttpSettings
from mailbot.platform.open_stores import StoreSettings

_S3_KEYS = {"bucket", "endpoint_url", "region", "path_style", "prefix", "attempts", "timeout_seconds"}
_SHORTEST_SECRET = 32
"""Characters."""


def http_settings(url: str, table: PlatformApi, lookup: Lookup) -> HttpSettings:
    """How the platform's API is asked. Raises ConfigTrouble for a URL or secret that cannot be used."""
    try:
        secure_url(url)
    except ValueError as error:
        raise ConfigTrouble(f"platform.url: {error}") from None
    return HttpSettings(
        url=url,
        key_id=table.key_id,
        secret=_shared_secret(table, lookup),
        ca_file=str(lookup.path_if_named(table.ca_file) or ""),
        timeout_seconds=table.timeout_seconds,
        attempts=table.attempts,
        max_answer_bytes=table.max_answer_bytes,
    )


def _shared_secret(table: PlatformApi, lookup: Lookup) -> bytes:
    secret = lookup.secret("platform.http.secret", table.secret_env, table.secret_file)
    if len(secret) < _SHORTEST_SECRET:
        raise ConfigTrouble(
            "platform.http.secret: is shorter than 32 characters; make one with `openssl rand -hex 32`"
        )
    return secret.encode()


def store_settings(name: str, table: FileStoreTable, lookup: Lookup) -> StoreSettings:
    """The store of files called `name`. Raises ConfigTrouble for a secret that is missing."""
    if table.root:
        return lookup.path(table.root)
    key = f"platform.stores.{name}"
    return S3Settings(
        name=name,
        access_key=lookup.secret_if_named(f"{key}.access_key", table.access_key_env, table.access_key_file),
        secret_key=lookup.secret_if_named(f"{key}.secret_key", table.secret_key_env, table.secret_key_file),
        ca_file=str(lookup.path_if_named(table.ca_file) or ""),
        **table.model_dump(include=_S3_KEYS),
    )
