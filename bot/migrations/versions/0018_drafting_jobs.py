"""What a row under review covers, beside its kind; jobs in which a language model writes rows."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

LIVE = "'quoted', 'awaiting_approval', 'queued', 'running'"


def upgrade() -> None:
    op.add_column("review_row", sa.Column("cell", sa.String(), nullable=False, server_default="{}"))


def downgrade() -> None:
    # The older version would try to train where these jobs only write; those that have ended do no harm in its lists.
    stop = f"UPDATE job SET state = 'cancelled' WHERE kind = 'drafting' AND state IN ({LIVE})"  # noqa: S608  # ours
    op.get_bind().exec_driver_sql(stop)
    op.drop_column("review_row", "cell")
