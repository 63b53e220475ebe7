"""Knows the metrics by name; a new one is a file here and a line in the table. It does not compare arms."""

from importlib import import_module

from knowledge.errors import UserError
from trainers.evals.metrics.base import Figure, Mark, Metric, Setup

__all__ = ["METRICS", "Figure", "Mark", "Metric", "Setup", "check_name", "load"]

METRICS = {
    "accuracy": "trainers.evals.metrics.classification:Classification",
    "exact_match": "trainers.evals.metrics.exact:ExactMatch",
    "json_exact": "trainers.evals.metrics.extraction:JsonExact",
    "field_f1": "trainers.evals.metrics.extraction:FieldF1",
    "tool_calls": "trainers.evals.metrics.calls:ToolCalls",
    "style": "trainers.evals.metrics.style:Style",
    "correct": "trainers.evals.metrics.qa:Correct",
    "chrf": "trainers.evals.metrics.generation:ChrF",
    "refusal": "trainers.evals.metrics.refusal:Refusal",
    "judged": "trainers.evals.metrics.generation:Judged",
}
"""Name (as in a success rule) -> where its class lies; loaded on first use: packages cost only who uses them."""


def check_name(name: str) -> None:
    """Raise UserError for a metric that nobody knows."""
    if name not in METRICS:
        raise UserError(f"I can't judge by {name!r}.", f"Use one of {', '.join(sorted(METRICS))}.")


def load(name: str, setup: Setup) -> Metric:
    """Return the metric `name`, prepared for a task; raises UserError for a name that nobody knows."""
    check_name(name)
    module, _, attribute = METRICS[name].partition(":")
    metric: Metric = getattr(import_module(module), attribute)(setup)
    return metric
