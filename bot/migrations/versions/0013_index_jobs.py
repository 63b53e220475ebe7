"""Jobs that index documents: they have no data set, and files or addresses of their own that are read once."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with _triggers_kept(), op.batch_alter_table("job") as job:
        job.alter_column("dataset_id", existing_type=sa.String(), nullable=True)
    op.create_table(
        "intake",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("next_step", sa.String(), nullable=False),
        sa.CheckConstraint("state in ('waiting', 'kept', 'failed')", name="intake_state"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"]),
        sa.PrimaryKeyConstraint("job_id", "place"),
    )


def downgrade() -> None:
    op.drop_table("intake")
    # The older version cannot work on a job without a data set, and would trip over it in every list.
    db, job = op.get_bind(), sa.table("job", sa.column("id"), sa.column("dataset_id"))
    without = sa.select(job.c.id).where(job.c.dataset_id.is_(None))
    with _triggers_kept():
        for name in ("outbox_message", "job_event"):
            about = sa.table(name, sa.column("job_id"))
            db.execute(sa.delete(about).where(about.c.job_id.in_(without)))
        db.execute(sa.delete(job).where(job.c.dataset_id.is_(None)))
        with op.batch_alter_table("job") as table:
            table.alter_column("dataset_id", existing_type=sa.String(), nullable=False)


@contextmanager
def _triggers_kept() -> Iterator[None]:
    """Set the triggers of `job` aside: SQLite forgets them when it rebuilds a table, and they hold up a removal."""
    db = op.get_bind()
    if db.dialect.name != "sqlite":
        db.exec_driver_sql("ALTER TABLE job DISABLE TRIGGER USER")
        yield
        db.exec_driver_sql("ALTER TABLE job ENABLE TRIGGER USER")
        return
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'job'"
    kept = db.exec_driver_sql(query).all()
    for name, _ in kept:
        db.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, made in kept:
        db.exec_driver_sql(made)
