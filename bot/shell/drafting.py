"""How a language model that writes rows is asked for in the shell, as a job of the ledger or here; it writes no rows.

What costs money is always a job: money is set aside, caps and approvers hold, and the audit has it.
"""

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

import typer

from bot.shell.drafting_quote import read_drafting_quote
from bot.shell.following import approved, ask_price, follow, on_ctrl_c
from bot.shell.rows import minutes, read_quote
from bot.shell.terminal import fail_usage, say
from knowledge.errors import UserError

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.working import Working
    from trainers.evals.generating.patient import PatientWriter
    from trainers.jobs.drafting import Drafting, Wish
    from trainers.tables import Job


def is_free(settings: "Settings") -> bool:
    """Say whether it is known that nobody is billed for the language model; raises UserError for a wrong price."""
    from bot.services import running
    from bot.wiring import model_price

    return model_price(running(settings) or settings).free


def check_model(settings: "Settings") -> None:
    """Raise UserError where the language model's server has no such model; say so where it does not tell."""
    from bot.services import running
    from bot.wiring import model_doubt

    doubt = model_doubt(running(settings) or settings)
    if doubt:
        say(doubt)


def free_writer(at: "Working", wish: "Wish", written: int) -> "PatientWriter":
    """Return the language model that nobody is billed for, after what it takes was said; `written` rows are there."""
    from trainers.data.findings import plural
    from trainers.evals.endpoint.spending import Meter
    from trainers.evals.generating.paid import PaidWriter
    from trainers.evals.generating.patient import PatientWriter
    from trainers.jobs.drafting import quote_of

    model, price = at.deps.model, at.deps.model_price()
    if model is None or price.prices is None:
        raise fail_usage("No language model is set: LUTHIER_MODEL names one.")
    offer = quote_of(replace(wish, count=wish.count - written), model.name, price)
    there = f" {plural(written, 'row')} {'is' if written == 1 else 'are'} there already." if written else ""
    say(f"{read_drafting_quote(offer, minutes)}{there}")
    held = PaidWriter(model, Meter({model.name: price.prices}, Decimal(0)))  # a price that is no longer 0 stops it
    return PatientWriter(held, say)


def by_job(wish: "Wish", settings: "Settings", *, yes: bool, as_json: bool) -> "Job":
    """Quote, ask for the yes, and follow the job to its end; the same wish again goes on with its unfinished job.

    Exits with 1 at a no or where somebody else has to say yes, with 2 where nobody can be asked; raises UserError for a
    price that nobody knows, and OverBudget.
    """
    from bot.working import working

    if as_json and not yes:
        raise fail_usage("--json needs --yes: a quote is approved by a person, and JSON has nobody to ask.")
    with working(settings, say) as at:  # servers start after the yes
        job = _agreed(at, wish, yes=yes, as_json=as_json)
    with working(settings, say, workers=("io",)) as at:
        kept = f"its rows: the same command goes on, or `luthier resume {job.number}`."
        say(f"Job #{job.number} writes the rows. {on_ctrl_c(at, kept)}")
        return follow(at, job)


def _agreed(at: "Working", wish: "Wish", *, yes: bool, as_json: bool) -> "Job":
    """Return a job that was said yes to: the unfinished one of the same wish, else a new one."""
    from bot.wiring import shell_person
    from knowledge.clock import utc_now
    from trainers.states import LIVE, RESUMABLE

    drafting = at.deps.drafting
    if drafting is None:
        raise fail_usage("The Luthier that runs here has no language model: set LUTHIER_MODEL where it starts.")
    _check_price(wish, drafting)
    job = drafting.unfinished(wish, shell_person())
    if job is not None and job.state in RESUMABLE:
        say(f"Job #{job.number} of the same wish is {job.state}; it goes on where it was.")
        ask_price(job, yes=yes, as_json=as_json)
        return at.deps.jobs.resume(job.id, shell_person(), utc_now()).job
    if job is not None and job.state in LIVE:
        say(f"Job #{job.number} of the same wish is under way already.")
        return job
    job = job or drafting.propose(wish, request=f"shell:{uuid4().hex}", person=shell_person(), now=utc_now())
    say(f"Quote #{job.number}: {read_quote(json.loads(job.quote))}")
    if job.state in LIVE:  # nobody is billed, so whoever asked has said yes
        return job
    _ask(at, job, yes=yes)
    return approved(at, job, as_json=as_json)


def _check_price(wish: "Wish", drafting: "Drafting") -> None:
    """Raise UserError where nobody knows what it costs, after what it takes was shown."""
    from trainers.evals.generating.price import HOW
    from trainers.jobs.drafting import quote_of

    if drafting.price.prices is None:
        say(read_drafting_quote(quote_of(wish, drafting.writer, drafting.price), minutes))
        raise UserError("What the language model costs is not known, so it was not asked.", HOW)


def _ask(at: "Working", job: "Job", *, yes: bool) -> None:
    """Ask whether to spend; a no ends the quote."""
    from bot.wiring import shell_person
    from knowledge.clock import utc_now
    from trainers.jobs.accounts import cost_of
    from trainers.policy import dollars

    if yes or typer.confirm(f"Spend up to {dollars(cost_of(job) or Decimal(0))}?", err=True):
        return
    at.deps.jobs.stop(job.id, shell_person(), utc_now())
    say("Nothing was asked and nothing was spent.")
    raise typer.Exit(1)
