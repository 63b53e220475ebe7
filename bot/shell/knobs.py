"""What `luthier train` lets people choose of a run, and how that becomes a quote; it follows no job."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.shell.linting import findings
from bot.shell.places import check_place, side_by_side
from bot.shell.rows import spec_with, take_in
from bot.shell.terminal import fail_usage, say, show

if TYPE_CHECKING:
    from bot.working import Working
    from trainers.tables import Job

Epochs = Annotated[int | None, typer.Option(help="Passes over the rows.")]
Rank = Annotated[int | None, typer.Option(help="Rank of the LoRA adapter.")]
LearningRate = Annotated[float | None, typer.Option(help="Peak learning rate.")]
Seed = Annotated[int | None, typer.Option(help="Seed of shuffling and initial weights.")]
Multiplier = Annotated[float | None, typer.Option(help="Of a hosted trainer's own learning rate, where it takes one.")]
Training = Annotated[
    str,
    typer.Option("--method", help="dpo for rows that are preference pairs; default: supervised, from one answer each."),
]
Beta = Annotated[
    float | None, typer.Option(help="With --method dpo: how strongly the model is held to its base, up to 2.")
]
Base = Annotated[str, typer.Option(help="Base model; without --backend it lists who trains it, with prices.")]
Backend = Annotated[
    str,
    typer.Option(
        help="local, openai, azure, nebius, compatible; training nothing: rehearsal (walks through the steps), "
        "hosted_rehearsal (pretends to pay). Default: local"
    ),
]

Files = tuple[Path | None, Path | None, str]
"""Training rows, test rows, and the data set's name."""


@contextmanager
def at_work(backend: str) -> "Iterator[Working]":
    """Have a worker that advances a backend's jobs."""
    from bot.settings import Settings
    from bot.working import working
    from trainers.backends import QUEUES

    with working(Settings.from_env(), say, workers=(QUEUES.get(backend or "local", "cpu"),)) as at:
        yield at


def proposed(
    at: "Working", rows: Files, base: str, backend: str, chosen: dict[str, Any], *, batch: bool, plan: str
) -> "Job":
    """Take rows in and quote a run on them; of a base without a place it shows the places and leaves with 2."""
    from bot.wiring import shell_person
    from knowledge.clock import utc_now
    from trainers.data.suiting import check_fit

    check_place(at.deps, base, backend)
    first = at.deps.bases()[base][0].backend if base and not backend else backend
    dataset, linted = take_in(at.deps, *rows, first)
    say(findings(linted))
    if base and not backend:
        check_fit(dataset, spec_with(rows=dataset.train_rows, backend="local", **chosen))
        show(side_by_side(at.deps, dataset, base, chosen, plan))
        raise fail_usage("Choose one of these places with --backend.")
    spec = spec_with(rows=dataset.train_rows, backend=backend, base=base, **chosen)
    return at.deps.jobs.propose(dataset, spec, person=shell_person(), now=utc_now(), batch=batch, plan=plan)
