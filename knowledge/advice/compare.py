"""Ranks the options by quality, cost, time, maintenance and ease of updating; it does not know how that is drawn.

Quality comes from the rubric's score, time from the effort on the card; the other columns are data in compare.toml.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.advice.advise import Advice
from knowledge.advice.citations import Citations, Source
from knowledge.advice.facts import Facts
from knowledge.advice.figures import figures_of, load_figures
from knowledge.advice.options import OptionView
from knowledge.advice.rubric import Option, Rubric, load_rubric
from knowledge.advice.score import Verdict, judge

PRICES = "provider_prices"
"""Key of the source behind figures; their page has the date of each."""
COLUMNS = ("quality", "cost", "time", "maintenance", "updating")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one option stands in one column."""

    rank: int
    """From 1, the best; options that stand alike share a rank, and the next one counts those before it."""
    words: str
    """A clause; it ends with the number of its source in brackets where it has one."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One option."""

    option: Option
    name: str
    fits: str
    """"yes", "no", "partly", or "only if ..."."""
    quality: Standing
    cost: Standing
    """What it costs to build."""
    time: Standing
    """How long until it works: "hours", "days" or "weeks"."""
    maintenance: Standing
    updating: Standing
    """How easily it follows when facts or wishes change."""
    main_reason: str
    """One clause, ending with the number of its source in brackets."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The options side by side, the likeliest quality first."""

    titles: Mapping[str, str]
    """Title of each column, in their order."""
    rows: tuple[Row, ...]
    sources: tuple[Source, ...]
    """Those of the advice, and behind them those of the columns."""
    as_of: str
    """Date of the columns, ISO."""


def compare(advice: Advice, rubric: Rubric | None = None) -> Comparison:
    """Rank all options for the case that was advised on, the recommendation first."""
    rubric = rubric or load_rubric()
    verdict = judge(advice.facts, rubric)
    cited = Citations(rubric, advice.sources)
    views = sorted(advice.options, key=functools.partial(_place, verdict))
    told = [_told(view, place, advice.facts, verdict, cited, rubric) for place, view in enumerate(views)]
    ranks = {column: _ranks([levels[column][0] for levels in told]) for column in COLUMNS}
    rows = tuple(
        Row(
            option=view.option,
            name=view.name,
            fits=view.fits,
            main_reason=view.main_reason,
            **{column: Standing(rank=ranks[column][n], words=told[n][column][1]) for column in COLUMNS},
        )
        for n, view in enumerate(views)
    )
    as_of = load_figures()["as_of"].isoformat()
    return Comparison(titles=load_figures()["columns"], rows=rows, sources=cited.sources, as_of=as_of)


def to_json(advice: Advice, *, case_id: str = "") -> dict[str, Any]:
    """Give the comparison as plain data with stable keys."""
    compared = compare(advice)
    return {
        "id": case_id,
        "recommendation": advice.recommendation,
        "runner_up": advice.runner_up,
        "confidence": advice.confidence,
        "options": [dataclasses.asdict(row) for row in compared.rows],
        "sources": [dataclasses.asdict(source) for source in compared.sources],
        "notes": [*advice.notes, *advice.clashes],
        "as_of": compared.as_of,
    }


def _place(verdict: Verdict, view: OptionView) -> tuple[int, float]:
    """Order by the verdict; options that it took out come behind; "something else" without a gate is last."""
    if view.option in verdict.ranking:
        return (verdict.ranking.index(view.option), 0.0)
    return (len(verdict.ranking) + (view.option == "other"), -view.score)


def _told(
    view: OptionView, place: int, facts: Facts, verdict: Verdict, cited: Citations, rubric: Rubric
) -> dict[str, tuple[int, str]]:
    """Give level and words of each column for one option."""
    figures = figures_of(view.option, facts, verdict.gate, rubric)
    in_question = view.option in verdict.ranking
    told = {
        "quality": (place, f"{view.score:+g} points" if in_question else "not in question here"),
        "time": (load_figures()["times"][view.complexity], view.complexity),
    }
    for column in ("cost", "maintenance", "updating"):
        entry = figures[column]
        words = [f"{entry['words']} [{cited.number(entry['page'], entry['source'])}]"]
        if figure := entry.get("figure"):
            words.append(f"{figure['words']} [{cited.number(figure['page'], PRICES)}]")
        told[column] = (entry["level"], "; ".join(words))
    return told


def _ranks(levels: Sequence[int]) -> list[int]:
    return [1 + sum(other < level for other in levels) for level in levels]
