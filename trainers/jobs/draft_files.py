"""Knows where the rows of a job from a shell lie: where they were wanted, else in the job's folder; it drafts none."""

import json
from pathlib import Path
from typing import Any, Final

from trainers.evals.generating.files import document, rows_text, write_files
from trainers.jobs.draft_job import Drafted
from trainers.jobs.drafting import home_of
from trainers.tables import Job

DOCUMENT: Final = "drafted.json"
"""All that came of a job, for the terminal that follows it; it goes soon after the job's end."""


def left_for_shell(made: Drafted, home: Path) -> tuple[list[str], str]:
    """Write a job's files; returns their paths, and a sentence where they are not where they were wanted, else "".

    A file that is there already is never written over, unless an earlier life of this job wrote it. `home` is the
    job's folder.
    """
    wish = made.wish
    (home / DOCUMENT).write_text(json.dumps(document(made.made, wish.grid), ensure_ascii=False), "utf-8")
    wanted = Path(wish.out) if wish.out else None
    why = _in_the_way(wanted, made) if wanted else ""
    if wanted and not why:
        try:
            return write_files(made.made, wish.spec, wish.grid, wanted), ""
        except OSError as refused:
            why = refused.strerror or type(refused).__name__
    files = write_files(made.made, wish.spec, wish.grid, home / "drafted.jsonl", "drafted")
    return files, f"Nothing was written to {wanted} ({why}): the rows are in {home}." if wanted else ""


def document_of(job: Job, folder: Path) -> dict[str, Any] | None:
    """Return all that came of a job that has just ended; None where it is gone. `folder` is the data folder."""
    try:
        told: dict[str, Any] = json.loads((home_of(folder, job.id) / DOCUMENT).read_text("utf-8"))
    except OSError:
        return None
    return told


def _in_the_way(path: Path, made: Drafted) -> str:
    ours = path.is_file() and path.read_bytes() == rows_text(made.made).encode()
    return "" if ours or not path.exists() else "a file is there"
