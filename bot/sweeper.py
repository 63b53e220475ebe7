"""The sweeper process: it rings for what is due, tends open quotes and has providers tidied; it does no work itself."""

import logging
import threading
from datetime import timedelta

from sqlalchemy.exc import OperationalError

from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.schema import check_schema
from bot.wiring import build_deps, housekeepers
from handlers.deps import Deps
from knowledge.errors import LuthierError
from trainers.backends.base import Housekeeper
from trainers.jobs.learning import sweep_folders
from trainers.jobs.ledger import LEASE
from trainers.jobs.run import sweep
from trainers.jobs.tidy import tidy

log = logging.getLogger("luthier.sweeper")

EVERY = 2.0
"""Seconds between two looks while a lease has its usual length."""

TIDY_EVERY = 30.0
"""Seconds between two looks at a provider."""


def run(settings: Settings, over: threading.Event) -> None:
    """Sweep until `over` is set; a database that is busy is asked again."""
    engine = open_engine(settings.database)
    check_schema(engine)
    deps = build_deps(settings, engine)
    keep = timedelta(seconds=settings.provider_keep)
    tidying = [  # in threads of their own: a slow provider keeps nobody's bell waiting
        threading.Thread(target=_tidy, args=(deps, keeper, keep, over), daemon=True)
        for keeper in housekeepers(settings)
    ]
    for thread in tidying:
        thread.start()
    every = EVERY * (deps.jobs.ledger.lease / LEASE)
    while not over.wait(every):
        try:
            sweep(deps.jobs.ledger, deps.jobs.ring, deps.clock())
            deps.jobs.tend_quotes(deps.clock())
            sweep_folders(deps.jobs.ledger, deps.datasets.folder, deps.clock())
        except OperationalError as error:
            log.warning("the database did not answer (%s); going on", type(error.orig).__name__)
    for thread in tidying:
        thread.join(1)
    engine.dispose()


def _tidy(deps: Deps, keeper: Housekeeper, keep: timedelta, over: threading.Event) -> None:
    """Remove now and then what jobs left at a provider; what does not work now works later."""
    while not over.wait(TIDY_EVERY):
        try:
            tidy(deps.jobs.ledger, keeper, deps.clock(), keep)
        except (LuthierError, OperationalError) as error:
            log.warning("%s could not be tidied (%s); going on", keeper.provider, type(error).__name__)
