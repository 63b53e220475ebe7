"""What each option costs to build and to keep, as data (compare.toml); it ranks nothing and knows no layout."""

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from knowledge.advice.facts import Facts
from knowledge.advice.rubric import Gate, Option, Rubric


@functools.cache
def load_figures() -> dict[str, Any]:
    """Read compare.toml."""
    return tomllib.loads((Path(__file__).parent / "compare.toml").read_text("utf-8"))


def figures_of(option: Option, facts: Facts, gate: Gate | None, rubric: Rubric) -> Mapping[str, Any]:
    """Give the entries of one option by column; "something else" is what the gate says that it is."""
    if option == "other" and gate:
        return dict(load_figures()["gate"][gate.id])
    figures = load_figures()[option]
    labelled = (facts.labelled_examples or 0) >= rubric.rule.both_labels
    return {**figures, **(figures.get("labelled", {}) if labelled else {})}
