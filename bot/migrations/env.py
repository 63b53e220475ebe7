"""Alembic's entry: it runs on the connection that `bot.store.migrate` hands over, and knows all our tables."""

from alembic import context
from sqlmodel import SQLModel

import bot.store.tables  # noqa: F401  # registers every table with SQLModel's metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
