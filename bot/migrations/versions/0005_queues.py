"""A queue, a priority and privacy for each job, and until when Slack asked for quiet."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

QUEUES = {"rehearsal": "io", "hosted_rehearsal": "io"}
"""Queues of backends as they were when this was written; every other one is on cpu."""


def upgrade() -> None:
    # Plain ALTER TABLE: SQLite's batch mode would copy the table, and a copy has no triggers.
    op.add_column("job", sa.Column("queue", sa.String(), nullable=False, server_default="cpu"))
    op.add_column("job", sa.Column("priority", sa.String(), nullable=False, server_default="interactive"))
    op.add_column("job", sa.Column("private", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("job_line", "job", ["queue", "state"], unique=False)
    _fill()
    op.create_table(
        "rate_freeze",
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "method", "channel"),
    )


def downgrade() -> None:
    op.drop_table("rate_freeze")
    op.drop_index("job_line", table_name="job")
    for column in ("private", "priority", "queue"):
        op.drop_column("job", column)


def _fill() -> None:
    """Set what is known of older jobs: their queue, and that a thread in direct messages (D…) is private."""
    job = sa.table("job", *(sa.column(name) for name in ("id", "spec", "channel", "queue", "private")))
    db = op.get_bind()
    for found in db.execute(sa.select(job.c.id, job.c.spec, job.c.channel)).all():
        queue = QUEUES.get(str(json.loads(found.spec).get("backend")), "cpu")
        values = {"queue": queue, "private": found.channel[:1] in ("D", "G")}
        db.execute(sa.update(job).where(job.c.id == found.id).values(**values))
