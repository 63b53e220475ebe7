"""Knows what SQLite and Postgres say differently, so that whoever writes rows need not; it knows no table."""

from typing import Any

from sqlalchemy import Connection, Engine, Table, text
from sqlalchemy.dialects import postgresql, sqlite


def add_if_absent(connection: Connection, table: Table, **values: Any) -> bool:
    """Insert a row unless one with the same unique columns is there, also one that is being inserted right now."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    added = insert(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(added).first() is not None


def alone(connection: Connection, what: str) -> None:
    """Wait until no other transaction is alone with the same name, and keep the others out until this one ends.

    For what no row stands for yet, such as the next number; a row that exists is locked by `with_for_update`.
    On SQLite a writing transaction is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 7105411))"), {"what": what})


def scrub(engine: Engine) -> bool:
    """Take the bytes of rows that were deleted out of the database's files; False where somebody is in the way.

    SQLite overwrites what it deletes (`secure_delete`), and the log beside the file holds older pages until it is cut
    to nothing, which waits as long as for any writer. Postgres frees the space; its write-ahead log and its backups
    are kept as its operator set them up.
    """
    connection = engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        if engine.dialect.name != "postgresql":
            return not driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        before, driver.autocommit = driver.autocommit, True
        try:
            driver.execute("VACUUM passage, document")
        except engine.dialect.loaded_dbapi.OperationalError:  # it ran into the limit of a statement
            return False
        finally:  # whoever gets this connection next relies on transactions
            driver.autocommit = before
        return True
    finally:
        connection.close()
