"""Knows how a chaos run goes from start to verdict; it does not know how processes are forked or whom to kill."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from slack_sdk import WebClient
from sqlalchemy import Connection, Engine, func, select

from bench.chaos import naive, people, posts
from bench.chaos.crew import Crew, Post
from bench.chaos.judge import Verdict, judge, read_posts
from bench.chaos.killer import Killer
from bench.chaos.recovery import Interrupted, Recovered, interrupted_by, recovered
from bench.chaos.world import LEASE, World
from bot.store.engine import open_engine
from trainers.jobs.ledger import Ledger, move, read
from trainers.jobs.submission import send_again
from trainers.states import ENDED
from trainers.tables import Job, JobEvent, OutboxMessage, Submission

AT_ONCE = 200
"""Jobs in flight."""

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_events = JobEvent.__table__  # type: ignore[attr-defined]  # the same
_calls = Submission.__table__  # type: ignore[attr-defined]  # the same
_messages = OutboxMessage.__table__  # type: ignore[attr-defined]  # the same


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run is to be."""

    jobs: int
    kills: int
    redis_wipes: int
    seed: int
    naive: bool
    stall: float
    """Seconds without anything happening after which the run is over."""
    workers: int = 3


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run came to."""

    verdict: Verdict
    done: Counter[str]
    """What the killer did."""
    left: list[str]
    """Processes that were still there at the end."""
    asked: int
    """Calls that a person had to decide about."""
    ended: int
    """Jobs that ended, by our own ledger."""
    recovered: Recovered
    """Of the jobs whose worker was killed."""
    failures: list[str]
    """Of each job that failed why, and what was done with it, for whoever looks for the cause."""
    clicks: tuple[int, int]
    """Approvals that were acknowledged, and clicks that nobody answered."""


@dataclass(kw_only=True)
class Run:
    """One run under way."""

    plan: Plan
    world: World
    asked: int = 0
    _interrupted: list[Interrupted] = field(default_factory=list, init=False)
    _engine: Engine = field(init=False)
    _seen: tuple[int, int, int] = field(default=(0, 0, 0), init=False)
    _moved: float = field(default_factory=time.monotonic, init=False)

    def __post_init__(self) -> None:
        """Open the database, to see when the run is over."""
        self._engine = open_engine(self.world.settings.database)

    def go(self) -> Result:
        """Start our processes, kill them until every job has ended, end them, and judge."""
        crew = Crew(logs=self.world.supervisor.logs)
        killer, clicker = self._killer(crew), people.Clicker(settings=self.world.settings)
        for post in self._crew():
            crew.start(post)
        clicker.start()
        try:
            while not self._over(killer):
                self._round(crew, killer)
        finally:
            killer.let_go()
            clicker.stop()
            stubborn = crew.stop()
        return Result(
            verdict=self._judge(),
            done=killer.done,
            left=[*stubborn, *_left(self.world)],
            asked=self.asked,
            ended=self._count_ended(),
            recovered=recovered(self._engine, self._interrupted),
            failures=self._failures(),
            clicks=(clicker.clicks, clicker.refused),
        )

    def _crew(self) -> list[Post]:
        settings, plan = self.world.settings, self.plan
        work = naive.work if plan.naive else posts.work
        workers = [Post(name=f"worker-{place}", main=work, arguments=(settings,)) for place in range(plan.workers)]
        others = [
            Post(name="messenger", main=posts.post, arguments=(settings,)),
            Post(name="web", main=posts.serve, arguments=(settings, self.world.web_port)),
            Post(name="asker", main=posts.ask, arguments=(settings, plan.jobs, AT_ONCE)),
        ]
        if not plan.naive:
            others.append(Post(name="sweeper", main=posts.sweep, arguments=(settings,)))
        return [*workers, *others]

    def _killer(self, crew: Crew) -> Killer:
        workers = [f"worker-{place}" for place in range(self.plan.workers)]
        others = ["web", "messenger", "asker", *([] if self.plan.naive else ["sweeper"])]
        return Killer(
            crew=crew,
            victims=(*workers, *workers, *others),
            kills=self.plan.kills,
            wipes=self.plan.redis_wipes,
            seed=self.plan.seed,
            lease=LEASE,
            died=lambda pid: self._interrupted.extend(interrupted_by(self._engine, pid)),
        )

    def _round(self, crew: Crew, killer: Killer) -> None:
        time.sleep(0.05)
        self.world.supervisor.watch()
        crew.tend()
        settings = self.world.settings
        killer.act(self._seen[0] / self.plan.jobs, self.world.supervisor.pid("valkey"), settings.data / "valkey")
        self._decide()

    def _over(self, killer: Killer) -> bool:
        seen = (self._count_ended(), self._count(_messages, _messages.c.version > _messages.c.sent_version), 0)
        events = (seen[0], seen[1], self._count(_jobs, _jobs.c.fence > 0))
        if events != self._seen:
            self._seen, self._moved = events, time.monotonic()
        if time.monotonic() - self._moved > self.plan.stall:
            return True
        return seen[0] >= self.plan.jobs and killer.finished and (self.plan.naive or seen[1] == 0)

    def _decide(self) -> None:
        """Be the person who is asked whether a call may be made once more."""
        ledger, now = Ledger(self._engine), datetime.now(UTC)
        with ledger.reading() as connection:
            asking = connection.execute(select(_calls).where(_calls.c.state == "asking")).mappings().all()
        for row in asking:
            with ledger.transaction() as connection:
                self.asked += send_again(connection, Submission(**row), people.APPROVER)
                job = read(connection, row["job_id"], lock=True)
                move(connection, job, "queued", people.APPROVER, now, remark="once more", wake_at=None)

    def _judge(self) -> Verdict:
        settings = self.world.settings
        slack = WebClient(settings.slack_bot_token, base_url=settings.slack_api_url)
        with self._engine.connect() as connection:
            jobs = list(connection.execute(select(_jobs.c.id)).scalars())
            owners = {row.id: row.job_id for row in connection.execute(select(_calls.c.id, _calls.c.job_id))}
        owners = {job: job for job in jobs} if self.plan.naive else owners
        jobs += [f"never asked for {place}" for place in range(self.plan.jobs - len(jobs))]
        return judge(self.world.ledger, read_posts(slack, people.CHANNEL), jobs, owners)

    def _failures(self) -> list[str]:
        """Tell the story of each job that failed: its error and the states that it went through."""
        with self._engine.connect() as connection:
            failed = connection.execute(select(_jobs).where(_jobs.c.state == "failed")).all()
            return [f"{job.error_what} {_story(connection, job.id)}" for job in failed]

    def _count_ended(self) -> int:
        return self._count(_jobs, _jobs.c.state.in_(ENDED))

    def _count(self, table: Any, where: Any) -> int:
        with self._engine.execution_options(reading=True).connect() as connection:
            return int(connection.execute(select(func.count()).select_from(table).where(where)).scalar_one())


def _story(connection: Connection, job_id: str) -> str:
    told = select(_events).where(_events.c.job_id == job_id).order_by(_events.c.id)
    lines = [f"{row.at:%M:%S.%f} {row.new_state} {row.fence} {row.who} {row.note}" for row in connection.execute(told)]
    calls = connection.execute(select(_calls).where(_calls.c.job_id == job_id)).mappings().all()
    return " | ".join([*lines, *(str({name: str(call[name]) for name in call}) for call in calls)])


def _left(world: World) -> list[str]:
    """Return processes of this run that live, beside the servers: each has its log open."""
    servers = {world.supervisor.pid(name) for name in ("valkey", "slack", "provider")}
    return [
        f"{process.pid} {process.name()}"
        for process in psutil.process_iter()
        if process.pid not in servers and _writes_to(process, world.supervisor.logs)
    ]


def _writes_to(process: psutil.Process, logs: Path) -> bool:
    try:
        return any(file.path.startswith(str(logs)) for file in process.open_files())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
