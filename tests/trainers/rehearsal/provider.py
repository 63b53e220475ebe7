"""Runs the shipped rehearsal provider: in a thread, or as the process that people start, which can be killed."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from knowledge.certificates import needed
from tests.chroma import free_port
from trainers.rehearsal.app import Rehearsal, build_app
from trainers.rehearsal.book import Book
from trainers.rehearsal.faults import Faults
from trainers.rehearsal.life import Pace

QUICK = Pace(validating=0.05, queued=0.05, running=0.1)
"""A job that is over in 0.2 s."""

ENDLESS = Pace(validating=0.05, queued=0.05, running=600)
"""A job that runs on."""


class Provider:
    """A provider on a free port; its ledger file is what tests judge by."""

    def __init__(self, folder: Path) -> None:
        self.ledger = folder / "provider.jsonl"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ledger.read_text().splitlines()]

    def count(self, event: str) -> Counter[str]:
        """Count an event by submission id."""
        return Counter(line["submission_id"] for line in self.lines() if line["event"] == event)


class ThreadProvider(Provider):
    """A provider in this process, whose faults can be changed between two calls."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.rehearsal = Rehearsal(book=Book(path=self.ledger), pace=QUICK)
        config = uvicorn.Config(
            build_app(self.rehearsal), host="127.0.0.1", port=self.port, log_level="error", ws="none", lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)

    def now(self, pace: Pace = QUICK, **faults: Any) -> None:
        """Behave like this from now on."""
        self.rehearsal.faults, self.rehearsal.pace = Faults(**faults), pace

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)
        self.rehearsal.book.close()


class ProcessProvider(Provider):
    """A provider in a process of its own."""

    def __init__(self, folder: Path, faults: dict[str, Any] | None = None) -> None:
        super().__init__(folder)
        self._faults = faults or {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "trainers.rehearsal", "--port", str(self.port), "--ledger", str(self.ledger)]
        command += ["--faults", json.dumps(self._faults), "--pace", "0.05", "0.05", "0.1"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                httpx.get(f"{self.url}/nothing", timeout=1, verify=needed(self.url))
            except httpx.HTTPError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError("the provider did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
