"""The commands that judge and report: `evaluate` and `report`; workers do the work."""

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.shell import endpoint
from bot.shell.following import finish, run_job
from bot.shell.rows import take_in
from bot.shell.terminal import LEAST_EFFECT, JsonFlag, fail_usage, in_shell, refuse_share, say, show, show_json
from knowledge.errors import UserError

if TYPE_CHECKING:
    from trainers.evals.rule import SuccessRule
    from trainers.tables import Job, ModelVersion


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(evaluate)
    app.command()(report)


def evaluate(
    job: Annotated[str | None, typer.Argument(help="Number of the job that trained the model.")] = None,
    test: Annotated[Path | None, typer.Option(help="Other held-out rows; default: those of the job.")] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(help='Judge scores of yours instead: JSONL lines {"id", "cluster"?, "base", "tuned"}, 0 to 1.'),
    ] = None,
    effect: Annotated[float, typer.Option(help="With --pairs: smallest useful difference, in points: 5 for 0.05.")] = 5,
    target: Annotated[float | None, typer.Option(help="With --pairs: percent right to reach too: 95 for 0.95.")] = None,
    level: Annotated[float, typer.Option(help="With --pairs: confidence level in percent, such as 95.")] = 95,
    url: endpoint.Url = "",
    train: endpoint.Train = None,
    base: endpoint.Base = "",
    tuned: endpoint.Tuned = "",
    price: endpoint.Price = "",
    price_in: endpoint.PriceIn = "",
    price_out: endpoint.PriceOut = "",
    tuned_price_in: endpoint.TunedPriceIn = "",
    tuned_price_out: endpoint.TunedPriceOut = "",
    key_env: endpoint.KeyEnv = "",
    concurrency: endpoint.Concurrency = 4,
    budget: endpoint.Most = "",
    probes: endpoint.Probes = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Approve the quote without being asked.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Judge a tuned model against its best-prompted base, or anybody's scores with --pairs.

    PASS: proven better by a useful amount. FAIL: such a gain is ruled out. INCONCLUSIVE: says how many more rows.
    """
    if [job is None, pairs is None, not url].count(False) != 1:
        raise fail_usage("Name a job, or scores with --pairs, or an endpoint with --url: one of the three.")
    if pairs is not None and test is not None:
        raise fail_usage("--test is for a job or an endpoint; --pairs has its rows already.")
    if url:
        money = (price, price_in, price_out, tuned_price_in, tuned_price_out, budget)
        asked = endpoint.asked_for(url, (base, tuned), money, key_env=key_env, concurrency=concurrency, probes=probes)
        endpoint.over_endpoint(asked, train, test, yes=yes, as_json=as_json)
    elif pairs is not None:
        _judge(pairs, _rule(effect, target, level), as_json=as_json)
    elif as_json and not yes:
        raise fail_usage("--json needs --yes: a quote is approved by a person, and JSON has nobody to ask.")
    else:
        _again(str(job), test, yes=yes, as_json=as_json)


def report(
    job: Annotated[str, typer.Argument(help="The job's number.")],
    save: Annotated[
        Path | None, typer.Option(help="Folder for the whole report: a page, JSON, a table of all answers, pictures.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what came of a job, or save all of it."""
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.clock import utc_now
    from trainers.jobs.evaluating import report_files
    from trainers.jobs.labelled import labelled

    if save is not None and save.exists() and not save.is_dir():
        raise fail_usage(f"{save} is no folder.")
    with working(Settings.from_env(), say) as at:
        found = at.deps.jobs.ledger.find(shell_person().workspace_id, job)
        _check_reported(found)
        found = labelled(at.deps.engine, at.deps.datasets.folder, found)
        if save is not None:
            files = report_files(at.deps.datasets.folder, found)
            at.deps.jobs.note_download(found, shell_person(), utc_now())
            _save(files[0].parent, save / f"job-{found.number}")
    finish(found, as_json)


def _check_reported(job: "Job") -> None:
    """Raise UserError with what became of a job that has no report, and the commands that help."""
    from trainers.jobs.service import result_of

    try:
        result_of(job)
    except UserError as none:
        raise UserError(none.what, in_shell(none.next_step, job.number)) from none


def _judge(pairs: Path, rule: "SuccessRule", *, as_json: bool) -> None:
    from trainers.evals.pairs import judge_file

    judged = judge_file(pairs, rule)
    verdict = judged.verdict
    if as_json:
        show_json(judged.to_json())
        return
    show(f"{verdict.outcome}. {verdict.sentence.removeprefix('Not proven. ')}")
    for line in (*verdict.because, f"{verdict.method}; p {verdict.p_value:.2g}.", *judged.notices):
        show(line)


def _rule(effect: float, target: float | None, level: float) -> "SuccessRule":
    from trainers.evals.rule import SuccessRule

    # Written so that nan, which is neither above nor below anything, is refused as well.
    if not 0 < effect < 100:
        raise fail_usage("--effect is points of 100: above 0 and below 100, such as 5.")
    if target is not None and not 0 < target <= 100:
        raise fail_usage("--target is percent: above 0 and at most 100, such as 90.")
    if not 50 <= level < 100:
        raise fail_usage("--level is percent: from 50 to below 100, such as 95.")
    refuse_share("effect", Decimal(str(effect)), below=LEAST_EFFECT, unit="points")
    refuse_share("target", Decimal(str(0 if target is None else target)), below="1", unit="percent")
    return SuccessRule(
        useful_effect=Decimal(str(effect)) / 100,
        target=None if target is None else Decimal(str(target)) / 100,
        level=float(Decimal(str(level)) / 100),
        guardrails=(),
    )


def _again(job: str, test: Path | None, *, yes: bool, as_json: bool) -> None:
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.clock import utc_now
    from trainers.jobs.service import spec_of

    with working(Settings.from_env(), say, workers=("cpu",)) as at:
        trained = at.deps.jobs.ledger.find(shell_person().workspace_id, job)
        model = at.deps.registry.get(trained.workspace_id, trained.id)
        check_here(model)
        dataset = at.deps.datasets.get(trained.dataset_id)
        if test is not None:
            dataset, _ = take_in(at.deps, at.deps.datasets.folder / dataset.train_path, test, dataset.name)
        planned = json.loads(trained.quote)["rule"].get("plan", "")
        plan = at.deps.plans.frozen_as(trained.workspace_id, digest=planned) if planned else None
        again = at.deps.jobs.propose(
            dataset,
            spec_of(trained),
            person=shell_person(),
            now=utc_now(),
            kind="evaluate",
            model_id=model.id,
            plan=plan.id if plan else "",
        )
        run_job(at, again, yes=yes, as_json=as_json)


def check_here(model: "ModelVersion") -> None:
    """Raise UserError for a model that stays at its provider: its answers are paid for, so they are quoted anew."""
    from knowledge.errors import UserError

    if model.remote_id:
        how = f"`luthier evaluate --url ADDRESS --base {model.remote_base} --tuned {model.remote_id}` quotes it there."
        raise UserError(f"{model.remote_id} stays at {model.backend}.", how)


def _save(home: Path, target: Path) -> None:
    """Copy a job's report into a folder of its own."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(home.iterdir()):
        shutil.copyfile(path, target / path.name)
    say(f"Saved to {target}: open report.html.")
