"""What people preferred when they saw two answers blind."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "human_label",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("choice in ('base', 'tuned', 'tie')", name="human_label_choice"),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["job.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("job_id", "row", "person"),
    )
    op.create_index("ix_human_label_workspace_id", "human_label", ["workspace_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_human_label_workspace_id", table_name="human_label")
    op.drop_table("human_label")
