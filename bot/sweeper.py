"""The sweeper process: it rings for what is due or abandoned; it does no work itself."""

import threading

from bot.settings import Settings
from bot.store.engine import open_engine
from bot.wiring import build_deps
from knowledge.clock import utc_now
from trainers.jobs.run import sweep

EVERY = 2.0
"""Seconds between two looks."""


def run(settings: Settings, over: threading.Event) -> None:
    """Sweep until `over` is set."""
    deps = build_deps(settings, open_engine(settings.database))
    while not over.wait(EVERY):
        sweep(deps.jobs.ledger, deps.jobs.ring, utc_now())
