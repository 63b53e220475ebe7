"""Knows how a worker holds one job: it renews the lease, passes progress on and makes paid calls once; not the work."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trainers.backends.base import PaidCall, StopRequested, Waiting, WorkerLeaving
from trainers.jobs import outbox, pausing
from trainers.jobs.cards import progress_card
from trainers.jobs.ledger import LEASE
from trainers.jobs.recovery import Recovery
from trainers.jobs.submission import Submissions
from trainers.jobs.time_left import TimeLeft
from trainers.tables import Job

if TYPE_CHECKING:
    from trainers.jobs.run import Runner

BEAT = 2.0
"""Seconds between renewals of a lease of the usual length; another length shortens or stretches them."""


@dataclass(kw_only=True)
class Hold:
    """A worker's hold on one job: renews the lease and passes progress on."""

    runner: "Runner"
    job: Job
    note: str = ""
    """Said with every progress message until the phase changes."""
    recovery: Recovery | None = None
    """What is known of a worker that died before this one, until it has been said."""
    stopping: bool = False
    """Whether the stop that was asked for is being carried out, and need not be reported again."""
    _phase: str = field(default="", init=False)
    _kept: float = field(default=0.0, init=False)
    _losses: list[float] = field(default_factory=list, init=False)
    _left: TimeLeft = field(default_factory=TimeLeft, init=False)

    def keep(self) -> None:
        """Renew the lease every two seconds; raises StopRequested, WorkerLeaving or LeaseLost."""
        if self.runner.leaving.is_set():
            raise WorkerLeaving
        if time.monotonic() - self._kept < BEAT * (self.runner.ledger.lease / LEASE):
            return
        who = self.runner.ledger.keep(self.job, self.runner.clock())
        self._kept = time.monotonic()
        if who and not self.stopping:
            raise StopRequested(who)

    def once(self, call: PaidCall) -> str | Waiting:
        """Make a paid call at most once for this job; see `trainers.jobs.submission`."""
        self.keep()
        return self._submissions().once(call)

    def made(self, call: PaidCall) -> str | Waiting | None:
        """Return what a paid call created, without making it."""
        self.keep()
        return self._submissions().made(call)

    def taken(self, provider: str, provider_id: str) -> bool:
        """Say whether another call is known to have created this; as `Keeper.taken`."""
        return self._submissions().taken(provider, provider_id)

    def over(self, call: PaidCall, why: str) -> bool:
        """Record that what a paid call created is dead or deleted."""
        return self._submissions().over(call, why)

    def _submissions(self) -> Submissions:
        runner = self.runner
        return Submissions(
            ledger=runner.ledger,
            job=self.job,
            clock=runner.clock,
            may_spend=runner.may_spend,
            stopping=self.stopping,
        )

    def progress(self, phase: str, numbers: Mapping[str, Any]) -> None:
        """Write the newest figures into the job and its one progress message."""
        known = {name: numbers[name] for name in PROGRESS if numbers.get(name) is not None}
        if phase not in ("", "preparing") and phase != self._phase:
            self.note = self.note if not self._phase else ""
            self._phase = phase
        if "seconds_left" in known:
            known["seconds_left"] = self._left.told(phase, float(known["seconds_left"]))
        if self.recovery and phase == "training" and "step" in known:
            self.note, self.recovery = self.recovery.at_step(int(known["step"])), None
        if "loss" in known:
            self._losses.append(float(known["loss"]))
            known["loss_before"] = self._losses[max(0, len(self._losses) - 6)]
        known["note"] = " ".join(filter(None, (self.note, known.get("note", ""))))
        now = self.runner.clock()
        with self.runner.ledger.transaction() as connection:
            self.runner.ledger.progress(connection, self.job, *self._kept_at(phase, known))
            shown = pausing.noted(connection, self.job, known)
            outbox.put(connection, self.job, progress_card(self.job, phase, shown), now)
        self.keep()

    def _kept_at(self, phase: str, known: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return what the ledger is to know: whoever takes over a job does not forget how far it was."""
        if phase == "preparing" and self.job.phase in pausing.BEGUN:
            return self.job.phase, json.loads(self.job.progress)
        return phase, known


PROGRESS = ("step", "steps", "loss", "tokens_per_second", "rows_per_second", "seconds_left", "note", "hold")
"""What a progress message may show."""
