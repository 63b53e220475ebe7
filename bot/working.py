"""Knows how a shell command gets what it needs: a running Luthier if there is one, else servers for just this call."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from bot.services import holding, ours, running, servers
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.supervisor import Supervisor
from bot.wiring import build_deps
from handlers.deps import Deps
from knowledge.clock import utc_now
from knowledge.errors import UserError
from trainers.jobs.run import sweep

TURN_LIMIT = 600.0
"""Seconds to wait for another shell command on the same data folder."""


class Working(NamedTuple):
    """What a command works with."""

    deps: Deps
    tend: Callable[[], None]
    """To be called every half second while waiting: keeps the servers of this call alive and rings for due jobs."""


@contextmanager
def working(
    settings: Settings, say: Callable[[str], None], *, vectors: bool = False, workers: tuple[str, ...] = ()
) -> Iterator[Working]:
    """Migrate, then use the running Luthier or start what is needed, and stop it at the end."""
    settings.data.mkdir(parents=True, exist_ok=True)
    migrate(open_engine(settings.database), settings.run)
    beside = running(settings)
    if beside is not None or not (vectors or workers):
        deps = build_deps(beside or settings)
        try:
            yield Working(deps, lambda: None)
        finally:
            deps.models.close()
        return
    with _turn(settings):
        supervisor = Supervisor(logs=settings.data / "logs", say=say)
        try:
            with servers(settings, supervisor, queue=bool(workers), vectors=vectors) as ready:
                for worker in workers:
                    supervisor.start(ours(ready, f"worker {worker}"))
                deps = build_deps(ready)
                yield Working(deps, lambda: _tend(deps, supervisor))
                deps.models.close()
        finally:
            supervisor.stop()


def _tend(deps: Deps, supervisor: Supervisor) -> None:
    supervisor.watch()
    sweep(deps.jobs.ledger, deps.jobs.ring, utc_now())


@contextmanager
def _turn(settings: Settings) -> Iterator[None]:
    until = time.monotonic() + TURN_LIMIT
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(holding(settings))
                break
            except UserError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.3)
        yield
