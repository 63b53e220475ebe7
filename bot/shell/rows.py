"""How rows that are named in a shell are taken in, and how a quote reads in a terminal; it knows no command."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.shell.drafting_quote import read_drafting_quote
from bot.shell.endpoint_quote import read_endpoint_quote, read_plan
from bot.shell.terminal import fail_usage

if TYPE_CHECKING:
    from trainers.data.lint import LintReport
    from trainers.tables import Dataset


def take_in(
    deps: Any, file: Path | None, test: Path | None, name: str, backend: str = ""
) -> "tuple[Dataset, LintReport]":
    """Register a file's rows, or the shipped example's, for whoever is in this shell; raises DatasetRejected.

    Rows may be as long as `backend` takes them. Without `test`, rows of a file are held out; the example has its own.
    """
    from bot.wiring import shell_person
    from knowledge.clock import utc_now
    from trainers.backends.traits import all_traits
    from trainers.data.judging import LOCAL, UNDECIDED

    for path in (file, test):
        if path is not None and not path.is_file():
            raise fail_usage(f"There is no file {path}.")
    person = shell_person()
    if file is None:
        added = deps.datasets.example("tickets", person, utc_now(), test)
    else:
        traits, told = all_traits().get(backend), "file given in the shell"
        target = traits.target if traits else UNDECIDED if backend == "endpoint" else LOCAL
        kept = {"name": name or file.stem, "person": person, "provenance": told, "now": utc_now(), "target": target}
        added = deps.datasets.add(file, test, **kept)
    return added.dataset, added.report


def spec_with(rows: int = 0, **knobs: Any) -> Any:
    """Return a training spec for `rows` rows with the knobs that are not None; a wrong one raises typer.Exit.

    Hosted trainers get the number of passes that so many rows are usually given; this machine has defaults of its own.
    """
    from dataclasses import replace

    from knowledge.errors import UserError
    from trainers.backends import check_name
    from trainers.backends.traits import all_traits
    from trainers.jobs.requoting import spec_for
    from trainers.spec import Method, TrainingSpec, usual

    backend, base = knobs.pop("backend", None) or "local", knobs.pop("base", None)
    pairs = _by_preferences(knobs.pop("method", None))
    try:
        check_name(backend)
        if backend in all_traits() and backend != "hosted_rehearsal":
            return spec_for(base or "", backend, max(rows, 1), pairs=pairs, **knobs)
        chosen = {name: value for name, value in knobs.items() if value is not None}
        method = Method.DPO if pairs else Method.LORA
        spec = TrainingSpec(backend=backend, method=method, hyperparameters=replace(usual(method), **chosen))
    except UserError as refused:
        raise fail_usage(str(refused)) from refused
    return replace(spec, base=base) if base else spec


def _by_preferences(method: str | None) -> bool:
    """Read --method; raises typer.Exit for one that nobody knows."""
    if method not in (None, "", "supervised", "dpo"):
        raise fail_usage(f"I don't know the method {method[:40]!r}. Use supervised or dpo.")
    return method == "dpo"


def read_quote(offer: dict[str, Any]) -> str:
    """Lay out a quote."""
    from trainers.backends.bases import no_loss_at
    from trainers.data.findings import plural
    from trainers.evals.rule import SuccessRule

    if "drafting" in offer:
        return read_drafting_quote(offer, minutes)
    if "endpoint" in offer:
        return read_endpoint_quote(offer, minutes)
    knobs, money = offer["spec"]["hyperparameters"], ("training_cost", "evaluation_cost", "serving_cost_30_days")
    training, evaluation, serving = ("unknown" if offer[name] is None else f"${offer[name]}" for name in money)
    method = "" if "answering" in offer else f", LoRA r{knobs['rank']}"
    if offer["spec"]["method"] == "dpo":
        method += ", by preferences (DPO)" + (f", beta {knobs['beta']:g}" if "beta" in knobs else "")
    rule = SuccessRule.from_json(offer["rule"])
    lost = no_loss_at(offer["spec"]["backend"]) if offer["train_tokens"] else ""
    exact = "" if offer["tokens_exact"] else " (estimated: four characters a token)"
    return "\n".join(
        [
            f"{offer['dataset']} on {offer['spec']['base']}, backend {offer['spec']['backend']}",
            f"  Training    {_time(offer, 'training')}{training}",
            f"  Evaluation  {_time(offer, 'evaluation')}{evaluation}",
            f"  Serving     {serving} for 30 days ({offer['cost_basis']})",
            f"  {plural(offer['train_rows'], 'row')}, {offer['train_tokens']:,} training tokens{exact}, "
            f"{plural(knobs['epochs'], 'epoch')}{method}.",
            f"  Times {offer['time_basis']}.",
            f"  Success is fixed now: {rule.sentence}; {plural(offer['test_rows'], f'unseen {rule.unit}')}.",
            *read_plan(offer),
            *([f"  {lost}"] if lost else []),
            *(f"  ! {warning}" for warning in (offer.get("estimate") or {}).get("warnings", ())),
        ]
    )


def _time(offer: dict[str, Any], part: str) -> str:
    span = offer[f"{part}_minutes"]
    return "" if "answering" in offer and not any(span) else f"{minutes(span)} · "


def minutes(span: Any) -> str:
    """Write a range of minutes for people."""
    low, high = span
    return f"{low:.1f}-{high:.1f} min" if high < 10 else f"{low:.0f}-{high:.0f} min"
