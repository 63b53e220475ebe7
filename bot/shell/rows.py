"""How rows that are named in a shell are taken in, and how a quote reads in a terminal; it knows no command."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.shell.endpoint_quote import read_endpoint_quote, read_plan
from bot.shell.terminal import fail_usage

if TYPE_CHECKING:
    from trainers.data.lint import LintReport
    from trainers.tables import Dataset


def take_in(deps: Any, file: Path | None, test: Path | None, name: str) -> "tuple[Dataset, LintReport]":
    """Register a file's rows, or the shipped example's, for whoever is in this shell; raises DatasetRejected.

    Without `test`, rows of a file are held out, and the example has its own.
    """
    from bot.wiring import shell_person
    from knowledge.clock import utc_now

    for path in (file, test):
        if path is not None and not path.is_file():
            raise fail_usage(f"There is no file {path}.")
    person = shell_person()
    if file is None:
        added = deps.datasets.example("tickets", person, utc_now(), test)
    else:
        added = deps.datasets.add(
            file, test, name=name or file.stem, person=person, provenance="file given in the shell", now=utc_now()
        )
    return added.dataset, added.report


def spec_with(**knobs: Any) -> Any:
    """Return the default training spec with the hyper-parameters that are not None; a wrong one raises typer.Exit."""
    from dataclasses import replace

    from knowledge.errors import UserError
    from trainers.backends import check_name
    from trainers.spec import Hyperparameters, TrainingSpec

    backend = knobs.pop("backend", None) or "local"
    chosen = {name: value for name, value in knobs.items() if value is not None}
    try:
        check_name(backend)
        return replace(TrainingSpec(), backend=backend, hyperparameters=replace(Hyperparameters(), **chosen))
    except UserError as refused:
        raise fail_usage(str(refused)) from refused


def read_quote(offer: dict[str, Any]) -> str:
    """Lay out a quote."""
    from trainers.data.findings import plural
    from trainers.evals.rule import SuccessRule

    if "endpoint" in offer:
        return read_endpoint_quote(offer, minutes)
    knobs, money = offer["spec"]["hyperparameters"], ("training_cost", "evaluation_cost", "serving_cost_30_days")
    training, evaluation, serving = ("unknown" if offer[name] is None else f"${offer[name]}" for name in money)
    exact = "" if offer["tokens_exact"] else " (estimated: four characters a token)"
    return "\n".join(
        [
            f"{offer['dataset']} on {offer['spec']['base']}, backend {offer['spec']['backend']}",
            f"  Training    {minutes(offer['training_minutes'])} · {training}",
            f"  Evaluation  {minutes(offer['evaluation_minutes'])} · {evaluation}",
            f"  Serving     {serving} for 30 days ({offer['cost_basis']})",
            f"  {plural(offer['train_rows'], 'row')}, {offer['train_tokens']:,} training tokens{exact}, "
            f"{plural(knobs['epochs'], 'epoch')}, LoRA r{knobs['rank']}.",
            f"  Times {offer['time_basis']}.",
            f"  Success is fixed now: {SuccessRule.from_json(offer['rule']).sentence}; "
            f"{plural(offer['test_rows'], 'unseen row')}.",
            *read_plan(offer),
            *(f"  ! {warning}" for warning in (offer.get("estimate") or {}).get("warnings", ())),
        ]
    )


def minutes(span: Any) -> str:
    """Write a range of minutes for people."""
    low, high = span
    return f"{low:.1f}-{high:.1f} min" if high < 10 else f"{low:.0f}-{high:.0f} min"
