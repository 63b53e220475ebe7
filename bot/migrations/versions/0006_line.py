"""The index by which a worker finds the first job in line, however many wait."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("job_line", table_name="job")
    op.create_index("job_line", "job", ["queue", "state", "approved_at", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("job_line", table_name="job")
    op.create_index("job_line", "job", ["queue", "state"], unique=False)
