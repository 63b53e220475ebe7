"""What was wrong with an answer, and which sources it had; which answers are still growing."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMNS = {"question_hash": "", "passages": "[]", "verdict": "", "words": ""}


def upgrade() -> None:
    for name, before in COLUMNS.items():
        op.add_column("rating", sa.Column(name, sa.String(), nullable=False, server_default=before))
    op.create_table(
        "growing_answer",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("asked_ts", sa.String(), nullable=False),
        sa.Column("message_ts", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "channel", "asked_ts"),
    )


def downgrade() -> None:
    op.drop_table("growing_answer")
    for name in reversed(COLUMNS):
        op.drop_column("rating", name)
