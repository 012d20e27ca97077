"""The whole program, open and ready, as commands need it."""

from __future__ import annotations

import typer
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from mailbot.app import App, build_app
from mailbot.cli.configured import read_config, resolver
from mailbot.cli.logs import set_up_logging
from mailbot.cli.stored import make_store, utc_now
from mailbot.config import Config, ConfigTrouble
from mailbot.core.deadlines import legal_deadline
from mailbot.platform.interface import Platform, WalkedPlatform


def open_app(ctx: typer.Context) -> App:
    """The whole program on an open store. Raises ConfigTrouble, ResourceTrouble, StoreTrouble or KeyTrouble."""
    config = read_config(ctx)
    set_up_logging(config.logging)
    app = checked_app(config)
    app.store.open()
    return app


def checked_app(config: Config) -> App:
    """The whole program, nothing opened yet. Raises ConfigTrouble that names the key where building, deep in
    the parts, says only what is wrong."""
    make_store(config)
    resolver(config)
    _check_country(config.controller.country)
    try:
        return build_app(config)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise no_platform_url(error) from None


def walked(platform: Platform) -> WalkedPlatform:
    """The platform, all of whose addresses can be looked at. Raises ConfigTrouble where they cannot."""
    if isinstance(platform, WalkedPlatform):
        return platform
    raise ConfigTrouble("platform.kind: this kind of platform cannot be searched through; only databases can")


def no_platform_url(error: Exception) -> ConfigTrouble:
    """The trouble when SQLAlchemy cannot make an engine of the platform's URL."""
    return ConfigTrouble(
        f"platform.url: no URL that can be opened ({type(error).__name__}); write one such as "
        "postgresql+psycopg://user@host/name or sqlite:///platform.db"
    )


def _check_country(country: str) -> None:
    try:
        legal_deadline(utc_now().date(), country)
    except ValueError as error:
        raise ConfigTrouble(f"controller.country: {error}") from None
