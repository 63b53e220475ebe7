"""The options side by side: ranks, words, sources, contradictions."""

import dataclasses
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings

import knowledge.advice
from knowledge.advice.advise import advise
from knowledge.advice.clashes import clashes
from knowledge.advice.compare import COLUMNS, compare
from knowledge.advice.facts import Facts
from knowledge.advice.rubric import load_rubric
from tests.knowledge.advice.test_score import any_facts

RUBRIC = load_rubric()
FIGURES = tomllib.loads((Path(knowledge.advice.__path__[0]) / "compare.toml").read_text("utf-8"))


@settings(max_examples=60, deadline=None)
@given(any_facts)
def test_every_column_ranks_every_option_for_any_facts(facts: Facts) -> None:
    """Five columns of ranks that start at 1, the recommendation first in quality, each cited source listed."""
    advice = advise("", facts=facts)
    table = compare(advice)
    assert table.rows[0].option == advice.recommendation
    assert list(table.titles) == list(COLUMNS)
    for column in COLUMNS:
        ranks = [getattr(row, column).rank for row in table.rows]
        assert min(ranks) == 1
        assert max(ranks) <= len(table.rows)
    numbers = {source.n for source in table.sources}
    assert numbers == set(range(1, len(numbers) + 1))
    assert table.sources[: len(advice.sources)] == advice.sources


def test_something_else_is_last_unless_a_gate_says_what_it_is() -> None:
    """Without a gate, "something else" is the last row; with one it is the first, with that gate's own words."""
    assert compare(advise("", facts=Facts(private_facts=True))).rows[-1].option == "other"
    gated = compare(advise("", facts=Facts(json_schema_only=True))).rows[0]
    assert gated.option == "other"
    assert gated.updating.words.startswith("edit the schema")


def test_examples_at_hand_make_training_cheaper() -> None:
    """Where examples are there, the cost of fine-tuning no longer counts their writing."""

    def cost(examples: int) -> str:
        table = compare(advise("", facts=Facts(closed_labels=True, labelled_examples=examples)))
        return next(row.cost.words for row in table.rows if row.option == "fine_tuning")

    assert "have to be written" in cost(10)
    assert "examples are there" in cost(800)


def test_figures_are_dated_and_their_sources_known() -> None:
    """Each gate that answers and each option has its figures, from sources and pages that the rubric knows."""
    assert {gate.id for gate in RUBRIC.gates if gate.answer} == set(FIGURES["gate"])
    entries = [FIGURES[name] for name in RUBRIC.options] + list(FIGURES["gate"].values())
    for entry in entries:
        for column in ("cost", "maintenance", "updating"):
            assert entry[column]["source"] in RUBRIC.sources
            assert entry[column]["page"] in RUBRIC.pages
    assert str(FIGURES["as_of"]) >= "2026-11-22"


@pytest.mark.parametrize(
    ("facts", "sides"),
    [
        (Facts(private_facts=False, facts_change="daily"), ("no private facts", "facts change daily")),
        (Facts(labels_exist=False, labelled_examples=40), ("no labelled examples", "40 labelled examples")),
        (Facts(prompting_tried=False, few_shot_tried=True), ("prompting not tried yet", "examples in the prompt")),
    ],
)
def test_facts_that_exclude_each_other_are_named(facts: Facts, sides: tuple[str, str]) -> None:
    """A contradiction is told with both of its sides; without one side there is none."""
    (told,) = clashes(facts, {}, RUBRIC)
    assert all(side in told for side in sides)
    first = next(name for name, value in dataclasses.asdict(facts).items() if value is not None)
    assert clashes(dataclasses.replace(facts, **{first: None}), {}, RUBRIC) == ()
