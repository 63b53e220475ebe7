"""Knows what tuned models are called in the fine-tuning API, and which job such a name means; it knows no rows."""

import re

PREFIX = "ft:"


def tuned_name(base: str, workspace_id: str, title: str, job_id: str) -> str:
    """Return `ft:BASE:WORKSPACE:SUFFIX:ID`, as OpenAI names its own; ID is the job's, SUFFIX names its rows."""
    suffix = slug(title.removesuffix(f" on {base}"))
    return f"{PREFIX}{base}:{workspace_id.lower()}:{suffix}:{job_id.removeprefix('job_')}"


def job_in(name: str) -> str:
    """Return the id of the job that a tuned model's name means, or ""."""
    match = re.fullmatch(r"ft:[^:]+:[^:]+:[^:]*:([0-9a-f]{12})", name)
    return f"job_{match[1]}" if match else ""


def run_of(api_job_id: str) -> str:
    """Return the id that a job of the API gives its run."""
    return f"job_{api_job_id.removeprefix('ftjob-')}"


def slug(text: str) -> str:
    """Return a suffix as OpenAI writes it: small letters, figures and dashes, 40 characters at most."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")
