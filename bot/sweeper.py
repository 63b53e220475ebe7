"""The sweeper process: it rings, tends quotes, warns of retirements, has providers tidied; it does no work itself."""

import logging
import threading
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import OperationalError

from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.schema import check_schema
from bot.wiring import build_deps, housekeepers
from handlers.deps import Deps
from knowledge.errors import LuthierError, UserError
from trainers.backends.base import Housekeeper
from trainers.costs.overlay import shelf_in
from trainers.data.keeping import sweep_deleted
from trainers.jobs.draft_tidy import sweep_drafts
from trainers.jobs.learning import sweep_folders
from trainers.jobs.ledger import LEASE
from trainers.jobs.retirements import warn
from trainers.jobs.run import sweep
from trainers.jobs.tidy import tidy

log = logging.getLogger("luthier.sweeper")

EVERY = 2.0
"""Seconds between two looks while a lease has its usual length."""

TIDY_EVERY = 30.0
"""Seconds between two looks at a provider."""

WARN_EVERY = 3600.0
"""Seconds between two looks at what goes dark, and at deletions that were cut short; the first one is at the start."""


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
    every, warned_at = EVERY * (deps.jobs.ledger.lease / LEASE), -WARN_EVERY
    while not over.wait(every):
        try:
            if time.monotonic() - warned_at >= WARN_EVERY:
                warned_at = time.monotonic()
                _warn(deps, settings.data)
                sweep_deleted(deps.engine, deps.datasets.folder)
                sweep_drafts(deps.jobs.ledger, deps.datasets.folder, deps.clock())
            sweep(deps.jobs.ledger, deps.jobs.ring, deps.clock())
            deps.jobs.tend_quotes(deps.clock())
            sweep_folders(deps.jobs.ledger, deps.datasets.folder, deps.clock())
        except OperationalError as error:
            log.warning("the database did not answer (%s); going on", type(error.orig).__name__)
    for thread in tidying:
        thread.join(1)
    engine.dispose()


def _warn(deps: Deps, folder: Path) -> None:
    """Warn of what goes dark; a damaged price list of the operator's makes warnings wait, jobs do not."""
    try:
        warn(deps.jobs.ledger, shelf_in(folder).lines, deps.clock())
    except UserError as error:
        log.warning("%s", error.what)


def _tidy(deps: Deps, keeper: Housekeeper, keep: timedelta, over: threading.Event) -> None:
    """Remove now and then what jobs left at a provider; what does not work now works later."""
    while not over.wait(TIDY_EVERY):
        try:
            tidy(deps.jobs.ledger, keeper, deps.clock(), keep)
        except (LuthierError, OperationalError) as error:
            log.warning("%s could not be tidied (%s); going on", keeper.provider, type(error).__name__)
