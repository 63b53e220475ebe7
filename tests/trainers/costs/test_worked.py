"""Worked examples: sums written out by hand, computed a second way, and compared with what Luthier says."""

import ast
import operator
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trainers.costs.estimate import Estimate, estimate
from trainers.costs.workload import Workload

EXAMPLES = tomllib.loads(Path(__file__).with_name("worked.toml").read_text("utf-8"))["example"]
TODAY = date(2026, 11, 30)
SIGNS: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def reckoned(text: str) -> Decimal:
    """Compute a sum of plain numbers, exactly, without a line of the code under test."""

    def value(node: ast.expr) -> Decimal:
        if isinstance(node, ast.Constant):
            return Decimal(str(node.value))
        assert isinstance(node, ast.BinOp)
        return Decimal(SIGNS[type(node.op)](value(node.left), value(node.right)))

    return value(ast.parse(text, mode="eval").body)


def made(example: dict[str, Any]) -> Estimate:
    load = Workload(
        examples=example["examples"],
        prompt_tokens=Decimal(example["prompt_tokens"]),
        completion_tokens=Decimal(example["completion_tokens"]),
        epochs=example["epochs"] or None,
    )
    model, provider = example["model"], example["provider"]
    return estimate(load, model, provider=provider, today=TODAY, changes=example.get("assume", {}))


def said(found: Estimate, what: str) -> Decimal:
    if what in ("per_epoch", "training", "evaluation", "serving"):
        cost = getattr(found, what)
        assert cost is not None
        return Decimal(cost.expected)
    uncached, cached = found.break_even[:2]
    if what in ("saving_uncached", "saving_cached"):
        return (uncached if what == "saving_uncached" else cached).saving.amount * 1000
    return Decimal(getattr(uncached, what))


def test_there_are_at_least_forty_with_different_sums() -> None:
    """The book of worked examples holds forty and more, and each names what it is."""
    assert len({example["name"] for example in EXAMPLES}) == len(EXAMPLES) >= 40


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_a_worked_example_comes_out_as_written(example: dict[str, Any]) -> None:
    """The sum by hand, the sum computed from its words, and Luthier's figure are the same to a ten-millionth."""
    by_hand, computed = Decimal(example["result"]), reckoned(example["arithmetic"])
    if example["what"].startswith("requests"):
        assert 0 <= by_hand - computed < 1
        assert said(made(example), example["what"]) == by_hand
    else:
        assert abs(by_hand - computed) < Decimal("1e-7")
        assert abs(said(made(example), example["what"]) - by_hand) < Decimal("1e-7")
