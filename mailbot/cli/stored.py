"""Mailbot's own database as commands get it."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from mailbot.cli.configured import read_config
from mailbot.cli.logs import set_up_logging
from mailbot.config import Config, ConfigTrouble
from mailbot.store.database import Store, StoreTrouble
from mailbot.store.encryption import Keyring


def make_store(config: Config) -> Store:
    """The store, not opened yet. Raises ConfigTrouble for a URL or a key that cannot be used."""
    keyring = Keyring(config.master_keys())
    try:
        return Store(config.database_url(), keyring)
    except StoreTrouble as trouble:
        raise ConfigTrouble(f"database.url: {trouble}") from None


def open_store(ctx: typer.Context) -> Store:
    """The store, open. Raises ConfigTrouble, StoreTrouble or KeyTrouble."""
    config = read_config(ctx)
    set_up_logging(config.logging)
    store = make_store(config)
    store.open()
    return store


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)
