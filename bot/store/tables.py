"""Knows every table of the database by importing whoever owns it, and owns the inbox; it does not query."""

from datetime import datetime

from sqlmodel import Field, SQLModel

import knowledge.conversations  # registers its table
import knowledge.feedback
import knowledge.growing
import knowledge.tables  # noqa: F401  # the same
import trainers.api.tables  # the same
import trainers.data.links
import trainers.jobs.intake
import trainers.jobs.records  # the same
import trainers.tables  # noqa: F401  # the same
from knowledge.clock import Moment


class InboxRow(SQLModel, table=True):
    """One request from Slack, kept until its work is done; the body is emptied then, because we keep no Slack data."""

    __tablename__ = "inbox"

    key: str = Field(primary_key=True)
    body: str
    headers: str
    state: str = Field(index=True)
    tries: int = 0
    received_at: datetime | None = Field(default=None, sa_type=Moment, nullable=False)
    due_at: datetime | None = Field(default=None, sa_type=Moment, index=True)
