"""Evaluation plans; one that is frozen stays as it is."""

import sqlalchemy as sa
from alembic import op

from bot.store.triggers import allow, refuse

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WHY = "a frozen evaluation plan stays as it is"


def upgrade() -> None:
    op.create_table(
        "eval_plan",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("test_sha256", sa.String(), nullable=False),
        sa.Column("frozen_at", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace_id", "name"),
    )
    for what in ("UPDATE", "DELETE"):
        refuse(op.get_bind(), "eval_plan", f"eval_plan_{what.lower()}", what, "OLD.frozen_at IS NOT NULL", WHY)


def downgrade() -> None:
    for what in ("update", "delete"):
        allow(op.get_bind(), "eval_plan", f"eval_plan_{what}")
    op.drop_table("eval_plan")
