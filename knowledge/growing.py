"""Remembers which answers are growing in Slack, so that a half one of a killed process is found; it keeps no text."""

from sqlalchemy import Engine, delete
from sqlmodel import Field, Session, SQLModel, select

from knowledge.conversations import Thread
from knowledge.rows import add_if_absent


class GrowingAnswer(SQLModel, table=True):
    """A message that grows in answer to another; the row goes when it is whole."""

    __tablename__ = "growing_answer"

    workspace_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    asked_ts: str = Field(primary_key=True)
    """The message that is being answered."""
    message_ts: str
    """The answer."""


class Growing:
    """The answers that grow in one installation; each method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        """Take the database."""
        self._engine = engine

    def begun(self, thread: Thread, asked_ts: str, message_ts: str) -> None:
        """Remember that an answer began to grow."""
        with self._engine.begin() as connection:
            add_if_absent(connection, _rows, **_key(thread, asked_ts), message_ts=message_ts)

    def half(self, thread: Thread, asked_ts: str) -> str:
        """Return the message that began to grow in answer to another and was never ended, or ""."""
        query = select(GrowingAnswer.message_ts).filter_by(**_key(thread, asked_ts))
        with Session(self._engine.execution_options(reading=True)) as session:
            return session.exec(query).first() or ""

    def ended(self, thread: Thread, asked_ts: str) -> None:
        """Forget an answer that is whole or gone."""
        with self._engine.begin() as connection:
            connection.execute(delete(_rows).filter_by(**_key(thread, asked_ts)))


_rows = GrowingAnswer.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


def _key(thread: Thread, asked_ts: str) -> dict[str, str]:
    return {"workspace_id": thread.workspace_id, "channel": thread.channel, "asked_ts": asked_ts}
