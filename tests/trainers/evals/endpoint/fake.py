"""Runs the shipped rehearsal chat endpoint in a thread, over a real socket, and reads what it charged."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import uvicorn

from tests.chroma import free_port
from trainers.rehearsal.chat_app import ChatRehearsal, build_app
from trainers.rehearsal.chat_faults import ChatFaults
from trainers.rehearsal.chat_models import Pretender


class Fake:
    """A running endpoint."""

    def __init__(self, folder: Path, right: dict[str, str], **faults: object) -> None:
        self.charges = folder / "charges.jsonl"
        self.rehearsal = ChatRehearsal(models=Pretender(right=right), charges=self.charges)
        self.now(**faults)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def now(self, **faults: object) -> None:
        """Behave like this from now on."""
        self.rehearsal.faults = ChatFaults(**faults)  # type: ignore[arg-type]

    @property
    def calls(self) -> int:
        return self.rehearsal.faults.calls

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.charges.read_text().splitlines()] if self.charges.exists() else []

    def charged(self) -> Decimal:
        """Dollars."""
        return sum((Decimal(line["dollars"]) for line in self.lines()), Decimal(0))

    def twice(self) -> int:
        """Questions that were charged more than once, beyond the first time."""
        return sum(count - 1 for count in Counter(line["asked"] for line in self.lines()).values())


@contextmanager
def running(folder: Path, right: dict[str, str], **faults: object) -> Iterator[Fake]:
    fake = Fake(folder, right, **faults)
    config = uvicorn.Config(
        build_app(fake.rehearsal), host="127.0.0.1", port=fake.port, log_level="critical", ws="none", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield fake
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
