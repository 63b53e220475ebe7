"""Rows under review, and every version of each."""

import sqlalchemy as sa
from alembic import op

from bot.store.triggers import allow, refuse

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("spec", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("thread_ts", sa.String(), nullable=False),
        sa.Column("card_ts", sa.String(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_by", sa.String(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("posting_at", sa.BigInteger(), nullable=True),
        sa.Column("posted", sa.String(), nullable=False),
        sa.CheckConstraint("purpose in ('test', 'train')", name="review_purpose"),
        sa.CheckConstraint("state in ('open', 'finishing', 'finished', 'discarded')", name="review_state"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_review_workspace_id"), "review", ["workspace_id"], unique=False)
    op.create_table(
        "review_row",
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("messages", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("provenance", sa.String(), nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status in ('draft', 'kept', 'dropped')", name="review_row_status"),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"]),
        sa.PrimaryKeyConstraint("review_id", "place"),
    )
    op.create_table(
        "review_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("messages", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("review_change_row", "review_change", ["review_id", "place", "version"], unique=False)
    # Deleting stays possible: a team may want its rows gone altogether.
    why = "review_change keeps what was written"
    refuse(op.get_bind(), "review_change", "review_change_update", "UPDATE", "true", why)


def downgrade() -> None:
    allow(op.get_bind(), "review_change", "review_change_update")
    op.drop_index("review_change_row", table_name="review_change")
    op.drop_table("review_change")
    op.drop_table("review_row")
    op.drop_index(op.f("ix_review_workspace_id"), table_name="review")
    op.drop_table("review")
