"""Knows Redis and RQ: it rings for a job and answers the door; it does not know what a job is beyond its id."""

import os
import uuid
from collections.abc import Callable
from typing import Any, Protocol

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job as RqJob

QUEUES = ("io", "cpu", "gpu")
"""One queue per worker process: a worker on two queues loses jobs under SIGKILL (RQ takes them with BLPOP)."""


PATIENCE = {"socket_timeout": 2, "socket_connect_timeout": 2}
"""Seconds that a ring waits for a server which hangs: whoever clicked waits with it, and the sweeper rings again."""


class Doorbell(Protocol):
    """Wakes a worker for a job; a lost or doubled ring is harmless, because the ledger is the truth."""

    def ring(self, job_id: str, queue: str) -> bool:
        """Ring once; False where nobody could be reached (the sweeper rings again)."""


class RqDoorbell:
    """Rings through RQ; messages are JSON and hold a job id, nothing else."""

    def __init__(self, url: str) -> None:
        """Take the address of Redis or Valkey (`redis://` or `unix://`); nothing is connected yet."""
        self._url = url

    def ring(self, job_id: str, queue: str) -> bool:
        """Put the job id on the queue."""
        try:
            door = Queue(queue, connection=Redis.from_url(self._url, **PATIENCE), serializer="json")
            door.enqueue_call("job", args=(job_id,), timeout=-1, result_ttl=0, failure_ttl=60, description=job_id)
        except RedisError:
            return False
        return True


class SilentDoorbell:
    """Rings nowhere, for a process without a queue; the sweeper of whoever has one finds the job."""

    def ring(self, job_id: str, queue: str) -> bool:
        """Do nothing and say so."""
        return False


def answer_door(
    url: str, queue: str, work: Callable[[str], None], *, leave: Callable[[], None] = lambda: None, burst: bool = False
) -> None:
    """Work on `queue` until told to stop: each ring calls `work(job_id)` in this very process.

    SIGTERM and SIGINT call `leave`, so that the job in hand is put down at its next checkpoint.
    Raises redis' ConnectionError where the server stays away; the supervisor then starts a new worker.
    """
    connection = Redis.from_url(url)
    worker = _door(leave)(
        [queue],
        connection=connection,
        serializer="json",
        job_class=_job_class(work),
        name=f"{queue}-{os.uname().nodename}-{os.getpid()}-{uuid.uuid4().hex[:6]}",
        log_job_description=False,
        maintenance_interval=60,
    )
    worker.work(burst=burst, logging_level="WARNING")


def workers_on(url: str, queue: str) -> int:
    """Count the workers that listen to `queue`; 0 also where the server does not answer."""
    try:
        return SimpleWorker.count(queue=Queue(queue, connection=Redis.from_url(url)))
    except RedisError:
        return 0


def answers(url: str) -> bool:
    """Say whether a server answers PING at `url`."""
    try:
        return bool(Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2).ping())
    except RedisError:
        return False


def _door(leave: Callable[[], None]) -> type[SimpleWorker]:
    class Door(SimpleWorker):
        """RQ's worker without a fork, which tells the job in hand when it has to go."""

        def request_stop(self, signum: Any, frame: Any) -> None:
            leave()
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # RQ leaves it untyped

    return Door


def _job_class(work: Callable[[str], None]) -> type[RqJob]:
    class Ring(RqJob):
        """A ring at the door; what to do is ours to say, never the message's: no import by name from Redis."""

        @property
        def func(self) -> Any:
            return work

    return Ring
