"""Knows how a database is brought to the newest schema, by one process at a time; it does not know the tables."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from bot.store.schema import is_newest, refuse_newer
from knowledge.errors import ServiceError

TURN = 7_105_411
"""Number of the advisory lock that migrating processes queue for on Postgres, whichever machine they are on."""


def migrate(engine: Engine, run: Path, to: str = "head") -> None:
    """Bring the schema to head in one transaction; a second process waits its turn and then finds nothing to do.

    Killed at any moment it leaves the schema as it was. Raises UserError where a newer version has been here.
    """
    if to == "head" and is_newest(engine):
        return
    from bot.store.steps import go  # half a second of imports that only a new schema pays, and no call of a command

    with _turn(run), _alone(engine) as connection:
        refuse_newer(connection)
        go(connection, to)
        _check_references(connection)


@contextmanager
def _turn(run: Path) -> Iterator[None]:
    """Wait for other processes on this data folder."""
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (run / "migrate.lock").open("ab") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that no other migration runs beside, on a connection that is used for nothing else."""
    with engine.execution_options(migrating=True).connect() as connection:
        connection.detach()
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TURN})")
            yield connection


def _check_references(connection: Connection) -> None:
    """SQLite did not look at foreign keys meanwhile; what a migration broke must not be committed."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        raise ServiceError(f"Rows of {tables} refer to rows that do not exist.", "Nothing was changed; report this.")
