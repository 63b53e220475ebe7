"""Knows what a job that succeeded leaves in the ledger: its result, and the model that it trained; not how it ran."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from trainers.backends.base import Trained
from trainers.costs.gate import line_for
from trainers.data.jsonl import read_rows
from trainers.evals.report import Report
from trainers.jobs.evaluating import Evaluated
from trainers.jobs.messages import ReportCard
from trainers.jobs.service import spec_of
from trainers.tables import Dataset, Job, ModelVersion


def result_json(
    card: ReportCard, trained: Trained, evaluated: Evaluated | None, cost: Decimal | None
) -> dict[str, Any]:
    """Return what a job's row keeps of its result; `cost` in dollars, None where nobody knows it."""
    return {
        "report": card.report,
        "images": list(card.images),
        "seconds": card.seconds,
        "model_id": card.model_id,
        "timing": evaluated
        and [trained.trained_tokens, trained.seconds, evaluated.report.verdict.n, evaluated.answered.seconds],
        "trained_tokens": trained.trained_tokens,
        "billed": card.billed,
        "dollars": None if cost is None else str(cost),
        "pretended": trained.pretended,
    }


def model_version(
    job: Job, dataset: Dataset, made: Report, trained: Trained, folder: Path, now: datetime
) -> ModelVersion:
    """Return what the registry keeps of a model: whence it is, where it answers, how it did and until when it lives."""
    spec, served = spec_of(job), trained.served
    line = line_for(spec.backend, spec.base)
    return ModelVersion(
        id=job.id.replace("job_", "model_"),
        workspace_id=job.workspace_id,
        job_id=job.id,
        name=job.title,
        base=spec.base,
        adapter_path=str(trained.adapter.relative_to(folder)) if trained.adapter else "",
        system_prompt=read_rows(folder / dataset.train_path).rows[0].system,
        verdict=made.verdict.outcome,
        created_at=now,
        backend=spec.backend,
        remote_id=served.model_id if served else "",
        remote_base=served.base if served else "",
        data_sha256=dataset.sha256,
        quote_hash=job.quote_hash,
        retires_on=_day(None if line is None or line.floor else line.dark_on),
    )


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()
