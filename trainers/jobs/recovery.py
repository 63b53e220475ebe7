"""Knows how to say that a worker died, where its successor goes on and what that cost; it does not notice deaths."""

import json
from dataclasses import dataclass
from datetime import datetime

from trainers.tables import Job


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What a worker finds of the one that died before it on the same job."""

    phase: str
    """The phase in which it died; empty where it had not begun."""
    step: int
    """The last step of that phase that it reported; 0 where none."""
    seconds_per_step: float
    """As it was running, from what it said was left; 0 where that is not known."""
    silent_seconds: float
    """From its last sign of life until the job was taken over."""

    def at_first(self) -> str:
        """Say what happened, before it is known where the work goes on."""
        return f"The worker died{self._where()}. I've picked the job up again."

    def at_step(self, first: int) -> str:
        """Say where training goes on, now that its first step (counted from 1) is known, and what was lost."""
        if self.phase != "training" or not 0 < first <= self.step + 1:
            return self.at_first()
        checkpoint = first - 1
        from_where = f"from the checkpoint at step {checkpoint:,}" if checkpoint else "at the first step"
        seconds = (self.step - checkpoint) * self.seconds_per_step + self.silent_seconds
        return f"The worker died{self._where()}. I've restarted {from_where}; {_about(seconds)} lost."

    def _where(self) -> str:
        place = {"training": "at step", "evaluating": "at answer"}.get(self.phase, "")
        return f" {place} {self.step:,}" if place and self.step else ""


def recovery(job: Job, silent_since: datetime | None, now: datetime) -> Recovery:
    """Read what the dead worker had reported from the job as it was taken over."""
    last = json.loads(job.progress)
    step, steps, left = int(last.get("step", 0)), int(last.get("steps", 0)), last.get("seconds_left")
    return Recovery(
        phase=job.phase,
        step=step,
        seconds_per_step=float(left) / (steps - step) if left is not None and steps > step else 0.0,
        silent_seconds=max(0.0, (now - silent_since).total_seconds()) if silent_since else 0.0,
    )


def _about(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} minutes"
