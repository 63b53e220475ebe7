"""Ranks the options by quality, cost, time, maintenance and ease of updating; it does not know how that is drawn.

Quality comes from the rubric's score, time from the effort on the card; the other columns are data in compare.toml.
"""

import dataclasses
import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.advice.advise import Advice
from knowledge.advice.citations import Citations, Source
from knowledge.advice.facts import Facts
from knowledge.advice.options import OptionView
from knowledge.advice.rubric import Option, Rubric, load_rubric
from knowledge.advice.score import Verdict, judge

PRICES = "provider_prices"
"""Key of the source behind figures; their page has the date of each."""
COLUMNS = ("quality", "cost", "time", "upkeep", "updating")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """How one option does in one column."""

    rank: int
    """1 is best; equals share a rank, and the next one is counted on."""
    says: str
    """A clause; it ends with the number of its source in brackets where it has one."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One option."""

    option: Option
    name: str
    fits: str
    cells: Mapping[str, Cell]
    """By column, in the order of COLUMNS."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The options side by side, the likeliest quality first."""

    titles: Mapping[str, str]
    """Title of each column."""
    rows: tuple[Row, ...]
    unfit: str
    """What is said of "something else" where nothing points to it; empty where it is a row."""
    sources: tuple[Source, ...]
    """Those of the advice, and behind them those of the columns."""
    as_of: str
    """Date of the columns, ISO."""


def compare(advice: Advice, rubric: Rubric | None = None) -> Comparison:
    """Rank the options for the facts of an advice; what is "something else" only where a gate says so."""
    rubric = rubric or load_rubric()
    verdict = judge(advice.facts, rubric)
    cited = Citations(rubric, advice.sources)
    views = sorted(advice.options, key=functools.partial(_place, verdict))
    compared = [view for view in views if view.option != "other" or verdict.gate]
    told = [_told(view, place, advice.facts, verdict, cited, rubric) for place, view in enumerate(compared)]
    ranks = {column: _ranks([levels[column][0] for levels in told]) for column in COLUMNS}
    rows = tuple(
        Row(
            option=view.option,
            name=view.name,
            fits=view.fits,
            cells={column: Cell(rank=ranks[column][n], says=told[n][column][1]) for column in COLUMNS},
        )
        for n, view in enumerate(compared)
    )
    unfit = "" if verdict.gate else rubric.options["other"].no
    as_of = _figures()["as_of"].isoformat()
    return Comparison(titles=_figures()["columns"], rows=rows, unfit=unfit, sources=cited.sources, as_of=as_of)


def to_json(comparison: Comparison) -> dict[str, Any]:
    """Give a comparison as plain data with stable keys."""
    return {
        "columns": dict(comparison.titles),
        "options": [dataclasses.asdict(row) for row in comparison.rows],
        "not_in_question": comparison.unfit,
        "sources": [dataclasses.asdict(source) for source in comparison.sources],
        "as_of": comparison.as_of,
    }


def _place(verdict: Verdict, view: OptionView) -> tuple[int, float]:
    """Order by the verdict; options that it took out come last, by score."""
    ranked = view.option in verdict.ranking
    return (verdict.ranking.index(view.option) if ranked else len(verdict.ranking), -view.score)


def _told(
    view: OptionView, place: int, facts: Facts, verdict: Verdict, cited: Citations, rubric: Rubric
) -> dict[str, tuple[int, str]]:
    """Give level and words of each column for one option."""
    figures = _figures_of(view.option, facts, verdict, rubric)
    in_question = view.option in verdict.ranking
    told = {
        "quality": (place, f"{view.score:+g} points" if in_question else "not in question here"),
        "time": (_figures()["times"][view.complexity], view.complexity),
    }
    for column in ("cost", "upkeep", "updating"):
        entry = figures[column]
        words = [f"{entry['says']} [{cited.number(entry['page'], entry['source'])}]"]
        if figure := entry.get("figure"):
            words.append(f"{figure['says']} [{cited.number(figure['page'], PRICES)}]")
        told[column] = (entry["level"], "; ".join(words))
    return told


def _figures_of(option: Option, facts: Facts, verdict: Verdict, rubric: Rubric) -> Mapping[str, Any]:
    if option == "other" and verdict.gate:
        return dict(_figures()["gate"][verdict.gate.id])
    figures = _figures()[option]
    labelled = (facts.labelled_examples or 0) >= rubric.rule.both_labels
    return {**figures, **(figures.get("labelled", {}) if labelled else {})}


def _ranks(levels: Sequence[int]) -> list[int]:
    return [1 + sum(other < level for other in levels) for level in levels]


@functools.cache
def _figures() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "compare.toml").read_text("utf-8"))
