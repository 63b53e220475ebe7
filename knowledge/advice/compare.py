"""Ranks the options by what people trade off: quality, cost, time, maintenance, updating; the advice says what fits."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from knowledge.advice.advise import Advice
from knowledge.advice.facts import Facts
from knowledge.advice.options import OptionView
from knowledge.advice.rubric import OPTIONS, Option, load_rubric

TIMES = ("hours", "days", "weeks")
QUALITIES = ("best", "close", "lower")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one option stands in one respect."""

    rank: int
    """From 1, the best; options that stand alike share a rank."""
    words: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One option in the comparison."""

    option: Option
    name: str
    fits: str
    """"yes", "no", "partly", or "only if ..."."""
    quality: Standing
    """How good answers are likely to be for this case: "best" is the recommendation."""
    cost: Standing
    """What it costs to build."""
    time: Standing
    """How long until it works: "hours", "days" or "weeks"."""
    maintenance: Standing
    updating: Standing
    """How easily it follows when facts or wishes change."""
    main_reason: str
    """One clause, ending with the number of its source in brackets."""
    source: str
    """Who says so of cost, maintenance and updating."""


def compare(advice: Advice) -> tuple[Row, ...]:
    """Compare all options for the case that was advised on, the recommendation first, then by score."""
    views = sorted(advice.options, key=lambda view: _order(view, advice))
    told = {view.option: _told(view, advice.facts) for view in views}
    ranks = {what: _ranks({option: level[what][0] for option, level in told.items()}) for what in told["other"]}

    def standing(option: Option, what: str) -> Standing:
        return Standing(rank=ranks[what][option], words=told[option][what][1])

    return tuple(
        Row(
            option=view.option,
            name=view.name,
            fits=view.fits,
            quality=standing(view.option, "quality"),
            cost=standing(view.option, "cost"),
            time=standing(view.option, "time"),
            maintenance=standing(view.option, "maintenance"),
            updating=standing(view.option, "updating"),
            main_reason=view.main_reason,
            source=load_rubric().sources[_levels()[view.option]["source"]].title,
        )
        for view in views
    )


def to_json(advice: Advice, *, case_id: str = "") -> dict[str, Any]:
    """Give the comparison as plain data with stable keys."""
    return {
        "id": case_id,
        "recommendation": advice.recommendation,
        "runner_up": advice.runner_up,
        "confidence": advice.confidence,
        "options": [asdict(row) for row in compare(advice)],
        "sources": [asdict(source) for source in advice.sources],
        "notes": list(advice.notes),
        "as_of": _levels()["as_of"].isoformat(),
    }


def _order(view: OptionView, advice: Advice) -> tuple[bool, int, float, int]:
    """Order by fit, then by score, where "something else" has none of its own; of equals the simpler option leads."""
    unscored = view.option == "other" and view.option != advice.recommendation
    return (unscored and view.fits == "no", _quality(view), -view.score, OPTIONS.index(view.option))


def _quality(view: OptionView) -> int:
    if view.fits == "yes":
        return 0
    return 2 if view.fits == "no" else 1


def _told(view: OptionView, facts: Facts) -> dict[str, tuple[int, str]]:
    """Give level and words of one option in each respect."""
    entry = _levels()[view.option]
    labelled = (facts.labelled_examples or 0) >= load_rubric().rule.both_labels
    cost = entry.get("cost_with_labels", entry["cost"]) if labelled else entry["cost"]
    return {
        "quality": (_quality(view), QUALITIES[_quality(view)]),
        "cost": (cost["level"], cost["words"]),
        "time": (TIMES.index(view.complexity), view.complexity),
        "maintenance": (entry["maintenance"]["level"], entry["maintenance"]["words"]),
        "updating": (entry["updating"]["level"], entry["updating"]["words"]),
    }


def _ranks(levels: Mapping[Option, int]) -> dict[Option, int]:
    """Rank levels from 1; equal levels share a rank, and the next one counts those before it."""
    return {option: 1 + sum(other < level for other in levels.values()) for option, level in levels.items()}


@functools.cache
def _levels() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "compare.toml").read_text("utf-8"))
