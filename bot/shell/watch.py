"""Knows how jobs are watched from the shell: a table that is drawn anew, or a line for each change; it stops no job."""

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bot.shell.terminal import clean, show, show_json

if TYPE_CHECKING:
    from bot.working import Working
    from trainers.jobs.line import Ahead
    from trainers.tables import Job

Listed = tuple[Sequence["Job"], dict[str, "Ahead"]]
"""Jobs, and the places of those that wait, by id."""

REDRAW = 2.0
"""Seconds between two looks."""

HEAD = ("Job", "What", "State", "Verdict", "Created")


def listed(at: "Working", name: str | None) -> Listed:
    """Return one job, or one's own newest ones, and the places of those that wait."""
    from bot.wiring import shell_person
    from knowledge.clock import utc_now

    ledger, workspace = at.deps.jobs.ledger, shell_person().workspace_id
    found = [ledger.find(workspace, name)] if name else ledger.listing(workspace)
    return found, ledger.places(found, utc_now())


def watch_table(at: "Working", name: str | None) -> None:
    """Draw the table anew until one's job has ended; Ctrl-C ends the watch and nothing else.

    What is piped gets a line for each change instead: a table that is drawn anew means nothing in a file.
    """
    if not sys.stdout.isatty():
        _watch_changes(at, name, lambda job, place: show(" · ".join(filter(None, job_row(job, place)))))
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(highlight=False, markup=False), auto_refresh=False) as live:
        _watch(at, name, lambda found: live.update(_table(found), refresh=True))


def watch_lines(at: "Working", name: str | None) -> None:
    """Print one JSON document a line for each job at the start, and for each change."""
    _watch_changes(at, name, lambda job, place: show_json(job_json(job, place)))


def job_json(job: "Job", place: "Ahead | None" = None) -> dict[str, Any]:
    """Return what a script wants to know of a job; `ahead` and `wait_minutes` only of one that waits."""
    keep = "id number kind title state phase queue priority requested_by error_what error_next created_at finished_at"
    parsed = {name: json.loads(getattr(job, name)) for name in ("quote", "progress", "result")}
    waits = {"ahead": place.jobs, "wait_minutes": place.minutes} if place else {}
    return {name: getattr(job, name) for name in keep.split()} | waits | parsed


def job_row(job: "Job", place: "Ahead | None" = None) -> tuple[str, ...]:
    """Return a job's cells under `HEAD`."""
    from trainers.jobs.line import place_words

    judged = json.loads(job.result).get("report") or {}
    verdict = judged.get("verdict", {}).get("outcome", "")
    created = job.created_at.strftime("%Y-%m-%d %H:%M UTC") if job.created_at else ""
    state = f"queued, {place_words(place)}" if place else f"{job.state} {_phase(job)}".strip()
    return f"#{job.number}", job.title, state, verdict, created


def _phase(job: "Job") -> str:
    figures = json.loads(job.progress) if job.state == "running" else {}
    return f"{job.phase} {figures['step']}/{figures['steps']}" if figures.get("steps") else job.phase


def _watch_changes(at: "Working", name: str | None, tell: Callable[["Job", "Ahead | None"], None]) -> None:
    """Call `tell` for each job at the start, the oldest first, and for each that changed."""
    known: dict[str, dict[str, Any]] = {}

    def tell_changes(found: Listed) -> None:
        for job in reversed(found[0]):
            now = job_json(job, found[1].get(job.id))
            if known.get(job.id) != now:
                tell(job, found[1].get(job.id))
                known[job.id] = now

    _watch(at, name, tell_changes)


def _watch(at: "Working", name: str | None, tell: Callable[[Listed], None]) -> None:
    from trainers.states import ENDED

    with _interrupts() as over:
        while not over.is_set():
            at.tend()
            found = listed(at, name)
            tell(found)
            if name and found[0][0].state in ENDED:
                return
            over.wait(REDRAW)
    raise KeyboardInterrupt


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Hear Ctrl-C as a flag: an exception that arrives while garbage is collected would be lost."""
    over = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: over.set())
    try:
        yield over
    finally:
        signal.signal(signal.SIGINT, before)


def _table(found: Listed) -> Any:
    from rich.table import Table

    drawn = Table(*HEAD, box=None, pad_edge=False)
    for job in found[0]:
        drawn.add_row(*(clean(cell) for cell in job_row(job, found[1].get(job.id))))
    return drawn
