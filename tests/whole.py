"""All of Luthier as a person starts it: `luthier up` in a process of its own, on a data folder and port of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil

from bot.services import free_port
from knowledge.certificates import needed
from tests.console import LocalSlack

ROOT = Path(__file__).resolve().parent.parent
PROBES = 12
"""Of each suite; all 340, before and after a training, take two cores five minutes. `bench.evaluation` asks all."""
START_LIMIT = 120.0
"""Seconds for everything to be up on a slow, busy machine; weights may have to be fetched first."""


class Hands(LocalSlack):
    """What people do at the page of a local Slack that somebody else started."""

    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.http = httpx.Client(
            base_url=self.url, headers={"X-Local-Slack": "1"}, trust_env=False, timeout=30, verify=needed(self.url)
        )


class Whole:
    """One running Luthier."""

    def __init__(self, data: Path, **env: str) -> None:
        self.data, self.port = data, free_port()
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LUTHIER_MODEL"))
        }
        self.env |= {"DATA_DIR": str(data), "PORT": str(self.port), "LUTHIER_PROBES": str(PROBES), **env}
        self.start()

    def start(self) -> None:
        """Start, and wait until the address was printed."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot", "up", "--people", "6", "--workspaces", "2"],
            cwd=ROOT,
            env=self.env,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.said: list[str] = []
        self.ready = threading.Event()
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        assert self.ready.wait(START_LIMIT), self.said
        self.hands = Hands(self.port)

    def stop(self) -> int:
        """Press Ctrl-C and wait for the end."""
        self.hands.http.close()
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=60)
        self.listener.join(timeout=10)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code

    def _listen(self) -> None:
        """Read all that it says to the end: a pipe that nobody empties stops who writes to it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if "is ready" in line:
                self.ready.set()

    def find(self, words: str) -> psutil.Process:
        """Return the running process whose command line holds `words`."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                if words in " ".join(_command(child)) and child.status() != psutil.STATUS_ZOMBIE:
                    return child
            time.sleep(0.1)
        raise AssertionError(f"no process with {words!r}")

    def luthier(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command on the same data folder."""
        return subprocess.run(
            [sys.executable, "-m", "bot", *words],
            cwd=ROOT,
            env={**self.env, **more},
            capture_output=True,
            text=True,
            timeout=300,
        )


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def leftovers(data: Path) -> list[str]:
    """Return the command lines of living processes that mention a data folder."""
    lines = (" ".join(_command(process)) for process in psutil.process_iter())
    return [line for line in lines if str(data) in line]
