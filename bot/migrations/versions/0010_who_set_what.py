"""Who set each fact of a thread, and which questions were skipped there."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversation", sa.Column("origins", sa.String(), nullable=False, server_default="{}"))
    op.add_column("conversation", sa.Column("skipped", sa.String(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("conversation", "skipped")
    op.drop_column("conversation", "origins")
