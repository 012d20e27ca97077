"""An export counts when it is whole: it is written stretch by stretch.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is there is whole."""
    with op.batch_alter_table("export") as table:
        table.add_column(sa.Column("is_whole", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("export") as table:
        table.alter_column("is_whole", server_default=None)


def downgrade() -> None:
    """As before."""
    with op.batch_alter_table("export") as table:
        table.drop_column("is_whole")
