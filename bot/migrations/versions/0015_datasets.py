"""Data sets that are private, shared and deleted, with the files they are from; links under which rows are handed in."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TEXTS = {"sources": "[]", "deleted_by": ""}


def upgrade() -> None:
    op.add_column("dataset", sa.Column("private", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, before in TEXTS.items():
        op.add_column("dataset", sa.Column(name, sa.String(), nullable=False, server_default=before))
    op.add_column("dataset", sa.Column("deleted_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "upload_link",
        sa.Column("secret_sha256", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("secret_sha256"),
    )
    op.create_index("ix_upload_link_expires_at", "upload_link", ["expires_at"])


def downgrade() -> None:
    op.drop_table("upload_link")
    # The older version would train on rows that are not there any more: it finds no data set instead.
    op.get_bind().exec_driver_sql(
        "UPDATE dataset SET name = name || ' (deleted ' || id || ')' WHERE deleted_at IS NOT NULL"
    )
    for name in ("deleted_at", *reversed(TEXTS), "private"):
        op.drop_column("dataset", name)
