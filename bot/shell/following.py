"""Knows how a job is said yes to and followed to its end in a terminal; it proposes none and knows no command."""

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from bot.shell.reading import read_report
from bot.shell.rows import read_quote
from bot.shell.terminal import bar, fail_usage, in_shell, say, show, show_json
from bot.shell.watch import job_json

if TYPE_CHECKING:
    from bot.working import Working
    from trainers.tables import Job

LOOK_EVERY = 0.5
"""Seconds between two looks at a job."""


def run_job(at: "Working", job: "Job", *, yes: bool, as_json: bool) -> None:
    """Show a quote, ask for the yes, and follow the job to its end; exits 0 where it succeeded."""
    from bot.wiring import shell_person
    from knowledge.clock import utc_now

    say(f"Quote #{job.number}: {read_quote(json.loads(job.quote))}")
    if not yes and not typer.confirm("Approve and start?", err=True):
        at.deps.jobs.stop(job.id, shell_person(), utc_now())
        say("Nothing was started.")
        raise typer.Exit(1)
    finish(follow(at, approved(at, job, as_json=as_json)), as_json)


def approved(at: "Working", job: "Job", *, as_json: bool) -> "Job":
    """Say yes to exactly this quote; where others have to as well, say who, and leave: 1 where nothing was decided."""
    from bot.wiring import shell_person
    from knowledge.clock import utc_now

    me = shell_person()
    outcome = at.deps.jobs.approve(job.id, job.quote_hash, me, utc_now())
    if outcome.job.state != "awaiting_approval":
        return outcome.job
    given = me.user_id in at.deps.jobs.given(outcome.job)
    show_json({"changed": outcome.changed, **job_json(outcome.job)}) if as_json else None
    asked = " or ".join(user for user in at.deps.jobs.asked(outcome.job) if user != me.user_id)
    head = "Your yes is noted" if given else f"Quote #{job.number} costs more than your own yes may approve"
    say(f"{head}; it waits for {asked}: `luthier approve {job.number}`.")
    raise typer.Exit(0 if given and outcome.changed else 1)


def ask_price(job: "Job", *, yes: bool, as_json: bool) -> None:
    """Ask before a paid job that has ended may spend again; exit 1 at a no, 2 where nobody can be asked."""
    from trainers.jobs.accounts import cost_of
    from trainers.policy import dollars
    from trainers.states import RESUMABLE

    cost = cost_of(job)
    if yes or not cost or job.approved_at is None or job.state not in RESUMABLE:
        return
    say(f"Resuming job #{job.number} may spend up to {dollars(cost)}, as approved, beside what it has spent before.")
    if as_json:
        raise fail_usage("--json needs --yes here: nobody can be asked.")
    if not typer.confirm("Resume?", err=True):
        say("Nothing was changed.")
        raise typer.Exit(1)


def follow(at: "Working", job: "Job") -> "Job":
    """Show a job's progress until it has ended; Ctrl-C stops the job, and once more leaves at once.

    Where a Luthier runs here whose workers go on, Ctrl-C asks whether the job is to stop; a no leaves it and exits 0.
    """
    from trainers.states import ENDED

    stopping = False
    while job.state not in ENDED:
        try:
            job = _watched(at, job)
        except KeyboardInterrupt:
            if stopping:
                raise
            stopping = True
            _leave(at, job)
            _stop(at, job)
    return job


def on_ctrl_c(at: "Working", kept: str) -> str:
    """Say what Ctrl-C does to a job that is followed; `kept`: what it keeps then and how that goes on."""
    if _asks(at):
        return f"Ctrl-C asks whether it is to stop or to go on without you; a stop keeps {kept}"
    beside = "" if at.stays else " Without this terminal it goes on only where `luthier up` runs."
    return f"Ctrl-C stops it and keeps {kept}{beside}"


def finish(job: "Job", as_json: bool) -> None:
    """Show what came of a job and leave: 0 where it succeeded."""
    from trainers.jobs.no_report import no_report

    if as_json:
        show_json(job_json(job))
    elif job.state == "succeeded":
        show(read_report(job))
    else:
        what, next_step = no_report(job)
        say(f"{what} {in_shell(next_step, job.number)}")
    raise typer.Exit(0 if job.state == "succeeded" else 1)


def _watched(at: "Working", job: "Job") -> "Job":
    """Draw a job until it has ended."""
    from trainers.states import ENDED

    with bar(f"Job #{job.number}") as update:
        while job.state not in ENDED:
            at.tend()
            job = at.deps.jobs.ledger.get(job.id)
            _draw(update, job)
            time.sleep(LOOK_EVERY)
    return job


def _asks(at: "Working") -> bool:
    """Say whether Ctrl-C is a question: somebody is there to answer, and the job can go on without this call."""
    return at.stays and sys.stdin.isatty()


def _leave(at: "Working", job: "Job") -> None:
    """Exit where the job is to go on in the background; a second Ctrl-C, at the question, leaves at once."""
    if not _asks(at):
        return
    try:
        stop = typer.confirm(f"Stop job #{job.number}? n lets it go on", default=True, err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None
    if not stop:
        ways = f"`luthier jobs {job.number} --watch` shows it, `luthier cancel {job.number}` stops it."
        say(f"Job #{job.number} goes on. {ways}")
        raise typer.Exit(0)


def _stop(at: "Working", job: "Job") -> None:
    from bot.wiring import shell_person
    from knowledge.clock import utc_now

    kept = f"What is there by then is kept, and `luthier resume {job.number}` goes on."
    say(f"Stopping the job… {kept} Ctrl-C again leaves at once.")
    at.deps.jobs.stop(job.id, shell_person(), utc_now())


def _draw(update: Callable[..., None], job: "Job") -> None:
    from handlers.blocks.words import time_left

    now = json.loads(job.progress)
    facts = [
        f"loss {now['loss']:.2f}" if "loss" in now else "",
        f"{now['tokens_per_second']:.0f} tok/s" if "tokens_per_second" in now else "",
        time_left(now["seconds_left"]) if now.get("seconds_left") else "",
        now.get("note", ""),
    ]
    phase = job.phase or job.state
    update(
        now.get("step", 0),
        now.get("steps"),
        " · ".join(fact for fact in facts if fact),
        description=f"Job #{job.number} {phase}",
    )
