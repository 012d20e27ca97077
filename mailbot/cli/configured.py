"""The configuration as commands get it."""

from __future__ import annotations

import os

import typer

from mailbot.cli.options import settings_of
from mailbot.config import DEFAULT_PATH, Config, ConfigTrouble, load_config, parse_config
from mailbot.mail.dns import Dns


def read_config(ctx: typer.Context) -> Config:
    """The configuration named on the line. Raises ConfigTrouble."""
    return load_config(settings_of(ctx).config)


def read_config_or_defaults(ctx: typer.Context) -> Config:
    """The same; without any configuration the defaults. Raises ConfigTrouble for a named one that is missing."""
    named = settings_of(ctx).config or os.environ.get("MAILBOT_CONFIG")
    return read_config(ctx) if named or DEFAULT_PATH.exists() else parse_config({}, DEFAULT_PATH)


def resolver(config: Config) -> Dns:
    """DNS as configured. Raises ConfigTrouble naming the key."""
    try:
        return Dns(config.dns.nameservers, config.dns.timeout_seconds)
    except ValueError as error:
        raise ConfigTrouble(f"dns.nameservers: {error}") from None
