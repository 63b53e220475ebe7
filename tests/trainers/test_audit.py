"""The log of a workspace: every entry seals the one before, and whoever tampers with it is found."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

import bot.store.tables  # noqa: F401  # registers every table
from bot.store.engine import open_engine
from trainers import audit

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


def fill(engine: Engine, count: int = 5, workspace: str = "T1") -> None:
    for number in range(count):
        with engine.begin() as connection:
            audit.write(connection, workspace, "U0ADA", "asked for", f"job #{number}", NOON, dollars="4.50")


@pytest.fixture
def unguarded(tmp_path: Path) -> Engine:
    """A database without the triggers: what somebody with the file and an editor has."""
    made = open_engine(f"sqlite:///{tmp_path / 'unguarded.db'}")
    SQLModel.metadata.create_all(made)
    fill(made)
    return made


def test_a_whole_log_is_whole(engine: Engine) -> None:
    """Two workspaces have logs of their own; each verifies, and one that was never written to does too."""
    fill(engine)
    fill(engine, 2, "T2")
    assert [audit.verify(engine, name)[::2] for name in ("T1", "T2", "T3")] == [(5, None), (2, None), (0, None)]
    assert audit.workspaces(engine) == ["T1", "T2"]


def test_many_writers_make_one_chain(engine: Engine) -> None:
    """Eight threads that write at once, the first entries included, leave no gap and no fork."""
    threads = [threading.Thread(target=fill, args=(engine, 10)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert audit.verify(engine, "T1")[::2] == (80, None)


def test_what_is_rolled_back_leaves_no_entry(engine: Engine) -> None:
    """An entry lives and dies with the transaction of what it tells."""
    fill(engine, 1)
    with engine.connect() as connection:
        audit.write(connection, "T1", "U0ADA", "approved", "job #1", NOON)
        connection.rollback()
    assert audit.verify(engine, "T1")[::2] == (1, None)


@pytest.mark.parametrize(
    "statement", ["update audit set who = 'U0EVE' where place = 2", "delete from audit where place = 2"]
)
def test_sql_itself_refuses_to_change_the_log(engine: Engine, statement: str) -> None:
    """Neither database lets anybody change or remove an entry."""
    fill(engine)
    with pytest.raises(IntegrityError, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement))
    assert audit.verify(engine, "T1")[::2] == (5, None)


def _insert(connection: Connection) -> None:
    connection.execute(text("update audit set place = place + 10 where place >= 3"))
    connection.execute(text("update audit set place = place - 9 where place >= 13"))
    connection.execute(
        text(
            "insert into audit select workspace_id, 3, at, who, what, subject, detail, previous, hash from audit"
            " where place = 2"
        )
    )


def _swap(connection: Connection) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        connection.execute(text("update audit set place = :new where place = :old"), {"old": old, "new": new})


TAMPERING: dict[str, tuple[Callable[[Connection], object], int]] = {
    **{
        f"{column} changed": (
            lambda c, column=column: c.execute(text(f"update audit set {column} = '7' where place = 3")),
            3,
        )
        for column in ("who", "what", "subject", "detail", "previous", "hash", "at")
    },
    "removed": (lambda c: c.execute(text("delete from audit where place = 3")), 3),
    "reordered": (_swap, 2),
    "inserted": (_insert, 3),
    "tail cut": (lambda c: c.execute(text("delete from audit where place >= 4")), 4),
    "all removed": (lambda c: c.execute(text("delete from audit")), 1),
    "head set back": (lambda c: c.execute(text("update audit_head set place = 3")), 6),
    "head removed": (lambda c: c.execute(text("delete from audit_head")), 6),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_is_found_at_its_place(unguarded: Engine, name: str) -> None:
    """Whatever is changed, removed, moved, added or cut off is found, and the first wrong place is named."""
    tamper, place = TAMPERING[name]
    with unguarded.begin() as connection:
        tamper(connection)
    assert audit.verify(unguarded, "T1").broken_at == place


def test_a_cut_that_forges_the_head_is_found_with_a_kept_head(unguarded: Engine) -> None:
    """Who cuts the tail and rewrites the head leaves a log that looks whole; a head noted before tells."""
    kept = audit.verify(unguarded, "T1").head
    with unguarded.begin() as connection:
        connection.execute(text("delete from audit where place > 3"))
        connection.execute(text("update audit_head set place = 3, hash = (select hash from audit where place = 3)"))
    assert audit.verify(unguarded, "T1").broken_at is None
    assert audit.verify(unguarded, "T1", kept).broken_at == 4
    fill(unguarded)
    assert audit.verify(unguarded, "T1", kept).broken_at is not None
