"""Legal holds, emergency stops pressed by staff, and when each sweep last ran.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mailbot.store.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables are there, empty."""
    op.create_table(
        "hold",
        sa.Column("address_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("case_reference", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("lifted_at", UtcDateTime(), nullable=True),
    )
    op.create_table(
        "stop",
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("lifted_at", UtcDateTime(), nullable=True),
    )
    op.create_table(
        "sweep",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("ran_at", UtcDateTime(), nullable=False),
        sa.Column("due", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    """As before."""
    op.drop_table("sweep")
    op.drop_table("stop")
    op.drop_table("hold")
