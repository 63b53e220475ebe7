"""The sweeper process sweeps every provider at which a backend leaves things, whichever backends there are."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot import sweeper, wiring
from bot.settings import Settings
from tests.trainers.jobs.conftest import bell, jobs
from tests.trainers.jobs.paid import Bench
from tests.trainers.rehearsal.provider import ThreadProvider
from trainers import backends
from trainers.backends.base import Housekeeper
from trainers.backends.traits import traits_of
from trainers.jobs.service import Jobs

__all__ = ["bell", "jobs"]  # fixtures


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[ThreadProvider]:
    made = ThreadProvider(tmp_path)
    yield made
    made.stop()


def test_every_backend_that_keeps_house_is_found(tmp_path: Path) -> None:
    """Found by what it can do; one that is not set up is left out, and one that leaves nothing anywhere too."""
    plain = Settings.from_env({"DATA_DIR": str(tmp_path)})
    assert list(wiring.housekeepers(plain)) == []
    hosted = replace(plain, rehearsal_url="http://127.0.0.1:1/v1")
    found = list(wiring.housekeepers(hosted))
    assert [(each.provider, isinstance(each, Housekeeper)) for each in found] == [("rehearsal provider", True)]


def test_a_backend_that_joins_is_swept(
    jobs: Jobs, address: str, provider: ThreadProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line in the table of backends, and what jobs left at its provider goes while another provider is dead."""
    provider.now(script={"delete": ["forbidden"]})
    bench = Bench(jobs=jobs, provider=provider)
    bench.clock.skip(-7200)  # it ended two hours ago
    bench.finish(bench.approved())
    monkeypatch.setattr(sweeper, "TIDY_EVERY", 0.05)
    monkeypatch.setitem(backends.BACKENDS, "joined", backends.BACKENDS["hosted_rehearsal"])
    parts = {"traits": traits_of("hosted_rehearsal"), "api": bench.api, "timing": bench.backend().timing}
    monkeypatch.setitem(wiring._PARTS, "joined", lambda _: parts)
    env = {"DATA_DIR": str(tmp_path), "DATABASE_URL": address, "LUTHIER_REHEARSAL_URL": "http://127.0.0.1:1/v1"}
    over = threading.Event()
    sweeping = threading.Thread(target=sweeper.run, args=(Settings.from_env(env), over))
    sweeping.start()
    until = time.monotonic() + 20
    while provider.count("deleted") != provider.count("uploaded") and time.monotonic() < until:
        time.sleep(0.05)
    over.set()
    sweeping.join()
    assert provider.count("deleted") == provider.count("uploaded") != {}
