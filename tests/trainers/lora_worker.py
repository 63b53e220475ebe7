"""A worker as a process of its own that trains one job, by default in exact arithmetic; it is there to be killed.

Run as: python -m tests.trainers.lora_worker DATA_DIR CACHE LEASE PRECISION JOB_ID
"""

import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.settings import Settings
from bot.store.engine import open_engine
from bot.wiring import build_runner
from trainers.backends.base import Keeper, Order, Trained, Waiting
from trainers.backends.local import LocalBackend
from trainers.states import ENDED

LEASE = 2.0
"""Seconds; a worker that is killed is replaced after as long."""

PUT_OUT = 3
"""Exit status of a worker whose job another one has taken."""


@dataclass(kw_only=True)
class Exact(LocalBackend):
    """The local backend; float32 where runs are compared, which must not depend on how bfloat16 sums are scheduled."""

    precision: str

    def advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        """Train, and leave out the evaluation, which has tests of its own."""
        trained = super().advance(order, keeper)
        return trained if isinstance(trained, Waiting) else replace(trained, adapter=None, base=None)

    def _config(self, order: Order, base: Path) -> dict[str, Any]:
        return {**super()._config(order, base), "precision": self.precision}


def settings_for(data: Path, cache: Path, lease: float) -> Settings:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    env = {"DATA_DIR": str(data), "LUTHIER_CACHE": str(cache), "LUTHIER_LEASE": str(lease), "LUTHIER_THREADS": "1"}
    return Settings.from_env({**kept, **env})


def main() -> None:
    """Work on the job until it has ended, or until it is another worker's."""
    data, cache, lease, precision, job_id = sys.argv[1:]
    settings = settings_for(Path(data), Path(cache), float(lease))
    plain = build_runner(settings, open_engine(settings.database))
    parts = {"cache": settings.cache, "env": settings.child_env, "threads": settings.threads}
    exact = Exact(**parts, missing_tools=lambda: "", precision=precision)
    runner = replace(plain, backend=lambda _: exact)
    while True:
        begun = time.monotonic()
        runner.work(job_id)
        job = runner.ledger.get(job_id)
        if job.state in ENDED:
            return
        if job.owner != runner.owner and time.monotonic() - begun > 1:
            sys.exit(PUT_OUT)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
