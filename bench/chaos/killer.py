"""Knows whom to kill next and how, from a seed; it does not know what the victims do."""

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.chaos.crew import Crew

WAYS = ("tree", "parent", "child")
"""What dies: a parent and its child at once, the parent (its child dies of that), or the child alone."""

LEAST_GAP = 0.1
"""Seconds between two kills."""

QUIET = 2.0
"""After so many seconds without a kill one is due however far the jobs are: a stall must not end the killing."""

STOPS_A_KILL = 0.2
"""SIGSTOPs for each SIGKILL."""


@dataclass(kw_only=True)
class Killer:
    """Kills a number of times, spread over the run by how far it is."""

    crew: Crew
    victims: tuple[str, ...]
    kills: int
    wipes: int
    seed: int
    lease: float
    """Seconds; processes are stopped for less and for more than that."""
    died: Callable[[int], None] = lambda pid: None
    """Told the process id of each child that died of a kill."""
    done: Counter[str] = field(default_factory=Counter, init=False)
    """How often what was done."""
    _random: random.Random = field(init=False)
    _last: float = field(default=0.0, init=False)
    _asleep: dict[int, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Draw from the seed."""
        self._random = random.Random(self.seed)  # noqa: S311  # a rehearsal, not a secret

    @property
    def finished(self) -> bool:
        """Whether all kills and wipes are done and nobody sleeps."""
        return self.done["kills"] >= self.kills and self.done["wipes"] >= self.wipes and not self._asleep

    def act(self, progress: float, valkey: int, home: Path) -> None:
        """Do what is due at `progress` (0 to 1) of all jobs; `valkey` is the server's process, `home` its data."""
        now = time.monotonic()
        self._wake(now)
        if self.done["wipes"] < self.wipes * min(progress + 0.02, 1.0) and self._random.random() < 0.2:
            self._wipe(valkey, home)
        due = self.kills * min(progress * 1.05 + 0.01, 1.0)
        since = now - self._last
        if self.done["kills"] < self.kills and since >= LEAST_GAP and (self.done["kills"] < due or since > QUIET):
            time.sleep(self._random.random() * LEAST_GAP)  # a moment that nothing here is in step with
            self._strike(time.monotonic())

    def let_go(self) -> None:
        """Continue everything that was stopped."""
        self._wake(float("inf"))

    def _strike(self, now: float) -> None:
        victim = self._random.choice(self.victims)
        child = self.crew.child(victim)
        if self._random.random() < STOPS_A_KILL / (1 + STOPS_A_KILL):
            self._stop(child, now)
            return
        way = self._random.choice(WAYS)
        target = child if way == "child" else self.crew.parent(victim)
        if not target:
            return
        with suppress(ProcessLookupError):
            (os.killpg if way == "tree" else os.kill)(target, signal.SIGKILL)
            self._last = now
            self.done.update(("kills", f"{victim.partition('-')[0]} {way}"))
            self.died(child)

    def _stop(self, child: int, now: float) -> None:
        if child and child not in self._asleep:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGSTOP)
                self._asleep[child] = now + self._random.uniform(0.1, 2.5) * self.lease
                self.done["stops"] += 1

    def _wake(self, now: float) -> None:
        for child in [child for child, until in self._asleep.items() if until <= now]:
            del self._asleep[child]
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGCONT)

    def _wipe(self, valkey: int, home: Path) -> None:
        with suppress(ProcessLookupError):
            os.killpg(valkey, signal.SIGKILL)
        time.sleep(0.02)
        for left in home.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        self.done["wipes"] += 1
