"""Knows whose clock an installation goes by: this machine's, or the database server's where machines share one."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from knowledge.clock import Clock, utc_now

log = logging.getLogger("luthier.store")

ASK_EVERY = 5.0
"""Seconds between two looks at the server's clock: a third of a lease."""


def open_clock(engine: Engine) -> Clock:
    """Return the clock by which leases on this database run: workers on two machines must never compare their own."""
    return ServerClock(engine) if engine.dialect.name == "postgresql" else utc_now


class ServerClock:
    """The database server's clock, read now and then and counted on in between."""

    def __init__(self, engine: Engine) -> None:
        """Take the database; it is asked at the first call."""
        self._engine = engine.execution_options(reading=True)
        self._lock = threading.Lock()
        self._read: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        """Return the server's present; while it does not answer, what it should be by now."""
        with self._lock:
            moment, counter = self._read or self._ask()
            if time.monotonic() - counter > ASK_EVERY:
                try:
                    moment, counter = self._ask()
                except SQLAlchemyError as error:
                    log.warning("the database does not tell the time (%s); counting on", type(error).__name__)
            return moment + timedelta(seconds=time.monotonic() - counter)

    def _ask(self) -> tuple[datetime, float]:
        with self._engine.connect() as connection:
            began = time.monotonic()
            told: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        self._read = told.astimezone(UTC), (began + time.monotonic()) / 2
        return self._read
