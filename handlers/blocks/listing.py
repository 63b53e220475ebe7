"""Knows how help, jobs and models look in a list; it does not know where the lists come from."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from handlers.blocks.answer import PRIVACY
from handlers.blocks.job import stop_button
from handlers.blocks.parts import Block, button, context, section
from handlers.blocks.report import DETAILS, TRY
from handlers.blocks.words import count, day, duration, points
from handlers.escape import mrkdwn
from trainers.backends.bases import title_of
from trainers.jobs.intake import INDEX
from trainers.jobs.kinds import DRAFTING
from trainers.jobs.line import Ahead, place_words
from trainers.jobs.pausing import ASIDE
from trainers.tables import Job, ModelVersion

COMMANDS: dict[str, tuple[str, str]] = {
    "help": ("", "this list"),
    "advise": ("<what you want to do>", "should you prompt, use RAG, fine-tune, or none of these"),
    "compare": ("<what you want to do>", "all options by quality, cost, time, maintenance and ease of updating"),
    "ask": ("<question>", "a cited answer from the guide and your team's documents"),
    "learn": ("[https://…]", "add documents that answers use beside the guide"),
    "sources": ("", "what answers rest on: the guide and your team's documents"),
    "forget": ("<document>", "remove a document with everything that was made of it"),
    "eval-plan": ("<what the model is to do>", "what to measure, how many test rows, when it counts as a success"),
    "system-prompt": (
        "<what the model is to do> | --check",
        "a system prompt with exact output and examples; or yours, checked",
    ),
    "voice": ("", "what is distinctive in how your brand writes, and what rows and test it needs"),
    "cost": ("[base model rows=… in=… out=…]", "what training, evaluating and serving cost, at whom, and when it pays"),
    "train": ("", "pick or upload rows, see findings and a quote"),
    "jobs": ("[all]", "your jobs and what came of them; with all, other people's too"),
    "cancel": ("<number>", "stop a job, or drop a quote"),
    "resume": ("<number>", "continue a stopped or failed job from its last checkpoint"),
    "lint": ("<data set>", "what I find in its rows"),
    "data": (
        "[generate <task>]",
        "your team's training rows: upload, compare, share, delete; or draft some for a task",
    ),
    "models": ("", "tuned models, and a place to try them"),
    "settings": ("", "who may approve what, and how this month's budgets stand"),
    "keys": ("[create <name> | rotate | revoke | grant | all]", "keys of the API that speaks OpenAI's fine-tuning"),
    "pause": ("", "approve and start nothing until `/tune unpause` (approvers only)"),
    "unpause": ("", "go on after a pause (approvers only)"),
}
"""Sub-commands of /tune: arguments and meaning."""

NO_PLACES: Mapping[str, Ahead] = MappingProxyType({})

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


def jobs_blocks(jobs: Sequence[Job], places: Mapping[str, Ahead] = NO_PLACES, others: int = 0) -> list[Block]:
    """List jobs in the order given; a running one can be stopped, a finished one opened.

    `places` has the place of those that wait, by id; `others` says how many jobs of other people are not shown.
    """
    more = [context(f"{count(others, 'job')} of other people: `/tune jobs all`.")] if others else []
    if not jobs:
        return [section("No jobs yet. `/tune train` begins one: you see a quote before anything starts."), *more]
    lines = [section(job_line(job, places.get(job.id)), accessory=_job_button(job)) for job in jobs[:SHOWN]]
    return [*lines, *more]


def job_line(job: Job, place: Ahead | None = None) -> str:
    """Say in one line how a job stands."""
    return f"*#{job.number} {mrkdwn(job.title, 150)}* · {job_state(job, place)} · asked for by <@{job.requested_by}>"


def job_state(job: Job, place: Ahead | None = None) -> str:
    """Say how a job stands: `queued, 2 ahead, about 14 min`, `training, step 12/60`, `passed, +68 points, 5 min`."""
    if job.state == "queued" and place is not None:
        return f"queued, {place_words(place)}"
    if job.state == "queued" and job.phase == ASIDE:
        return "paused: it starts when an approver lifts the pause"
    if job.state == "running":
        figures = json.loads(job.progress)
        step = f", {figures['step']}/{figures['steps']}" if figures.get("steps") else ""
        return f"{job.phase or 'starting'}{step}"
    if job.state == "failed":
        return f"failed: {mrkdwn(job.error_what, 200)}"
    if job.state != "succeeded":
        return STATES.get(job.state, job.state)
    return _outcome(job, json.loads(job.result))


def _outcome(job: Job, result: Mapping[str, Any]) -> str:
    """Say what came of a job that succeeded."""
    took = duration(result["seconds"]) if result.get("seconds") is not None else ""
    if job.kind == INDEX:
        told = f"{result['documents']:,} added, {count(result['passages'], 'passage')}"
        return ", ".join(filter(None, (told, took)))
    if job.kind == DRAFTING:
        return ", ".join(filter(None, (count(result["rows"], "draft row"), took)))
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
    where = f" · stays at {mrkdwn(title_of(model.backend), 60)}" if model.remote_id else ""
    until = f", goes dark on {day(model.retires_on)}" if model.retires_on else ""
    return f"*{mrkdwn(model.name, 150)}* · {model.status} · {verdict}{made}{where}{until}"


def _job_button(job: Job) -> Block | None:
    if job.state in {"queued", "running"}:
        return stop_button(job.id, job.number, job.kind)
    if job.state == "succeeded" and json.loads(job.result).get("report"):
        return button("Details", DETAILS, job.id)
    return None
