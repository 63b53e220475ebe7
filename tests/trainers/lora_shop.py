"""A data folder with a base model, a worker process that may be killed, and an eye on how many trainers there are."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.wiring import build_deps
from handlers.deps import Deps
from knowledge.tenancy import Person
from tests.trainers import tiny_model
from tests.trainers.lora_worker import LEASE, PUT_OUT, settings_for
from tests.trainers.script_runs import write_rows
from tests.trainers.test_scripts import rows
from trainers.spec import Hyperparameters, TrainingSpec
from trainers.tables import Job

ROOT = Path(__file__).resolve().parents[2]
ADA = Person(workspace_id="T1", user_id="U0ADA")
KNOBS = Hyperparameters(epochs=40, rank=4, alpha=8, learning_rate=2e-2, batch_size=2, max_tokens=400, seed=3)
STEPS = 480


@dataclass(kw_only=True)
class Shop:
    """One data folder with a tiny base model, its worker, and an eye on how many trainers there are."""

    folder: Path
    cache: Path = Path()
    """Where the base model lies; else a tiny one is made."""
    lease: float = LEASE
    precision: str = "float32"
    orphans: list[float] = field(default_factory=list)
    """Seconds for which a child outlived its worker."""
    most_trainers: int = 0
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    deps: Deps = field(init=False)

    def __post_init__(self) -> None:
        self.data = self.folder / "data"
        if self.cache == Path():
            self.cache = self.folder / "cache"
            tiny_model.build(self.cache / "models" / TrainingSpec().base)
        settings = settings_for(self.data, self.cache, self.lease)
        self.data.mkdir()
        engine = open_engine(settings.database)
        migrate(engine, self.folder)
        self.deps = build_deps(settings, engine)

    def approved(self) -> Job:
        jobs, now = self.deps.jobs, datetime.now(UTC)
        train = write_rows(self.folder / "train.jsonl", rows(24))
        test = write_rows(self.folder / "test.jsonl", rows(10, shift=100))
        dataset = jobs.datasets.add(train, test, name="small", person=ADA, provenance="made up", now=now).dataset
        job = jobs.propose(dataset, TrainingSpec(hyperparameters=KNOBS), person=ADA, now=now)
        return jobs.approve(job.id, job.quote_hash, ADA, now).job

    def start(self, job: Job) -> None:
        command = [sys.executable, "-m", "tests.trainers.lora_worker", str(self.data), str(self.cache)]
        command += [str(self.lease), self.precision, job.id]
        self.workers.append(subprocess.Popen(command, cwd=ROOT))

    @property
    def worker(self) -> subprocess.Popen[bytes]:
        return self.workers[-1]

    def close(self) -> None:
        """Leave no process behind, whatever failed."""
        for process in (*self.workers, *self.trainers()):
            process.kill()
        for worker in self.workers:
            worker.wait()
        self.deps.engine.dispose()

    def run_folder(self, job: Job) -> Path:
        return self.data / "jobs" / job.id / "train"

    def step(self, job: Job) -> int:
        """Steps of the curve as it stands."""
        curve = self.run_folder(job) / "losses.jsonl"
        return curve.read_bytes().count(b"\n") if curve.exists() else 0

    def trainers(self) -> list[psutil.Process]:
        """The living processes that train in this data folder, stopped ones included."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                words = process.cmdline()
                if "trainers.scripts.sft_lora" in words and words[-1].startswith(str(self.data)):
                    found += [process] if process.status() != psutil.STATUS_ZOMBIE else []
        return found

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count trainers all the while."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.02):
                self.most_trainers = max(self.most_trainers, len(self.trainers()))

        eye = threading.Thread(target=watch)
        eye.start()
        try:
            yield
        finally:
            over.set()
            eye.join()

    def kill_at(self, job: Job, step: int, way: str) -> None:
        """Wait for a step, and for a checkpoint of this trainer's own; strike; see to it that a worker goes on."""
        wait(lambda: self._at_work(job), "a trainer takes steps")
        [child] = self.trainers()
        enough = max(step, self.step(job) + 6)
        wait(lambda: self.step(job) >= enough, f"step {enough}")
        if way == "child":
            os.killpg(child.pid, signal.SIGKILL)
            wait(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "the child is dead", 5)
            return
        if way == "stop":
            self._outlast(job, child)
            return
        self.worker.kill()
        self.worker.wait()
        if way == "tree":
            os.killpg(child.pid, signal.SIGKILL)
        begun = time.monotonic()
        wait(lambda: not child.is_running(), "the child dies with its parent", 10)
        self.orphans.append(time.monotonic() - begun)
        self.start(job)

    def _at_work(self, job: Job) -> bool:
        """Whether a trainer lives that has begun the curve anew; the clock of processes may be a second off."""
        curve, found = self.run_folder(job) / "losses.jsonl", self.trainers()
        return len(found) == 1 and curve.exists() and curve.stat().st_mtime > found[0].create_time() + 1.5

    def _outlast(self, job: Job, child: psutil.Process) -> None:
        """Stop worker and child, let another worker take the job, and wake the old ones up again."""
        old = self.worker
        os.killpg(child.pid, signal.SIGSTOP)
        self._stop_between_writes(old)
        self.start(job)
        wait(lambda: any(each.pid != child.pid for each in self.trainers()), "a successor trains", 60)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGCONT)
        old.send_signal(signal.SIGCONT)
        assert old.wait(timeout=20) == PUT_OUT

    def _stop_between_writes(self, worker: subprocess.Popen[bytes]) -> None:
        """Stop a worker that keeps no database waiting: on SQLite one stopped in a write would let nobody take over."""
        while True:
            worker.send_signal(signal.SIGSTOP)
            with closing(sqlite3.connect(self.data / "luthier.db", timeout=0.5, isolation_level=None)) as other:
                try:
                    other.execute("begin immediate")
                    return
                except sqlite3.OperationalError:
                    worker.send_signal(signal.SIGCONT)
                    time.sleep(0.01)

    def finished(self, job: Job) -> dict[str, Any]:
        """Wait for the end of the job and return what its training was."""
        assert self.worker.wait(timeout=300) == 0
        job = self.deps.jobs.ledger.get(job.id)
        assert (job.state, job.error_what) == ("succeeded", "")
        card: dict[str, Any] = json.loads((self.run_folder(job) / "adapter" / "training.json").read_text())
        return card


def wait(what: Callable[[], object], name: str, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, f"waited {seconds} s in vain: {name}"
        time.sleep(0.002)
