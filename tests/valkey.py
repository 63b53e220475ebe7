"""A real Valkey for tests and measurements, as Luthier starts its own."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.services import valkey
from bot.settings import Settings


@contextmanager
def running_valkey(folder: Path) -> Iterator[str]:
    """Run a server that keeps its data in `folder` while the block lasts; gives its address."""
    settings = Settings.from_env({"DATA_DIR": str(folder)})
    settings.run.mkdir(parents=True, exist_ok=True)
    program = valkey(settings)
    server = subprocess.Popen(program.argv, env=dict(program.env), stdout=subprocess.DEVNULL)
    try:
        while not program.ready():
            time.sleep(0.02)
        yield f"unix://{settings.run / 'valkey.sock'}"
    finally:
        server.kill()
        server.wait()
