"""Knows which rows a method of training learns from: answers or preference pairs; it does not read them."""

from trainers.errors import DatasetRejected
from trainers.spec import Method, TrainingSpec
from trainers.tables import Dataset


def check_fit(dataset: Dataset, spec: TrainingSpec) -> None:
    """Raise DatasetRejected where the rows are not of the kind that the method learns from."""
    wants_pairs = spec.method == Method.DPO
    if dataset.pairs is wants_pairs:
        return
    name = f"{dataset.name} v{dataset.version}"
    if dataset.pairs:
        what = f"{name} holds preference pairs, which supervised training does not learn from."
        raise DatasetRejected(what, "Train it by preferences (`--method dpo`), or give rows with one answer each.")
    what = f"{name} holds rows with one answer each; training by preferences (dpo) needs a better and a worse one."
    fix = "Give pairs (prompt, chosen and rejected, or OpenAI's preference format), or train without dpo."
    raise DatasetRejected(what, fix)
