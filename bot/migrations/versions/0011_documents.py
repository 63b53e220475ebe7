"""Documents that teams add, and which passages are theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("collection", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.CheckConstraint("state in ('adding', 'ready', 'removing')", name="document_state"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace_id", "collection", "name"),
    )
    op.add_column("passage", sa.Column("document_id", sa.String(), nullable=False, server_default=""))
    op.add_column("passage", sa.Column("ref", sa.String(), nullable=False, server_default=""))
    op.create_index(op.f("ix_passage_document_id"), "passage", ["document_id"], unique=False)
    op.drop_index(op.f("ix_passage_workspace_id"), table_name="passage")
    op.drop_index(op.f("ix_passage_collection"), table_name="passage")
    op.create_index("passage_marks", "passage", ["workspace_id", "collection", "embedder", "id", "content_hash"])


def downgrade() -> None:
    # The older version knows no documents, and would keep their texts without a way to remove them.
    op.execute("DELETE FROM passage WHERE document_id <> ''")
    op.drop_index("passage_marks", table_name="passage")
    op.create_index(op.f("ix_passage_collection"), "passage", ["collection"], unique=False)
    op.create_index(op.f("ix_passage_workspace_id"), "passage", ["workspace_id"], unique=False)
    op.drop_index(op.f("ix_passage_document_id"), table_name="passage")
    op.drop_column("passage", "ref")
    op.drop_column("passage", "document_id")
    op.drop_table("document")
