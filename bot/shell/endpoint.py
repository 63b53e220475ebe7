"""How `luthier evaluate --url` is asked for and how it begins; it computes and asks nothing itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.following import run_job
from bot.shell.rows import take_in
from bot.shell.terminal import fail_usage, say

if TYPE_CHECKING:
    from trainers.evals.metrics.operations import TokenPrices
    from trainers.jobs.endpoint_job import Asked

Url = Annotated[str, typer.Option(help="Judge two models at an OpenAI-compatible endpoint instead: http://host/v1.")]
Train = Annotated[Path | None, typer.Option(help="With --url: the rows that the model was trained on.")]
Base = Annotated[str, typer.Option(help="With --url: name of the base there.")]
Tuned = Annotated[str, typer.Option(help="With --url: name of the tuned model there.")]
Price = Annotated[
    str, typer.Option(help="With --url: dollars per million tokens, in and out alike; 0: your own server.")
]
PriceIn = Annotated[str, typer.Option(help="With --url: dollars per million prompt tokens.")]
PriceOut = Annotated[str, typer.Option(help="With --url: dollars per million output tokens.")]
TunedPriceIn = Annotated[str, typer.Option(help="The same for the tuned model, if it costs something else.")]
TunedPriceOut = Annotated[str, typer.Option(help="The same for the tuned model's output.")]
KeyEnv = Annotated[str, typer.Option(help="With --url: name of the variable that holds the key; never the key.")]
Concurrency = Annotated[int, typer.Option(help="With --url: calls at a time.")]
Most = Annotated[str, typer.Option(help="With --url: dollars to spend at most, if less than all may cost.")]
Probes = Annotated[bool, typer.Option("--probes/--no-probes", help="With --url: whether general skills are asked too.")]


def asked_for(url: str, names: tuple[str, str], money: Sequence[str], **other: Any) -> "Asked":
    """Read what was typed; raises UserError, or the exit for wrong use.

    `money` are --price, --price-in, --price-out, --tuned-price-in, --tuned-price-out and --budget.
    """
    from trainers.jobs.endpoint_job import Asked, read_price

    both, prompt, output, tuned_prompt, tuned_output, most = money
    if not all(names):
        raise fail_usage("--url needs --base and --tuned: the names of both models there.")
    if (both and (prompt or output)) or bool(prompt) != bool(output) or bool(tuned_prompt) != bool(tuned_output):
        raise fail_usage("Give --price-in together with --price-out, or --price alone.")
    base = _prices(both or prompt, both or output)
    tuned = _prices(tuned_prompt, tuned_output) or base
    known = {names[0]: base, names[1]: tuned} if base and tuned else None
    budget = read_price(most) if most else None
    return Asked(url=url, base=names[0], tuned=names[1], prices=known, budget=budget, **other)


def over_endpoint(asked: "Asked", train: Path | None, test: Path | None, *, yes: bool, as_json: bool) -> None:
    """Quote, ask for the yes, and follow the job to its report."""
    from bot.settings import Settings
    from bot.wiring import shell_person
    from bot.working import working
    from knowledge.clock import utc_now
    from trainers.jobs.endpoint_job import propose

    if as_json and not yes:
        raise fail_usage("--json needs --yes: a quote is approved by a person, and JSON has nobody to ask.")
    if train is None:
        raise fail_usage("--url needs --train: the base's examples come from there, and no test row may be in it.")
    settings = Settings.from_env()
    if asked.key_env:
        settings.secret(asked.key_env)  # said now rather than by a worker after the approval
    with working(settings, say, workers=("io",)) as at:
        dataset, _ = take_in(at.deps, train, test, "", "endpoint")
        job = propose(at.deps.jobs, dataset, asked, person=shell_person(), now=utc_now())
        run_job(at, job, yes=yes, as_json=as_json)


def _prices(prompt: str, output: str) -> "TokenPrices | None":
    from trainers.evals.metrics.operations import TokenPrices
    from trainers.jobs.endpoint_job import read_price

    return TokenPrices(read_price(prompt), read_price(output)) if prompt and output else None
