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


def said(found: Estimate, what: str) -> Decimal | None:
    """Return a figure: of a part (`training`, `serving.low`), or of a break-even (`cheap.saving_cached`)."""
    part, _, end = what.partition(".")
    if part in ("per_epoch", "training", "evaluation", "serving"):
        cost = getattr(found, part)
        return None if cost is None else Decimal(getattr(cost, end or "expected"))
    name, own = what.removeprefix("cheap."), not what.startswith("cheap.")
    cached = name.endswith("_cached")
    race = next(
        made for made in found.break_even if (made.against == found.offer.title) == own and made.caching == cached
    )
    if name.startswith("saving"):
        return race.saving.amount * 1000
    if name == "days":
        return None if race.on is None else Decimal((race.on - TODAY).days)
    value = getattr(race, name)
    return None if value is None else Decimal(value)


def test_there_are_at_least_forty_with_different_sums() -> None:
    """The book of worked examples holds forty and more, and each names what it is."""
    assert len({example["name"] for example in EXAMPLES}) == len(EXAMPLES) >= 40


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_a_worked_example_comes_out_as_written(example: dict[str, Any]) -> None:
    """The sum by hand, the sum computed from its words, and Luthier's figure are the same, or there is none."""
    found = said(made(example), example["what"])
    if example["result"] == "none":
        assert found is None
        return
    by_hand, computed = Decimal(example["result"]), reckoned(example["arithmetic"])
    assert found is not None
    if example["what"].removeprefix("cheap.").startswith(("requests", "days")):
        assert 0 <= by_hand - computed < 1
        assert found == by_hand
    else:
        assert abs(by_hand - computed) < Decimal("1e-7")
        assert abs(found - by_hand) < Decimal("1e-7")


def test_low_high_and_dates_are_among_them() -> None:
    """Each end of each part, the day, the trainings and the cheap rival have an example, and so has what is unknown."""
    ends = {f"{part}.{end}" for part in ("training", "evaluation", "serving") for end in ("low", "high")}
    assert {example["what"] for example in EXAMPLES} >= ends | {"days", "trainings", "cheap.saving_cached"}
    assert any(example["result"] == "none" for example in EXAMPLES)
