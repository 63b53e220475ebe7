"""Data sets whose rows call tools or show pictures."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("calls", "pictures"):
        op.add_column("dataset", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for name in ("pictures", "calls"):
        op.drop_column("dataset", name)
