"""Work on a message (its sender is looked up again), and which group a mail counts in when many come at once.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The columns are there, empty."""
    with op.batch_alter_table("work") as table:
        table.add_column(sa.Column("message_id", sa.Uuid(), nullable=True))
        table.create_foreign_key(
            "fk_work_message_id", "message", ["message_id"], ["id"], deferrable=True, initially="DEFERRED"
        )
    with op.batch_alter_table("message") as table:
        table.add_column(sa.Column("group_hash", sa.LargeBinary(), nullable=True))
        table.create_index("ix_message_group_hash", ["group_hash"])


def downgrade() -> None:
    """As before."""
    with op.batch_alter_table("message") as table:
        table.drop_index("ix_message_group_hash")
        table.drop_column("group_hash")
    with op.batch_alter_table("work") as table:
        table.drop_constraint("fk_work_message_id", type_="foreignkey")
        table.drop_column("message_id")
