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
from knowledge.errors import ServiceError, UserError
from trainers.jobs.run import sweep

TURN_LIMIT = 600.0
"""Seconds to wait for another shell command on the same data folder."""


class Working(NamedTuple):
    """What a command works with."""

    deps: Deps
    settings: Settings
    """Those of the Luthier that is used: where it runs already, its servers and what it rehearses."""
    tend: Callable[[], None]
    """To be called every half second while waiting: keeps the servers of this call alive and rings for due jobs."""
    stays: bool = False
    """Whether a Luthier runs here whose workers go on after this call."""


@contextmanager
def working(
    settings: Settings, say: Callable[[str], None], *, vectors: bool = False, workers: tuple[str, ...] = ()
) -> Iterator[Working]:
    """Migrate, then use the running Luthier or start what is needed, and stop it at the end."""
    settings.data.mkdir(parents=True, exist_ok=True)
    migrate(open_engine(settings.database), settings.run)
    with ExitStack() as held:
        found = _beside(settings, held) if vectors or workers else running(settings) or settings
        yield from _used(settings, found) if found else _started(settings, say, vectors, workers)


def _used(settings: Settings, found: Settings) -> Iterator[Working]:
    def tend() -> None:
        if found is not settings and running(settings) is None:
            raise ServiceError("The Luthier that ran here has stopped.", "The job continues when it starts again.")

    with _closing(build_deps(found)) as deps:
        yield Working(deps, found, tend, stays=found is not settings)


def _started(
    settings: Settings, say: Callable[[str], None], vectors: bool, workers: tuple[str, ...]
) -> Iterator[Working]:
    supervisor = Supervisor(logs=settings.data / "logs", say=say)
    try:
        with servers(settings, supervisor, queue=bool(workers), vectors=vectors) as ready:
            for worker in workers:
                supervisor.start(ours(ready, f"worker {worker}"))
            with _closing(build_deps(ready)) as deps:
                yield Working(deps, ready, lambda: _tend(deps, supervisor))
    finally:
        supervisor.stop()


@contextmanager
def _closing(deps: Deps) -> Iterator[Deps]:
    """Let go of the resident model and the vector server's connections at the end."""
    try:
        yield deps
    finally:
        deps.models.close()
        deps.index.close()


def _tend(deps: Deps, supervisor: Supervisor) -> None:
    supervisor.watch()
    sweep(deps.jobs.ledger, deps.jobs.ring, deps.clock())
    deps.jobs.tend_quotes(deps.clock())


def _beside(settings: Settings, held: ExitStack) -> Settings | None:
    """Return the settings of a Luthier that runs here, or hold the folder for this call, waiting for its turn."""
    until = time.monotonic() + TURN_LIMIT
    while True:
        found = running(settings)
        if found is not None:
            return found
        try:
            held.enter_context(holding(settings))
        except UserError:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)
        else:
            return None
