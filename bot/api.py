"""The API process: OpenAI's fine-tuning API over our own jobs; it does not train, and holds no Slack tokens."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.patience import PatientProtocol, allow_connections
from bot.services import check_port
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.schema import check_schema
from bot.wiring import build_deps
from bot.working import working
from handlers.deps import Deps
from knowledge.errors import ServiceError
from trainers.api.changing import Changes
from trainers.api.chatting import Talk
from trainers.api.delivering import Sender, deliver
from trainers.api.engine import LuthierEngine
from trainers.api.files import Files
from trainers.api.hooks import Hooks
from trainers.api.keys import Keys
from trainers.api.preparing import Preparing
from trainers.api.runs import Runs
from trainers.api.unfit import HANDLERS
from trainers.backends.local import BASES
from trainers.openai_api.router import build_app

log = logging.getLogger("luthier.api")

EVERY = 0.25
"""Seconds between two looks at what was taken, what has ended and what webhooks are owed."""

ANEW_EVERY = 5.0
"""Seconds between two looks at ends that were told and came undone, as by a resume in Slack: all jobs are looked at."""

TIDY_EVERY = 600.0
"""Seconds between two looks at files that have expired."""

REHEARSED = ("rehearsal-small", "rehearsal-large")
"""Bases that are sent to a rehearsal provider where one is set: they cost pretended dollars."""


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until told to stop; where nothing runs here and no REDIS_URL is set, with workers."""
    check_port(settings.api_port)
    if settings.redis_url:
        engine = open_engine(settings.database)
        check_schema(engine)
        _serve(settings, build_deps(settings, engine), lambda: None, say)
        return
    with working(settings, say, workers=("cpu", "io")) as at:
        _serve(settings, at.deps, at.tend, say)


def _serve(settings: Settings, deps: Deps, tend: Callable[[], None], say: Callable[[str], None]) -> None:
    allow_connections()
    over, real = threading.Event(), build_engine(settings, deps)
    server = _Server(
        uvicorn.Config(
            app_over(real),
            host=settings.api_host,
            port=settings.api_port,
            log_level="warning",
            ws="none",
            http=PatientProtocol,
            timeout_graceful_shutdown=5,
        )
    )

    def look_after() -> float:
        try:
            tend()
        except ServiceError as gone:
            say(f"{gone.what} {gone.next_step}")
            server.should_exit = True
        return 0.5

    kept = {**works(deps, real), "tend": look_after}
    threads = [threading.Thread(target=_keep, args=(do, over), daemon=True, name=name) for name, do in kept.items()]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    for thread in threads:
        thread.start()
    say(f"OpenAI's fine-tuning API, trained by our own workers: http://{settings.api_host}:{settings.api_port}/v1")
    try:
        server.run()
    finally:
        over.set()
        for thread in threads:
            thread.join(5)
        deps.models.close()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which raise the signal again before our own end is over."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def build_engine(settings: Settings, deps: Deps) -> LuthierEngine:
    """Put the real engine together."""
    engine, bases = deps.engine, bases_in(settings)
    changes = Changes(
        jobs=deps.jobs,
        runs=Runs(engine),
        files=Files(engine, settings.data),
        bases=bases,
        data=settings.data,
        clock=deps.clock,
    )
    return LuthierEngine(
        changes=changes,
        talk=Talk(registry=deps.registry, models=deps.models, bases=bases),
        keys=Keys(engine),
        hooks_kept=Hooks(engine),
        sender=Sender(inside=settings.api_webhook_hosts),
        clock=deps.clock,
    )


def bases_in(settings: Settings) -> dict[str, str]:
    """Return the bases that this installation trains: name -> backend."""
    rehearsed = dict.fromkeys(REHEARSED, "hosted_rehearsal") if settings.rehearsal_url else {}
    return {**dict.fromkeys(BASES, "local"), **rehearsed}


def works(deps: Deps, real: LuthierEngine) -> dict[str, Callable[[], float]]:
    """Return what goes on beside the answers; each says in how many seconds it wants its next turn."""
    changes, clock = real.changes, deps.clock
    preparing = Preparing(
        jobs=deps.jobs, runs=changes.runs, files=changes.files, keys=real.keys, bases=changes.bases, clock=clock
    )

    def prepare() -> float:
        return 0.0 if preparing.tend() else EVERY

    def close() -> float:
        for job in changes.runs.untold():
            changes.close(job)
        return 0.0 if deliver(real.hooks_kept, real.sender, clock) else EVERY

    def close_anew() -> float:
        for job in changes.runs.ended_anew():
            changes.close(job)
        return ANEW_EVERY

    def tidy() -> float:
        changes.files.tidy(clock())
        return TIDY_EVERY

    return {"prepare": prepare, "close": close, "close anew": close_anew, "tidy": tidy}


def app_over(real: LuthierEngine) -> ASGIApp:
    """Return the application, with a page that says whether it is up and needs no key."""

    async def health(_: Request) -> Response:
        return JSONResponse({"ok": True, "engine": real.notice})

    return build_app(real, [Route("/health", health)], handlers=HANDLERS)


def _keep(work: Callable[[], float], over: threading.Event) -> None:
    """Do something again and again; a busy database is asked again."""
    wait = 0.0
    while not over.wait(wait):
        try:
            wait = work()
        except OperationalError as error:
            log.warning("the database did not answer (%s); going on", type(error.orig).__name__)
            wait = EVERY
        except Exception:  # one job that nobody foresaw must not keep the others from being looked at
            log.exception("%s went wrong; going on", threading.current_thread().name)
            wait = 10 * EVERY
