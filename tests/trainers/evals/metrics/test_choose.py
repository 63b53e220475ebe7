"""The metric that is suggested suits the targets, and the same rows always get the same one."""

import json

import pytest

from trainers.data.jsonl import Message, Row
from trainers.evals.metrics.choose import suggest


def rows(targets: list[str]) -> list[Row]:
    return [Row(line, (Message("user", "?"), Message("assistant", text))) for line, text in enumerate(targets, 1)]


OBJECTS = [json.dumps({"id": one, "kind": "ab"[one % 2]}) for one in range(12)]


@pytest.mark.parametrize(
    ("targets", "metric"),
    [
        (["billing", "delivery"] * 10, "accuracy"),
        (["1", "2", "3"] * 10, "accuracy"),
        (["true", "false"] * 10, "accuracy"),
        (['"yes"', '"no"'] * 10, "accuracy"),
        (["null", "0"] * 10, "accuracy"),
        (["a, b", "b", "a"] * 10, "accuracy"),
        (["B-LOC", "I-LOC", "O"] * 10, "accuracy"),
        ([f"intent_{one % 77}" for one in range(77 * 6)], "accuracy"),
        ([f"intent_{one % 77}" for one in range(77 * 4)], "exact_match"),
        (OBJECTS, "json_exact"),
        (['{"label": "x"}', '{"label": "y"}'] * 10, "json_exact"),
        (['["a", "b"]', '["a"]'] * 10, "json_exact"),
        ([*OBJECTS, "I can't find an invoice in this text, sorry."], "exact_match"),
        (['```json\n{"a": 1}\n```', *OBJECTS], "exact_match"),
        ([f"{one} {one * 7}" for one in range(30)], "exact_match"),
        ([f"Order {one} left our house this morning by van" for one in range(30)], "chrf"),
        ([f"word {one} " + "x " * 3 for one in range(30)], "exact_match"),  # five words
        ([f"word {one} " + "x " * 4 for one in range(30)], "chrf"),  # six
        (["yes"], "exact_match"),
        ([], "exact_match"),
    ],
)  # fmt: skip
def test_the_metric_suits_the_targets(targets: list[str], metric: str) -> None:
    """Borderline targets fall where the module says; train and test rows count alike."""
    name, setup = suggest(rows(targets), [])
    assert name == metric
    assert suggest([], rows(targets))[0] == metric
    assert suggest(rows(targets), []) == (name, setup)
    assert bool(setup.labels) == (metric == "accuracy")


def test_the_setup_holds_what_the_metric_needs() -> None:
    """Labels come commonest first with those that only test rows have; JSON gets a schema from training targets."""
    _, setup = suggest(rows(["b", "a", "b", "A.", "b"] * 3), rows(["new"]))
    assert (setup.labels[0], setup.labels[-1], len(setup.labels)) == ("b", "new", 3)
    _, setup = suggest(rows(OBJECTS), rows(OBJECTS[:3]))
    assert setup.schema is not None
    assert setup.schema["required"] == ["id", "kind"]
    assert setup.schema["properties"]["kind"]["enum"] == ["a", "b"]
    assert len(setup.train) == 12
    assert suggest(rows(OBJECTS[:3]), rows(OBJECTS))[1].schema is None
