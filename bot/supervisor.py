"""Knows how to keep a set of programs running and how to end them; it does not know what they are."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.errors import ServiceError

ROOT = Path(__file__).resolve().parent.parent
"""Where programs start: `python -m bot` takes the current folder first, and a stranger's may hold another `bot`."""

STOP_LIMIT = 12.0
"""Seconds between asking a program to end and killing it: longer than a training child needs to write a checkpoint."""

BACKOFF = (0.2, 1.0, 3.0, 10.0)
"""Seconds before a program that keeps dying is started again."""

STEADY = 30.0
"""After this many seconds of life a program's earlier deaths are forgotten."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program to keep running."""

    name: str
    """Its name in messages and of its log."""
    argv: tuple[str, ...]
    """Program and arguments."""
    env: Mapping[str, str]
    """Its whole environment."""
    ready: Callable[[], bool] = lambda: True
    """Says whether it can be used yet."""
    once: bool = False
    """Runs to its end and is not started again."""


@dataclass
class _Running:
    program: Program
    child: subprocess.Popen[bytes]
    since: float
    deaths: int = 0
    start_at: float = 0.0


@dataclass(kw_only=True)
class Supervisor:
    """Starts programs, restarts those that die, and ends all of them in reverse order."""

    logs: Path
    """Folder of one log file a program."""
    say: Callable[[str], None]
    """Tells the person what happens, one line at a time."""
    _running: dict[str, _Running] = field(default_factory=dict, init=False)

    def start(self, program: Program, *, wait: float = 30.0) -> None:
        """Start a program and wait until it is ready; raises ServiceError with the end of its log where it is not."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self._running[program.name] = _Running(program, self._spawn(program), time.monotonic())
        until = time.monotonic() + wait
        while not program.ready():
            if self._running[program.name].child.poll() is not None or time.monotonic() > until:
                raise ServiceError(f"{program.name} did not start.", f"Its log says: {self.last_words(program.name)}")
            time.sleep(0.05)

    def watch(self) -> None:
        """Start again what has died; call it every second or so."""
        now = time.monotonic()
        for running in self._running.values():
            status = running.child.poll()
            if status is None or (running.program.once and status == 0 and not running.start_at):
                continue
            if running.program.once:
                self._report_once(running, status)
            elif not running.start_at:
                self._plan(running, status, now)
            elif now >= running.start_at:
                running.child, running.since, running.start_at = self._spawn(running.program), now, 0.0

    def stop(self) -> None:
        """End everything, last started first; what does not listen is killed with its whole process group."""
        for running in reversed(self._running.values()):
            if running.child.poll() is None:
                running.child.terminate()
        until = time.monotonic() + STOP_LIMIT
        for running in reversed(self._running.values()):
            try:
                running.child.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{running.program.name} does not end; killing it")
            _kill_group(running.child)
        self._running.clear()

    def pid(self, name: str) -> int:
        """Return the process id that a program has, or had when it died."""
        return self._running[name].child.pid

    def last_words(self, name: str) -> str:
        """Return the last line of a program's log."""
        path = self.logs / f"{name.replace(' ', '-')}.log"
        lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
        return lines[-1][:300] if lines else "(nothing)"

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "bot.lifeline", str(os.getpid()), *program.argv]
        with (self.logs / f"{program.name.replace(' ', '-')}.log").open("ab") as log:
            return subprocess.Popen(
                argv,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(program.env),
                start_new_session=True,
            )

    def _plan(self, running: _Running, status: int, now: float) -> None:
        running.deaths = 0 if now - running.since > STEADY else running.deaths + 1
        pause = BACKOFF[min(running.deaths, len(BACKOFF) - 1)]
        running.start_at = now + pause
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        _kill_group(running.child)
        self.say(f"{running.program.name} {how}; starting it again in {pause:g} s")

    def _report_once(self, running: _Running, status: int) -> None:
        if not running.start_at:
            running.start_at = float("inf")
            self.say(f"{running.program.name} failed (status {status}): {self.last_words(running.program.name)}")


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of a program's process group: its own children must not outlive it."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        child.wait()
