"""The commands about jobs and models, from `train` to `chat`; workers do the work."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell import knobs
from bot.shell.following import approved, ask_price, finish, follow, run_job
from bot.shell.reading import read_job
from bot.shell.rows import read_quote, spec_with
from bot.shell.terminal import JsonFlag, fail_usage, say, show, show_json, table
from bot.shell.watch import HEAD, job_json, job_row, listed, watch_lines, watch_table

if TYPE_CHECKING:
    from bot.working import Working
    from trainers.tables import ModelVersion

TestRows = Annotated[
    Path | None,
    typer.Option(help="Held-out rows; without it those of --plan, else a third of the file, at least 20 rows."),
]
PlanName = Annotated[
    str,
    typer.Option(
        help="Judge by this frozen evaluation plan (`luthier eval-plan`), on its rows unless --test is given."
    ),
]
"""What `train` takes about its test."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (train, approve, jobs, cancel, resume, chat):
        app.command()(command)


def train(
    file: Annotated[
        Path | None, typer.Argument(help="JSONL of training rows; without it, the shipped ticket example.")
    ] = None,
    test: TestRows = None,
    name: Annotated[str, typer.Option(help="Name of the data set; default: the file's name.")] = "",
    epochs: knobs.Epochs = None,
    rank: knobs.Rank = None,
    learning_rate: knobs.LearningRate = None,
    seed: knobs.Seed = None,
    learning_rate_multiplier: knobs.Multiplier = None,
    method: knobs.Training = "",
    beta: knobs.Beta = None,
    base: knobs.Base = "",
    backend: knobs.Backend = "",
    plan: PlanName = "",
    batch: Annotated[
        bool, typer.Option("--batch", help="Let jobs pass that somebody waits for, for two hours at most.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Approve the quote without being asked.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Lint rows, quote, ask for approval, train a LoRA adapter, and report it against the best-prompted base."""
    if as_json and not yes:
        raise fail_usage("--json needs --yes: a quote is approved by a person, and JSON has nobody to ask.")
    chosen: dict[str, Any] = {"epochs": epochs, "rank": rank, "learning_rate": learning_rate, "seed": seed}
    chosen |= {"learning_rate_multiplier": learning_rate_multiplier, "method": method, "beta": beta}
    spec_with(backend=backend, base=base, **chosen)  # a wrong knob is told before rows are read
    rows = file, _rows_of(plan, file, test), name
    with knobs.at_work(backend) as at:
        job = knobs.proposed(at, rows, base, backend, chosen, batch=batch, plan=plan)
        run_job(at, job, yes=yes, as_json=as_json)


def approve(
    job: Annotated[str, typer.Argument(help="Number of the job whose quote waits.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Approve without being asked.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Approve a quote that waits, under the rules of this shell's workspace, and follow the job to its end.

    A job needs as many approvers as its price asks for, never its requester; `luthier settings` shows and sets them.
    """
    if as_json and not yes:
        raise fail_usage("--json needs --yes: a quote is approved by a person, and JSON has nobody to ask.")
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from trainers.jobs.approval import OPEN

    with working(Settings.from_env(), say, workers=("cpu", "io")) as at:
        found = at.deps.jobs.ledger.find(shell_person().workspace_id, job)
        if found.state not in OPEN:
            show_json({"changed": False, **job_json(found)}) if as_json else None
            say(f"Job #{found.number} waits for no approval: it is {found.state}. Nothing was changed.")
            raise typer.Exit(1)
        say(f"Quote #{found.number}, asked for by {found.requested_by}: {read_quote(json.loads(found.quote))}")
        if not yes and not typer.confirm("Approve and start?", err=True):
            say("Nothing was changed; the quote still waits.")
            raise typer.Exit(1)
        finish(follow(at, approved(at, found, as_json=as_json)), as_json)


def jobs(
    job: Annotated[str | None, typer.Argument(help="One job's number, for all about it.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep looking, every 2 s, until Ctrl-C or the job's end.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """List your jobs, or show one; --watch --json prints one line for each change."""
    from bot.settings import Settings
    from bot.working import working
    from trainers.jobs.invoices import compared

    with working(Settings.from_env(), say) as at:
        if watch:
            watch_lines(at, job) if as_json else watch_table(at, job)
            return
        found, places = listed(at, job)
        history = [at.deps.jobs.ledger.history(one) for one in found] if job else []
        errors = [compared(at.deps.jobs.ledger, one) for one in found] if job else []
    if as_json:
        show_json([job_json(one, places.get(one.id)) for one in found])
    elif history:
        show(read_job(found[0], places.get(found[0].id), history[0], errors[0]))
    elif found:
        show(table(HEAD, [job_row(one, places.get(one.id)) for one in found]))
    else:
        show("No jobs yet. Start one with `luthier train`.")


def cancel(job: Annotated[str, typer.Argument(help="The job's number.")], as_json: JsonFlag = False) -> None:
    """Stop a job; what it has trained so far is kept in its last checkpoint."""
    _wish("stop", job, as_json)


def resume(
    job: Annotated[str, typer.Argument(help="The job's number.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Resume a paid job without being asked.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Continue a stopped or failed job from its last checkpoint; where that may cost money, it asks first."""
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.clock import utc_now

    settings = Settings.from_env()
    with working(settings, say) as at:
        found = at.deps.jobs.ledger.find(shell_person().workspace_id, job)
        ask_price(found, yes=yes, as_json=as_json)
    with working(settings, say, workers=(found.queue,)) as at:
        outcome = at.deps.jobs.resume(found.id, shell_person(), utc_now())
        if not outcome.changed:
            say(f"Job #{outcome.job.number} is {outcome.job.state}; there is nothing to resume.")
            raise typer.Exit(1)
        finish(follow(at, outcome.job), as_json)


def chat(
    job: Annotated[
        str | None, typer.Argument(help="Number of the job that trained the model; default: the newest, else the base.")
    ] = None,
    message: Annotated[str | None, typer.Option("--message", "-m", help="Ask once and leave.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Talk to a tuned model, side by side with its base."""
    if as_json and not message:
        raise fail_usage('--json needs a --message, for example: luthier chat --message "Where is my parcel?" --json')
    from bot.settings import Settings
    from bot.wiring import prepare_base
    from bot.working import working

    settings = Settings.from_env()
    with working(settings, say) as at:
        model = _model(at, job)
        if model is None or not model.remote_id:
            prepare_base(settings, say)
        ask = _speakers(at, model)
        if message:
            said = ask(message)
            show_json({"message": message, **said}) if as_json else show(_side_by_side(said))
            return
        say("Type a message; an empty line ends.")
        while text := input("> ").strip():
            show(_side_by_side(ask(text)))


def _rows_of(plan: str, file: Path | None, test: Path | None) -> Path | None:
    """Return the test rows that were given, else those that the plan was frozen with; "" is no plan.

    Raises UserError for a plan that cannot judge, before rows are kept and workers started.
    """
    if not plan:
        return test
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from trainers.data.examples import EXAMPLES
    from trainers.evals.judged_by import frozen_on, frozen_test
    from trainers.evals.planned import frozen

    workspace, own = shell_person().workspace_id, EXAMPLES["tickets"].test if file is None else None
    with working(Settings.from_env(), say) as at:
        stored = frozen(at.deps.engine, workspace, plan)
        if test is not None:
            return test
        rows = frozen_test(at.deps.datasets.folder, workspace, stored, own)
    say(f"Test rows: those that were frozen with the plan {stored.name} on {frozen_on(stored)}.")
    return rows


def _wish(verb: str, name: str, as_json: bool) -> None:
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.clock import utc_now
    from trainers.states import LIVE

    with working(Settings.from_env(), say) as at:
        job = at.deps.jobs.ledger.find(shell_person().workspace_id, name)
        outcome = getattr(at.deps.jobs, verb)(job.id, shell_person(), utc_now())
    if as_json:
        show_json({"changed": outcome.changed, **job_json(outcome.job)})
    elif outcome.changed:
        show(
            f"Job #{job.number} is asked to stop."
            if outcome.job.state in LIVE
            else f"Job #{job.number} is {outcome.job.state}."
        )
    else:
        show(f"Job #{job.number} is {outcome.job.state}; nothing was changed.")
    raise typer.Exit(0 if outcome.changed else 1)


def _model(at: "Working", job: str | None) -> "ModelVersion | None":
    """Return the model of a job, else the newest one of this shell; None where there is none yet."""
    from bot.wiring import shell_person

    workspace = shell_person().workspace_id
    if job:
        return at.deps.registry.get(workspace, at.deps.jobs.ledger.find(workspace, job).id)
    return next(iter(at.deps.registry.listing(workspace)), None)


def _speakers(at: "Working", model: "ModelVersion | None") -> Callable[[str], dict[str, Any]]:
    from trainers.serving import as_messages

    if model is None:
        say("No model was trained from this shell yet: only the base answers. Models of the page are under Try it.")

    def ask(text: str) -> dict[str, Any]:
        messages = as_messages(model.system_prompt if model else "", text)
        if model is None:
            base = at.deps.models.say(None, messages)
            return {"base": base.text, "base_seconds": round(base.seconds, 2)}
        said = at.deps.speakers.both(model, messages)
        told = {"base": said.base.text, "base_seconds": round(said.base.seconds, 2), "model": model.name}
        return told | {"tuned": said.tuned.text, "tuned_seconds": round(said.tuned.seconds, 2)}

    return ask


def _side_by_side(said: dict[str, Any]) -> str:
    lines = [f"base   ({said['base_seconds']} s): {said['base']}"]
    if "tuned" in said:
        lines.append(f"tuned  ({said['tuned_seconds']} s): {said['tuned']}")
    return "\n".join(lines)
