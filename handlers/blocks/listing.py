"""Knows how help, jobs and models look in a list; it does not know where the lists come from."""

import json
from collections.abc import Sequence

from handlers.blocks.answer import PRIVACY
from handlers.blocks.job import stop_button
from handlers.blocks.parts import Block, button, context, section
from handlers.blocks.report import DETAILS, TRY
from handlers.blocks.words import duration, points
from handlers.escape import mrkdwn
from trainers.tables import Job, ModelVersion

COMMANDS: dict[str, tuple[str, str]] = {
    "help": ("", "this list"),
    "advise": ("<what you want to do>", "should you prompt, use RAG, fine-tune, or none of these"),
    "ask": ("<question>", "a cited answer from the guide"),
    "train": ("", "pick or upload rows, see findings and a quote"),
    "jobs": ("", "your workspace's jobs and what came of them"),
    "cancel": ("<number>", "stop a job, or drop a quote"),
    "lint": ("<data set>", "what I find in its rows"),
    "models": ("", "tuned models, and a place to try them"),
    "settings": ("", "who may approve what, and how this month's budgets stand"),
    "pause": ("", "approve and start nothing until `/tune unpause` (approvers only)"),
    "unpause": ("", "go on after a pause (approvers only)"),
}
"""Sub-commands of /tune: arguments and meaning."""

SHOWN = 10
"""Entries in one list."""

STATES = {
    "quoted": "waits for approval",
    "awaiting_approval": "waits for approval",
    "queued": "queued",
    "cancelled": "stopped",
}
VERDICTS = {"PASS": "passed", "FAIL": "did not pass", "INCONCLUSIVE": "not proven"}


def help_blocks(note: str = "") -> list[Block]:
    """List the sub-commands; `note` says what is still being installed."""
    lines = [
        f"`/tune {mrkdwn(f'{name} {argument}'.strip())}`: {meaning}" for name, (argument, meaning) in COMMANDS.items()
    ]
    small = ["Or mention me, or write to me directly.", PRIVACY, *([mrkdwn(note, 400)] if note else [])]
    return [section("*What I can do*\n" + "\n".join(lines)), context(*small)]


def jobs_blocks(jobs: Sequence[Job]) -> list[Block]:
    """List jobs, newest first; a running one can be stopped, a finished one opened."""
    if not jobs:
        return [section("No jobs yet. `/tune train` begins one: you see a quote before anything starts.")]
    return [section(job_line(job), accessory=_job_button(job)) for job in jobs[:SHOWN]]


def job_line(job: Job) -> str:
    """Say in one line how a job stands."""
    return f"*#{job.number} {mrkdwn(job.title, 150)}* · {job_state(job)} · asked for by <@{job.requested_by}>"


def job_state(job: Job) -> str:
    """Say how a job stands: `training, step 12/60`, `passed, +68 points, 5 min 12 s`."""
    if job.state == "running":
        figures = json.loads(job.progress)
        step = f", {figures['step']}/{figures['steps']}" if figures.get("steps") else ""
        return f"{job.phase or 'starting'}{step}"
    if job.state == "failed":
        return f"failed: {mrkdwn(job.error_what, 200)}"
    if job.state != "succeeded":
        return STATES.get(job.state, job.state)
    result = json.loads(job.result)
    took = duration(result["seconds"]) if result.get("seconds") is not None else ""
    if not result.get("report"):
        return ", ".join(filter(None, ("rehearsed, nothing was trained", took)))
    verdict = result["report"]["verdict"]
    return ", ".join(filter(None, (VERDICTS[verdict["outcome"]], f"{points(verdict['difference'])} points", took)))


def models_blocks(models: Sequence[ModelVersion]) -> list[Block]:
    """List tuned models, newest first."""
    if not models:
        return [section("No tuned models yet. `/tune train` makes the first one.")]
    return [section(model_line(model), accessory=button("Try it", TRY, model.id)) for model in models[:SHOWN]]


def model_line(model: ModelVersion) -> str:
    """Say in one line what a model is and how it did."""
    verdict = VERDICTS.get(model.verdict, "not evaluated")
    made = f" · {model.created_at:%d %b %Y}" if model.created_at else ""
    return f"*{mrkdwn(model.name, 150)}* · {model.status} · {verdict}{made}"


def _job_button(job: Job) -> Block | None:
    if job.state in {"queued", "running"}:
        return stop_button(job.id, job.number)
    if job.state == "succeeded" and json.loads(job.result).get("report"):
        return button("Details", DETAILS, job.id)
    return None
