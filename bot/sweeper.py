"""The sweeper process: it rings for what is due or abandoned and tends open quotes; it does no work itself."""

import logging
import threading

from sqlalchemy.exc import OperationalError

from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.schema import check_schema
from bot.wiring import build_deps
from trainers.jobs.ledger import LEASE
from trainers.jobs.run import sweep

log = logging.getLogger("luthier.sweeper")

EVERY = 2.0
"""Seconds between two looks while a lease has its usual length."""


def run(settings: Settings, over: threading.Event) -> None:
    """Sweep until `over` is set; a database that is busy is asked again."""
    engine = open_engine(settings.database)
    check_schema(engine)
    deps = build_deps(settings, engine)
    every = EVERY * (deps.jobs.ledger.lease / LEASE)
    while not over.wait(every):
        try:
            sweep(deps.jobs.ledger, deps.jobs.ring, deps.clock())
            deps.jobs.tend_quotes(deps.clock())
        except OperationalError as error:
            log.warning("the database did not answer (%s); going on", type(error.orig).__name__)
