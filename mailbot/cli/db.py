"""`mailbot db`: mailbot's own database."""

from __future__ import annotations

import typer
from alembic.runtime.migration import MigrationContext

from mailbot.cli.configured import read_config
from mailbot.cli.logs import set_up_logging
from mailbot.cli.options import settings_of
from mailbot.cli.output import print_json, say
from mailbot.cli.stored import make_store
from mailbot.store.database import Store

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def db() -> None:
    """Mailbot's own database."""


@app.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the schema to the newest revision; doing it again changes nothing."""
    config = read_config(ctx)
    set_up_logging(config.logging)
    store = make_store(config)
    before = store.schema_state()
    store.upgrade()
    revision = _revision(store)
    if settings_of(ctx).json:
        print_json({"revision": revision, "was": before, "state": store.schema_state()})
    else:
        say(f"The database schema is at revision {revision} (it was {before}).")


def _revision(store: Store) -> str | None:
    with store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
