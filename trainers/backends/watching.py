"""Knows how to read what a provider says of a running job, whatever words it finds for it; it asks nobody."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

WORDS: Final = {
    "validating_files": "checks the rows",
    "queued": "has it in its queue",
    "running": "trains",
    "pausing": "is pausing it",
    "paused": "has paused it",
    "resuming": "lets it go on",
}
"""State of a job that has not ended -> what the provider does. OpenAI documents three of them; others were seen."""

PAUSED: Final = ("pausing", "paused")


_BEGUN: Final = "train/begun"
"""Where the run is named that was seen running."""


class Step(NamedTuple):
    """One training step, as a metrics event tells it."""

    step: int
    loss: float
    steps: int
    """Of how many; 0 where nobody says."""
    at: float | None = None
    """When it was taken, in seconds since 1970; None where nobody says."""


def stands(title: str, job: Mapping[str, Any]) -> str:
    """Say how a job stands; a state that nobody knows is told in the provider's word."""
    status = str(job.get("status") or "")
    known = WORDS.get(status)
    return f"{title}: {known or f'it says {status[:40]!r}, which I do not know; I go on asking'}"


def hold(job: Mapping[str, Any], folder: Path) -> str:
    """Return what a provider that pauses runs can be asked now: `pause`, `go_on`, or "".

    OpenAI has no word for a paused run but says that it is queued: one that was seen running before is paused then.
    """
    status, mark, run = job.get("status"), folder / _BEGUN, str(job.get("id"))
    if status == "running":
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(run, "utf-8")
        return "pause"
    begun = mark.exists() and mark.read_text("utf-8") == run
    return "go_on" if status == "paused" or (status == "queued" and begun) else ""


def seconds_left(job: Mapping[str, Any], now: datetime) -> float | None:
    """Return how long a job still takes by the provider's own estimate; None where it names none."""
    finish = job.get("estimated_finish")
    return max(0.0, float(finish) - now.timestamp()) if isinstance(finish, int | float) else None


def steps_in(events: Iterable[Mapping[str, Any]]) -> list[Step]:
    """Return the steps that events tell of, in order; what is no figure is left out."""
    found = {}
    for event in events:
        data = event.get("data")
        if event.get("type") != "metrics" or not isinstance(data, dict):
            continue
        step, loss, whole = data.get("step"), data.get("train_loss"), data.get("total_steps")
        if isinstance(step, int) and isinstance(loss, int | float) and math.isfinite(loss):
            at = event.get("created_at")
            when = float(at) if isinstance(at, int | float) else None
            found[step] = Step(step, float(loss), whole if isinstance(whole, int) else 0, when)
    return [found[step] for step in sorted(found)]


def keep_losses(path: Path, steps: Iterable[Step]) -> None:
    """Add steps to the record that the loss curve is drawn from; told again, a step is kept once."""
    known = {}
    if path.exists():
        known = {line["step"]: line for line in map(json.loads, path.read_text("utf-8").splitlines())}
    fresh = {each.step: _kept(each) for each in steps if each.step not in known}
    if not fresh:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = {**known, **fresh}
    part = path.with_suffix(".part")
    part.write_text("".join(json.dumps(lines[step]) + "\n" for step in sorted(lines)), "utf-8")
    part.replace(path)


def _kept(step: Step) -> dict[str, float]:
    return {"step": step.step, "loss": step.loss} | ({} if step.at is None else {"at": step.at})


def last_words(events: Iterable[Mapping[str, Any]]) -> str:
    """Return the newest warning or error that a provider told, "" where there is none."""
    told = (str(event.get("message") or "") for event in events if event.get("level") in ("warn", "error"))
    return next((words[:200] for words in told if words), "")


def why_dead(job: Mapping[str, Any]) -> str:
    """Say why a job has ended without a model."""
    error = job.get("error")
    told, param = (error.get("message"), error.get("param")) if isinstance(error, dict) else ("", "")
    why = told or f"The provider's job was {job.get('status')}."
    return f"{'The held-out rows were not taken. ' if param == 'validation_file' else ''}{why}"[:300]


def pretends(job: Mapping[str, Any]) -> bool:
    """Say whether the answer is a rehearsal's: it writes so where OpenAI writes whose account it is."""
    return "nothing-is-trained" in str(job.get("organization_id") or "")


def took(job: Mapping[str, Any]) -> float:
    """Return how long a job took, in seconds; 0 where the provider does not say."""
    times = (job.get("created_at"), job.get("finished_at"))
    begun, ended = (float(moment) if isinstance(moment, int | float) else 0.0 for moment in times)
    return max(0.0, ended - begun) if begun and ended else 0.0
