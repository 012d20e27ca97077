"""Alembic's environment: migrations run on the connection the store gives."""

import sqlmodel
from alembic import context

from mailbot.store import tables

assert tables.Case.metadata is sqlmodel.SQLModel.metadata  # noqa: S101 (the tables must be loaded before comparing)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=sqlmodel.SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
