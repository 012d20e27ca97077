"""Recipients of data that are told of deletions and corrections, and the work of telling them.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table is there, and work can name its rows."""
    op.create_table(
        "told_recipient",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), _foreign("case.id"), nullable=False),
        sa.Column("request_id", sa.Uuid(), _foreign("request.id"), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=True),
        sa.Column("letter_id", sa.Uuid(), _foreign("letter.id"), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_answer", sa.String(), nullable=False),
        sa.UniqueConstraint("request_id", "recipient"),
    )
    for name in ("case_id", "request_id", "letter_id"):
        op.create_index(f"ix_told_recipient_{name}", "told_recipient", [name])
    with op.batch_alter_table("work") as table:
        table.add_column(sa.Column("telling_id", sa.Uuid(), nullable=True))
        table.create_foreign_key(
            "fk_work_telling_id",
            "told_recipient",
            ["telling_id"],
            ["id"],
            deferrable=True,
            initially="DEFERRED",
        )


def downgrade() -> None:
    """As before."""
    with op.batch_alter_table("work") as table:
        table.drop_constraint("fk_work_telling_id", type_="foreignkey")
        table.drop_column("telling_id")
    op.drop_table("told_recipient")


def _foreign(target: str) -> sa.ForeignKey:
    return sa.ForeignKey(target, deferrable=True, initially="DEFERRED")
