"""Knows how our databases are opened, SQLite or Postgres; it is the one place that makes an engine, and no table."""

import random
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from knowledge.errors import UserError

BUSY_TIMEOUT_MS = 30_000
"""SQLite's busy handler is unfair: waits of 4 s were measured among eight writers, so allow plenty."""

LOOK_AGAIN = (0.0005, 0.003)
"""Seconds between two looks whether the write lock is free, from and to."""

STATEMENT_TIMEOUT_MS = 60_000
"""Postgres ends a statement that takes longer; ours take milliseconds, so it waits for something stuck."""

IDLE_TIMEOUT_MS = 60_000
"""Postgres ends a transaction whose client has gone quiet (SIGSTOP, a lost network), so that its locks come free."""

POOL = {"pool_size": 8, "max_overflow": 40, "pool_timeout": 30, "pool_recycle": 1800, "pool_pre_ping": True}
"""The web process has 32 threads and the inbox's eight; a worker uses one or two connections."""


def open_engine(url: str) -> Engine:
    """Open a database; nothing is connected yet. Raises UserError where the address names none that we know.

    A transaction that only reads says `engine.execution_options(reading=True)`. Whatever is written, text with NUL or
    half a surrogate pair raises UserError before it is sent: SQLite would keep what Postgres refuses. Errors of either
    name no value that was to be stored.
    """
    address = _address(url)
    engine = _open_sqlite(address) if address.get_backend_name() == "sqlite" else _open_postgres(address)
    event.listen(engine, "before_cursor_execute", _refuse_unkeepable)
    return engine


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise UserError("DATABASE_URL is no database address.", _EXAMPLE) from error
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise UserError(f"DATABASE_URL names {address.get_backend_name()}, which Luthier cannot use.", _EXAMPLE)
    return address


_EXAMPLE = "Give one like postgresql://user:password@host/luthier, or leave it out for SQLite."


def _open_sqlite(address: URL) -> Engine:
    """On SQLite a transaction takes the write lock when it starts, so no upgrade can deadlock.

    WAL for readers beside a writer, `synchronous=FULL` because an intent must survive a power cut, foreign keys on,
    `secure_delete` because forgotten text must not stay in the file.
    """
    if address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    arguments = {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
    engine = create_engine(address, connect_args=arguments, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # sqlite3's own switch: we send BEGIN ourselves, below
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once, unless the caller said `execution_options(reading=True)`."""
    options = connection.get_execution_options()
    if options.get("migrating", False):  # SQLite rebuilds tables, and can switch this only outside of a transaction
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    if options.get("reading", False):
        connection.exec_driver_sql("BEGIN")
    elif not _take_turn(connection.connection.dbapi_connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # too late: this says so


def _take_turn(driver: Any) -> bool:
    """Begin to write as soon as nobody else does; False where that took longer than the connection's busy timeout.

    SQLite's own wait sleeps up to a tenth of a second between two looks: among eight busy writers the longest wait was
    1.4 to 1.8 s, with this one 0.13 to 0.2 s and a third more transactions. A look costs some microseconds.
    """
    (limit,) = driver.execute("PRAGMA busy_timeout").fetchone()
    until = time.monotonic() + limit / 1000
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return True
            except sqlite3.OperationalError as busy:
                if busy.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                    return False
            time.sleep(random.uniform(*LOOK_AGAIN))  # noqa: S311  # so that waiting writers keep out of step
    finally:
        driver.execute(f"PRAGMA busy_timeout={limit}")


def _open_postgres(address: URL) -> Engine:
    """On Postgres a transaction sees what was committed before each statement: guards in WHERE and row locks decide.

    Raises UserError where the driver is not installed.
    """
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    known = {"connect_timeout": "10", "application_name": "luthier"}
    try:
        engine = create_engine(address.update_query_dict({**known, **address.query}), hide_parameters=True, **POOL)
    except (ModuleNotFoundError, NoSuchModuleError) as missing:
        raise UserError(
            "DATABASE_URL names Postgres, and its driver is not installed.", "Run `pip install 'luthier[postgres]'`."
        ) from missing
    event.listen(engine, "connect", _prepare_postgres)
    event.listen(engine, "begin", _begin_postgres)
    return engine


def _prepare_postgres(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.autocommit = True
    for setting, milliseconds in (
        ("lock_timeout", BUSY_TIMEOUT_MS),
        ("statement_timeout", STATEMENT_TIMEOUT_MS),
        ("idle_in_transaction_session_timeout", IDLE_TIMEOUT_MS),
    ):
        connection.execute(f"SET {setting} = {milliseconds}")
    connection.autocommit = False


def _begin_postgres(connection: Connection) -> None:
    """Let the server hold a reader to its word; the driver sends it with its BEGIN."""
    driver: Any = connection.connection.dbapi_connection
    driver.read_only = bool(connection.get_execution_options().get("reading", False))


def _refuse_unkeepable(_connection: Any, _cursor: Any, _statement: str, parameters: Any, *_: Any) -> None:
    for text in _texts(parameters):
        if "\x00" in text or not (text.isascii() or _has_bytes(text)):
            raise UserError(
                "That text holds a character that cannot be kept (NUL, or half of a surrogate pair).",
                "Take it out and send the text again.",
            )


def _texts(parameters: Any) -> Iterator[str]:
    if isinstance(parameters, str):
        yield parameters
    elif isinstance(parameters, Mapping):
        yield from _texts(tuple(parameters.values()))
    elif isinstance(parameters, Sequence) and not isinstance(parameters, bytes):
        for each in parameters:
            yield from _texts(each)


def _has_bytes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
