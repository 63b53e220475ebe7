"""Stop, at random moments: the job says that it was stopped, and nothing of it runs, within ten seconds."""

import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.trainers.jobs.conftest import bell, jobs
from tests.trainers.jobs.paid import Bench
from tests.trainers.lora_shop import ADA, Shop, wait
from tests.trainers.rehearsal.provider import ENDLESS, ThreadProvider
from trainers.jobs.service import Jobs
from trainers.spec import TrainingSpec
from trainers.states import ENDED

__all__ = ["bell", "jobs"]  # fixtures

BASE = Path.home() / ".cache" / "luthier"
"""Where `make run` leaves the real base model."""

LIMIT = 10.0


def told(capsys: pytest.CaptureFixture[str], what: str, seconds: list[float]) -> None:
    middle = sorted(seconds)[len(seconds) // 2]
    with capsys.disabled():
        print(f"\n{len(seconds)} stops of {what}: median {middle:.1f} s, longest {max(seconds):.1f} s")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    if not (BASE / "models" / TrainingSpec().base / "model.safetensors").exists():
        pytest.skip("the real base model is not on this machine: `make run` fetches it")
    made = Shop(folder=tmp_path, cache=BASE, lease=15, precision="auto")
    yield made
    made.close()


@pytest.mark.slow  # twenty starts of a real training of the 135M model
@pytest.mark.timeout(1800)
def test_twenty_stops_of_a_real_training(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Stopped while it imports, loads, trains or saves, resumed and stopped again: ten seconds at most each time."""
    draw, seconds = random.Random(7), []
    job, jobs = shop.approved(), shop.deps.jobs
    for _ in range(20):
        shop.start(job)
        time.sleep(draw.uniform(0.5, 20))
        wait(lambda: jobs.ledger.get(job.id).state == "running", "a worker has it")
        begun = time.monotonic()
        assert jobs.stop(job.id, ADA, datetime.now(UTC)).changed
        wait(lambda: jobs.ledger.get(job.id).state in ENDED, "it has ended", 60)
        seconds.append(time.monotonic() - begun)
        assert jobs.ledger.get(job.id).state == "cancelled"
        assert shop.trainers() == []
        shop.worker.wait()
        assert jobs.resume(job.id, ADA, datetime.now(UTC)).changed
    told(capsys, "a real training", seconds)
    assert max(seconds) < LIMIT


@pytest.mark.slow  # twenty jobs in real time on each database
def test_twenty_stops_of_a_hosted_job(
    jobs: Jobs, engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stopped before, in and after the upload and the start: cancelled at the provider and its rows deleted in time."""
    provider = ThreadProvider(tmp_path)
    provider.now(ENDLESS)
    bench, draw, seconds = Bench(jobs=jobs, provider=provider), random.Random(7), []
    for _ in range(20):
        job = bench.approved()
        over = threading.Event()
        hands = threading.Thread(target=_work, args=(bench, job.id, over))
        hands.start()
        time.sleep(draw.uniform(0, 1.5))
        begun = time.monotonic()
        bench.jobs.stop(job.id, ADA, bench.clock())
        wait(lambda: bench.get(job).state in ENDED, "it has ended", 60)  # noqa: B023  # called at once
        seconds.append(time.monotonic() - begun)
        over.set()
        hands.join()
        assert bench.get(job).state == "cancelled"
    told(capsys, f"a hosted job on {engine.dialect.name}", seconds)
    assert provider.count("cancelled") == provider.count("created")
    assert provider.count("deleted") == provider.count("uploaded")
    provider.stop()
    assert max(seconds) < LIMIT


def _work(bench: Bench, job_id: str, over: threading.Event) -> None:
    runner = bench.runner()
    while not over.wait(0.05):
        runner.work(job_id)
