"""The side that dies: acts of a job's life, each run in a forked child that ends itself after its k-th call.

Run as a program it is the warm parent: it has everything imported, no thread and no connection, reads one order a line
and forks for each. What happens after `yield` in an act is what may be cut short; what comes before is preparation.
"""

import gc
import http.client
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from hmac import new as hmac
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import redis.connection
import sqlalchemy.dialects.postgresql.psycopg
from slack_bolt import BoltRequest
from sqlalchemy import Engine, event, text
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from bot.app import bolt
from bot.gate import Gate
from bot.messenger import Messenger
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.inbox import Inbox
from bot.store.leader import hold
from bot.wiring import build_deps, build_runner
from bot.workspaces import Workspaces
from handlers.blocks.approval import APPROVE
from handlers.deps import Deps
from knowledge.errors import ServiceError
from knowledge.tenancy import Person
from trainers.backends.base import Backend, Keeper, Order, Timing, Trained, Waiting
from trainers.backends.hosted import HostedBackend
from trainers.backends.openai_shape import FineTuningApi
from trainers.backends.rehearsal import RehearsalBackend
from trainers.backends.traits import traits_of
from trainers.jobs import accounts, outbox
from trainers.jobs.ledger import move
from trainers.jobs.queue import RqDoorbell
from trainers.jobs.run import Runner, sweep
from trainers.jobs.service import Place
from trainers.policy import Rules
from trainers.spec import TrainingSpec
from trainers.tables import Job

KILLED = 137
"""Exit status of a child that met its end, as after SIGKILL."""

ADA = Person(workspace_id="T0NORTHWIND", user_id="U0ADA")
CHANNEL = "C0ASK"
SECRET = "a signing secret"  # a test's own
FORM = "application/x-www-form-urlencoded"


class Fate:
    """Counts calls once it is armed, and ends the process at the chosen one."""

    def __init__(self, at: int) -> None:
        self._left, self._armed = at, False

    def arm(self) -> None:
        self._armed = True

    def call(self, *_: Any) -> None:
        if self._armed:
            self._left -= 1
            if self._left == 0:
                os._exit(KILLED)

    def around(self, owner: Any, name: str) -> None:
        """Count before and after a method, so that both "never sent" and "done, but unheard" happen."""
        original = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.call()
            try:
                return original(*args, **kwargs)
            finally:
                self.call()

        setattr(owner, name, counted)

    def watch(self, engine: Engine) -> None:
        """Count statements, and both sides of every commit; and calls to Slack, to a provider and to Redis."""
        event.listen(engine, "after_cursor_execute", self.call)
        self.around(engine.dialect, "do_commit")
        self.around(http.client.HTTPConnection, "getresponse")
        self.around(httpx.HTTPTransport, "handle_request")
        self.around(redis.connection.AbstractConnection, "send_packed_command")
        self.around(redis.connection.AbstractConnection, "read_response")


class Broken:
    """A backend that fails."""

    name, queue = "broken", "io"

    def advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        raise ServiceError("The machine has no such kernel.", "Choose another.")

    def find(self, order: Order, adapter: Path, keeper: Keeper) -> Trained | Waiting:
        raise ServiceError

    def release(self, order: Order, keeper: Keeper) -> Waiting | None:
        return None


class Patient(RehearsalBackend):
    """A backend that lets the job wait once before it begins."""

    def advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        waited = order.folder / "waited"
        if not waited.exists():
            order.folder.mkdir(parents=True, exist_ok=True)
            waited.touch()
            return Waiting(again_in=timedelta(seconds=5), note="Waiting for a tool")
        return super().advance(order, keeper)


@dataclass(frozen=True, kw_only=True)
class World:
    """One process of Luthier, as the order describes it."""

    order: dict[str, Any]

    @cached_property
    def settings(self) -> Settings:
        return Settings.from_env(self.order["env"])

    @cached_property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.order["now"])

    @cached_property
    def engine(self) -> Engine:
        return open_engine(self.settings.database)

    @cached_property
    def deps(self) -> Deps:
        made = build_deps(self.settings, self.engine)
        quiet = replace(made.jobs, doorbell=RqDoorbell(self.settings.redis_url))
        return replace(made, clock=lambda: self.now, jobs=quiet)

    def runner(self) -> Runner:
        made = build_runner(self.settings, self.engine)
        return replace(made, clock=lambda: self.now, backend=self.backend, owner=f"w{os.getpid()}")

    def backend(self, name: str) -> Backend:
        if name == "hosted_rehearsal":
            api = FineTuningApi(name="rehearsal provider", url=self.order["provider"], key="rehearsal")
            timing = Timing(timeout=5.0, lag=0.5, grace=16.0)
            traits = traits_of("hosted_rehearsal")
            return HostedBackend(traits=traits, api=api, timing=timing, again_in=timedelta(seconds=1))
        kinds: dict[str, Backend] = {"broken": Broken(), "patient": Patient(steps=2, seconds_per_step=0)}
        return kinds.get(self.order["backend"]) or RehearsalBackend(steps=2, seconds_per_step=0)

    def messenger(self) -> Messenger:
        slack = Workspaces(self.settings.slack_bot_tokens, self.settings.slack_api_url).client
        return Messenger(deps=self.deps, slack=slack, folder=self.settings.data, clock=lambda: self.now)

    def quoted(self) -> Job:
        jobs = self.deps.jobs
        dataset = jobs.datasets.listing(ADA.workspace_id)[0]
        spec = TrainingSpec(backend=self.order["spec_backend"])
        return jobs.propose(dataset, spec, person=ADA, now=self.now, place=Place(CHANNEL))

    def approved(self) -> Job:
        """Queue a job as if somebody with the right to had approved it; what the right is has tests of its own."""
        job = self.quoted()
        with self.deps.jobs.ledger.transaction() as connection:
            by = {"approved_by": ADA.user_id, "approved_at": self.now}
            assert move(connection, job, "queued", ADA.user_id, self.now, **by)
            accounts.begin(connection, job, Rules(workspace_cap=None), self.now)
        return self.deps.jobs.ledger.get(job.id)

    def claimed(self) -> Job:
        job = self.deps.jobs.ledger.claim(self.approved().id, "w0", self.now)
        assert job is not None
        return job


Act = Callable[[World], Iterator[None]]


def propose(world: World) -> Iterator[None]:
    yield
    world.quoted()


def approve(world: World) -> Iterator[None]:
    job = world.quoted()
    yield
    world.deps.jobs.approve(job.id, job.quote_hash, ADA, world.now)


def stop_quoted(world: World) -> Iterator[None]:
    job = world.quoted()
    yield
    world.deps.jobs.stop(job.id, ADA, world.now)


def stop_queued(world: World) -> Iterator[None]:
    job = world.approved()
    yield
    world.deps.jobs.stop(job.id, ADA, world.now)


def stop_running(world: World) -> Iterator[None]:
    job = world.claimed()
    yield
    world.deps.jobs.stop(job.id, ADA, world.now)


def stopped_at_work(world: World) -> Iterator[None]:
    job = world.approved()
    stop = world.deps.jobs.ledger.transaction
    with stop() as connection:
        connection.execute(text("update job set stop_requested_by = 'U0ADA' where id = :id"), {"id": job.id})
    yield
    world.runner().work(job.id)


def resume(world: World) -> Iterator[None]:
    job = world.approved()
    world.deps.jobs.stop(job.id, ADA, world.now)
    yield
    world.deps.jobs.resume(job.id, ADA, world.now)


def work(world: World) -> Iterator[None]:
    job = world.approved()
    yield
    world.runner().work(job.id)


fail = wait = work
"""The same with backends that fail, and that let the job wait."""


def take_over(world: World) -> Iterator[None]:
    job = world.claimed()
    with world.deps.jobs.ledger.transaction() as connection:
        connection.execute(text("update job set lease_until = 0 where id = :id"), {"id": job.id})
    yield
    world.runner().work(job.id)


def sweeping(world: World) -> Iterator[None]:
    world.approved()
    yield
    sweep(world.deps.jobs.ledger, world.deps.jobs.ring, world.now)


def post(world: World) -> Iterator[None]:
    world.quoted()
    yield
    world.messenger().drain()


def post_an_end(world: World) -> Iterator[None]:
    world.runner().work(world.approved().id)
    yield
    world.messenger().drain()


def edit(world: World) -> Iterator[None]:
    job = world.quoted()
    world.messenger().drain()
    world.deps.jobs.stop(job.id, ADA, world.now)
    with world.engine.begin() as connection:  # three seconds later
        connection.execute(text("update outbox_message set due_at = 0 where version > sent_version"))
    yield
    world.messenger().drain()


def pay(world: World) -> Iterator[None]:
    """Upload and start at the provider."""
    job = world.approved()
    yield
    world.runner().work(job.id)


def ask(world: World) -> Iterator[None]:
    """Ask after what runs at the provider, tidy up and report."""
    job = world.approved()
    world.runner().work(job.id)
    with world.engine.begin() as connection:
        connection.execute(text("update job set wake_at = null where id = :id"), {"id": job.id})
    time.sleep(0.25)  # the provider's own time, in which it finishes
    yield
    world.runner().work(job.id)


def call_off(world: World) -> Iterator[None]:
    """Stop what runs at the provider: the wish, and the worker that carries it out."""
    job = world.approved()
    world.runner().work(job.id)
    yield
    world.deps.jobs.stop(job.id, ADA, world.now)
    world.runner().work(job.id)


def lead(world: World) -> Iterator[None]:
    yield
    hold(world.engine, f"role {world.order['k']}", f"w{os.getpid()}", world.now)


def click(world: World) -> Iterator[None]:
    """A click on Approve, from Slack's request to the inbox's last word."""
    job = world.quoted()
    world.messenger().drain()
    with world.engine.connect() as connection:
        where = {"id": job.id}
        card = connection.execute(text("select ts from outbox_message where job_id = :id"), where).scalar_one()
    yield
    body = _click(job, card)
    stamp = str(int(world.now.timestamp()))
    mark = hmac(SECRET.encode(), f"v0:{stamp}:".encode() + body, sha256).hexdigest()
    headers = {"content-type": FORM, "x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={mark}"}
    app = bolt(world.settings, world.deps, wait=False)
    gate = Gate(SECRET, app, Inbox(world.engine), lambda: None, lambda: world.now)
    web = TestClient(Starlette(routes=[Route("/slack/events", gate.receive, methods=["POST"])]))
    assert web.post("/slack/events", content=body, headers=headers).status_code == 200
    look = open_engine(world.settings.database).execution_options(reading=True)
    until = time.monotonic() + 30
    while time.monotonic() < until:  # the listener goes on after its acknowledgement
        with look.connect() as connection:
            if not connection.execute(text("select count(*) from inbox where state = 'running'")).scalar_one():
                return
        time.sleep(0.002)
    raise AssertionError("the inbox's last word does not come")


def _click(job: Job, card: str) -> bytes:
    action = {
        "type": "button",
        "action_id": APPROVE,
        "block_id": f"quote-{job.id}",
        "value": f"{job.id}:{job.quote_hash}",
        "action_ts": "1.2",
    }
    payload = {
        "type": "block_actions",
        "user": {"id": ADA.user_id, "team_id": ADA.workspace_id},
        "team": {"id": ADA.workspace_id},
        "channel": {"id": CHANNEL, "name": "ask"},
        "container": {"type": "message", "channel_id": CHANNEL, "message_ts": card},
        "message": {"ts": card, "blocks": []},
        "trigger_id": "1.2.3",
        "actions": [action],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def prepare(world: World) -> Iterator[None]:
    """Register the rows that all jobs train on."""
    world.deps.datasets.example("tickets", ADA, world.now)
    yield


def recover(world: World) -> Iterator[None]:
    """One round of what the processes do that are started again: web, sweeper, workers, messenger."""
    inbox = Inbox(world.engine)
    inbox.reopen(world.now)
    waiting = inbox.due(world.now, 100)
    if waiting:
        app = bolt(world.settings, world.deps, wait=True)
        for row in waiting:
            answer = app.dispatch(BoltRequest(body=row.body, headers=json.loads(row.headers)))
            assert answer.status == 200, answer.body
            inbox.done(row.key)
    due: list[str] = []
    sweep(world.deps.jobs.ledger, lambda job: due.append(job.id) is None, world.now)
    for job_id in due:
        world.runner().work(job_id)
    world.messenger().drain()
    owed = outbox.due(world.engine, world.now + timedelta(days=1))
    with world.engine.connect() as connection:
        live = connection.execute(text("select count(*) from job where state in ('queued', 'running')")).scalar_one()
    world.order["left"] = live + len(owed) + len(waiting)
    yield


ACTS: dict[str, Act] = {"fail": fail, "wait": wait} | {
    act.__name__: act
    for act in (
        propose, approve, stop_quoted, stop_queued, stop_running, stopped_at_work, resume, work, take_over, sweeping,
        post, post_an_end, edit, pay, ask, call_off, lead, click, prepare, recover,
    )
}  # fmt: skip


def child(order: dict[str, Any], say: int) -> None:
    """Carry out one order and end; nothing of the parent's may run in here."""
    try:
        world, fate = World(order=order), Fate(order["k"])
        act = ACTS[order["act"]](world)
        next(act)
        fate.watch(world.engine)
        fate.arm()
        next(act, None)
        os.write(say, json.dumps({"left": order.get("left", 0)}).encode())
    except BaseException:
        os.write(say, json.dumps({"broke": traceback.format_exc()}).encode())
        os._exit(1)
    os._exit(0)


def warm(order: dict[str, Any]) -> None:
    """Load and build once what every child needs, so that a point costs milliseconds; leave nothing open."""
    world = World(order=order)
    world.runner()
    world.messenger()
    with world.engine.connect() as connection:
        connection.execute(text("select 1"))
    world.engine.dispose()
    assert sqlalchemy.dialects.postgresql.psycopg.dialect.import_dbapi()


def main() -> None:
    """Fork for each line of stdin; answer each with one line."""
    with tempfile.TemporaryDirectory() as folder:
        warm({"env": {"DATA_DIR": folder}, "now": "2026-11-22T12:00:00+00:00"})
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        hear, say = os.pipe()
        pid = os.fork()
        if pid == 0:
            child(json.loads(line), say)
        os.close(say)
        with os.fdopen(hear) as pipe:
            said = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(json.dumps({"status": status, **json.loads(said or "{}")}), flush=True)


if __name__ == "__main__":
    main()
