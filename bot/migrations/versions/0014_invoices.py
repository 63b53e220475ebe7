"""What providers billed for jobs, and of which retirements the owners of tuned models were warned."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invoice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("dollars", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_invoice_job_id", "invoice", ["job_id"], unique=False)
    op.create_table(
        "retirement_warning",
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("retires_on", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model_version.id"]),
        sa.PrimaryKeyConstraint("model_id", "retires_on", "days"),
    )


def downgrade() -> None:
    op.drop_table("retirement_warning")
    op.drop_index("ix_invoice_job_id", table_name="invoice")
    op.drop_table("invoice")
