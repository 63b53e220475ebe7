"""The real engine over HTTP in this process: real SQL, real jobs, a worker, a backend that only walks its steps."""

import json
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from openai import DefaultHttpxClient, OpenAI
from sqlalchemy import Engine, select

from bot.patience import PatientProtocol
from knowledge.certificates import needed
from knowledge.tenancy import Person
from tests.chroma import free_port
from trainers.api.changing import Changes
from trainers.api.chatting import Talk
from trainers.api.delivering import Sender, deliver
from trainers.api.engine import LuthierEngine
from trainers.api.files import Files
from trainers.api.hooks import Hooks
from trainers.api.keys import Keys, Made, Wish
from trainers.api.preparing import Preparing
from trainers.api.runs import Runs
from trainers.api.unfit import HANDLERS
from trainers.backends.base import Backend
from trainers.backends.rehearsal import RehearsalBackend
from trainers.data.store import Datasets
from trainers.evals.rule import SuccessRule
from trainers.jobs.ledger import Ledger
from trainers.jobs.run import Runner, sweep
from trainers.jobs.service import Jobs
from trainers.openai_api.router import build_app
from trainers.policy import Rules, set_rules
from trainers.registry import Registry
from trainers.serving import LocalModels
from trainers.spec import TrainingSpec
from trainers.tables import OutboxMessage

ADA = Person(workspace_id="T1", user_id="U0ADA")
BEN = Person(workspace_id="T1", user_id="U0BEN")
EVE = Person(workspace_id="T2", user_id="U0EVE")
BASE = "smollm2-135m-instruct"
BASES = {BASE: "rehearsal", "paid": "hosted_rehearsal"}


def rows(count: int = 40, start: int = 0) -> bytes:
    made = []
    for number in range(start, start + count):
        asked = {"role": "user", "content": f"Where is parcel {number}?"}
        made.append({"messages": [asked, {"role": "assistant", "content": f"On its way, number {number}."}]})
    return "".join(json.dumps(row) + "\n" for row in made).encode()


def now() -> datetime:
    return datetime.now(UTC)


class Shop:
    """All of it, and what tests ask of it."""

    def __init__(self, engine: Engine, folder: Path, models: LocalModels | None = None) -> None:
        self.engine, self.folder = engine, folder
        self.steps, self.seconds = 3, 0.0
        self.trainer: Backend | None = None
        """Who trains in earnest; None: steps are only walked through."""
        self.rings: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        datasets, ledger = Datasets(engine, folder), Ledger(engine)
        self.jobs = Jobs(ledger=ledger, doorbell=self, datasets=datasets, tokenizer=lambda _: None, rule=SuccessRule())
        self.runner = Runner(
            ledger=ledger, datasets=datasets, backend=self._backend, env={}, threads=1, clock=now, owner="worker",
            notify_channel=lambda _: "",
        )  # fmt: skip
        self.changes = Changes(
            jobs=self.jobs, runs=Runs(engine), files=Files(engine, folder), bases=BASES, data=folder, clock=now
        )
        self.keys, self.hooks = Keys(engine), Hooks(engine)
        registry = Registry(engine, folder)
        self.api = LuthierEngine(
            changes=self.changes,
            talk=Talk(registry=registry, models=models or _no_models(folder), bases=BASES),
            keys=self.keys,
            hooks_kept=self.hooks,
            sender=Sender(inside=("127.0.0.1",)),
            clock=now,
        )
        self.preparing = Preparing(
            jobs=self.jobs, runs=self.changes.runs, files=self.changes.files, keys=self.keys, bases=BASES, clock=now
        )
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        config = uvicorn.Config(
            build_app(self.api, handlers=HANDLERS), host="127.0.0.1", port=self.port, log_level="error", ws="none",
            lifespan="off",
            http=PatientProtocol,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._over, self._turn = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=work) for work in (self._server.run, self._work, self._tend)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        while not self._server.started:
            time.sleep(0.005)

    def stop(self) -> None:
        self._over.set()
        self.rings.put(None)
        self.runner.leave()
        self._server.should_exit = self._server.force_exit = True
        for thread in self._threads:
            thread.join(20)

    def ring(self, job_id: str, _: str) -> bool:
        self.rings.put(job_id)
        return True

    def key(self, person: Person = ADA, **wish: Any) -> Made:
        return self.keys.create(
            Wish(**{"name": "test", "channel": "C0MINE", "per_minute": 6000, **wish}), person, now()
        )

    @contextmanager
    def client(self, made: Made | str | None = None, **more: Any) -> Iterator[OpenAI]:
        secret = made if isinstance(made, str) else (made or self.key()).secret
        web = DefaultHttpxClient(verify=needed(self.url))
        given = {"base_url": self.url, "api_key": secret, "max_retries": 0, "timeout": 60, "http_client": web, **more}
        with OpenAI(**given) as client:
            yield client

    def get(self, made: Made, path: str, **request: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {made.secret}"}
        return httpx.request(
            request.pop("method", "GET"),
            f"{self.url}{path}",
            headers=headers,
            trust_env=False,
            timeout=20,
            verify=needed(self.url),
            **request,
        )

    def rules(self, **rules: Any) -> None:
        with self.engine.begin() as connection:
            set_rules(connection, "T1", Rules(**{"workspace_cap": Decimal(100), **rules}), now())

    def owed(self, kind: str) -> Sequence[OutboxMessage]:
        table = OutboxMessage.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
        with self.engine.connect() as connection:
            found = connection.execute(select(table).where(table.c.kind == kind)).mappings().all()
        return [OutboxMessage(**row) for row in found]

    @contextmanager
    def nobody_prepares(self) -> Iterator[None]:
        """Leave what was taken as it is for a while."""
        with self._turn:
            yield

    def _backend(self, name: str) -> Backend:
        return self.trainer or RehearsalBackend(steps=self.steps, seconds_per_step=self.seconds)

    def _work(self) -> None:
        while (job_id := self.rings.get()) is not None:
            self.runner.work(job_id)

    def _tend(self) -> None:
        while not self._over.wait(0.03):
            with self._turn:
                self.preparing.tend()
            for job in [*self.changes.runs.untold(), *self.changes.runs.ended_anew()]:
                self.changes.close(job)
            deliver(self.hooks, self.api.sender, now)
            sweep(self.jobs.ledger, lambda job: self.ring(job.id, job.queue), now())


def upload(client: OpenAI, content: bytes | None = None, name: str = "rows.jsonl") -> str:
    return client.files.create(file=(name, content or rows()), purpose="fine-tune").id


def ended(client: OpenAI, job_id: str, *states: str, seconds: float = 30) -> Any:
    until = time.monotonic() + seconds
    states = states or ("succeeded", "failed", "cancelled")
    while (job := client.fine_tuning.jobs.retrieve(job_id)).status not in states:
        assert time.monotonic() < until, job
        time.sleep(0.05)
    return job


def _no_models(folder: Path) -> LocalModels:
    return LocalModels(
        base=folder / "models" / TrainingSpec().base,
        adapters=folder / "jobs",
        socket=folder / "serve.sock",
        log=folder / "serve.log",
        env={},
        threads=1,
    )
