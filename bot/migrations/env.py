"""Alembic's entry: it runs on the connection that `bot.store.migrate` hands over, and knows all our tables."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import bot.store.tables  # noqa: F401  # registers every table with SQLModel's metadata
from knowledge.clock import Moment


def render_item(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write plain types into migrations: an old migration must not change when our own types do."""
    plain = {Moment: "sa.BigInteger()", AutoString: "sa.String()"}
    return plain.get(type(item), False) if kind == "type" else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
