"""The worker process: it listens to one queue and does what the ledger says; it knows no Slack and no tokens."""

from bot.accounts import provider_timing
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.schema import check_schema
from bot.wiring import build_runner
from knowledge.errors import UserError
from trainers.jobs.protocol import check_timing
from trainers.jobs.queue import QUEUES, answer_door


def run(settings: Settings, queue: str, *, burst: bool = False) -> None:
    """Work on `queue` until told to stop."""
    if queue not in QUEUES:
        raise UserError(f"There is no queue called {queue}.", f"Choose one of {', '.join(QUEUES)}.")
    if not settings.redis_url:
        raise UserError("REDIS_URL is not set.", "Set it, or start everything with `luthier up`.")
    check_timing(provider_timing(settings), settings.lease)
    engine = open_engine(settings.database)
    check_schema(engine)
    runner = build_runner(settings, engine)
    answer_door(settings.redis_url, queue, runner.work, leave=runner.leave, burst=burst)
