"""Tuned models that stay at their provider: where, under which names, from which rows and quote, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TEXTS = {
    "backend": "local",
    "remote_id": "",
    "remote_base": "",
    "data_sha256": "",
    "quote_hash": "",
    "retires_on": "",
}


def upgrade() -> None:
    for name, before in TEXTS.items():
        op.add_column("model_version", sa.Column(name, sa.String(), nullable=False, server_default=before))


def downgrade() -> None:
    # The older version would look for an adapter of theirs on this machine.
    op.get_bind().exec_driver_sql(
        "DELETE FROM retirement_warning WHERE model_id IN (SELECT id FROM model_version WHERE remote_id <> '')"
    )
    op.get_bind().exec_driver_sql("DELETE FROM model_version WHERE remote_id <> ''")
    for name in reversed(TEXTS):
        op.drop_column("model_version", name)
