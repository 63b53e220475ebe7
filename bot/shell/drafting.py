"""How drafting with a language model is paid for in the shell: here, after a yes, or as a job; it writes no rows."""

import json
import shutil
import uuid
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from bot.shell.drafting_quote import read_drafting_quote
from bot.shell.jobs import run_job
from bot.shell.rows import minutes
from bot.shell.terminal import fail_usage, say
from knowledge.errors import UserError

if TYPE_CHECKING:
    from bot.working import Working
    from trainers.evals.generating.paid import PaidWriter
    from trainers.jobs.drafting import Wish


def paid_writer(at: "Working", wish: "Wish", written: int, *, yes: bool, as_json: bool) -> "PaidWriter":
    """Return the language model below what was said yes to; `written` rows are there already and cost nothing more.

    Exits with 1 at a no, and with 2 where nobody can be asked; raises UserError for a price that nobody knows.
    """
    from dataclasses import replace

    from trainers.evals.endpoint.spending import Meter
    from trainers.evals.generating.paid import PaidWriter
    from trainers.jobs.drafting import quote_of

    model, price = at.deps.model, at.deps.model_price()
    if model is None:
        raise fail_usage("No language model is set: LUTHIER_MODEL names one.")
    offer = quote_of(replace(wish, count=wish.count - written), model.name, price)
    limit = _agreed(offer, written, yes=yes, as_json=as_json)
    return PaidWriter(model, Meter({model.name: price.prices} if price.prices else {}, limit))


def by_job(wish: "Wish", out: Path | None, *, yes: bool, as_json: bool) -> NoReturn:
    """Quote, ask for the yes, and follow the job to its rows; what it wrote is copied to `out`."""
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.clock import utc_now

    settings = Settings.from_env()
    if not settings.model:
        raise fail_usage("--job needs a language model: LUTHIER_MODEL names one. Recipes compose at once, without it.")
    if as_json and not yes:
        raise fail_usage("--json needs --yes: a quote is approved by a person, and JSON has nobody to ask.")
    with working(settings, say, workers=("io",)) as at:
        drafting = at.deps.drafting
        if drafting is None:
            raise fail_usage("The Luthier that runs here has no language model: set LUTHIER_MODEL where it starts.")
        request = f"shell:{uuid.uuid4().hex}"
        job = drafting.propose(wish, request=request, person=shell_person(), now=utc_now())
        try:
            run_job(at, job, yes=yes or drafting.price.free, as_json=as_json)
        except typer.Exit as ended:
            if not ended.exit_code and out is not None:
                _copied(json.loads(at.deps.jobs.ledger.get(job.id).result), out)
            raise
    raise typer.Exit(0)


def _agreed(offer: dict[str, Any], written: int, *, yes: bool, as_json: bool) -> Decimal:
    """Show what asking the model will take, and return the dollars that were said yes to."""
    from trainers.evals.generating.price import HOW
    from trainers.policy import dollars

    there = f" {written} rows are there already." if written else ""
    say(f"{read_drafting_quote(offer, minutes)}{there}")
    if offer["evaluation_cost"] is None:
        raise UserError("What the language model costs is not known, so it was not asked.", HOW)
    most = Decimal(offer["evaluation_cost"])
    if not most or yes:
        return most
    if as_json:
        raise fail_usage("--json needs --yes here: it costs money, and nobody can be asked.")
    if not typer.confirm(f"Spend up to {dollars(most)}?", err=True):
        say("Nothing was asked and nothing was spent.")
        raise typer.Exit(1)
    return most


def _copied(result: dict[str, Any], out: Path) -> None:
    """Copy a job's files to where they were wanted."""
    ends = {"drafted.jsonl": "", "drafted.report.md": ".report.md", "drafted.rejected.jsonl": ".rejected.jsonl"}
    for name in result["files"]:
        shutil.copyfile(name, out.with_name(f"{out.name}{ends[Path(name).name]}"))
    say(f"Written: {out}. Check them with luthier lint, then luthier datasets add.")
