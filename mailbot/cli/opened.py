"""The whole program, open and ready, as commands need it."""

from __future__ import annotations

import typer

from mailbot.app import App, build_app
from mailbot.cli.configured import read_config, resolver
from mailbot.cli.stored import make_store


def open_app(ctx: typer.Context) -> App:
    """The whole program on an open store. Raises ConfigTrouble, ResourceTrouble, StoreTrouble or KeyTrouble."""
    config = read_config(ctx)
    make_store(config)  # says which key is wrong, where building says only what
    resolver(config)
    app = build_app(config)
    app.store.open()
    return app
