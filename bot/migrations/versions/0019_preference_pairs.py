"""Data sets that hold preference pairs; held-out rows that go to a provider beside those to train on."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BEFORE, NOW = "kind in ('upload', 'job', 'deployment')", "kind in ('upload', 'validation', 'job', 'deployment')"


def upgrade() -> None:
    op.add_column("dataset", sa.Column("pairs", sa.Boolean(), nullable=False, server_default=sa.false()))
    _allow(NOW)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DELETE FROM submission WHERE kind = 'validation'")
    _allow(BEFORE)
    op.drop_column("dataset", "pairs")


def _allow(kinds: str) -> None:
    with op.batch_alter_table("submission") as table:
        table.drop_constraint("submission_kind", type_="check")
        table.create_check_constraint("submission_kind", kinds)
