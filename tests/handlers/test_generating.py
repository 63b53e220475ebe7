"""Drafting training rows as people meet it: a form, a coverage to change, rows under review in a thread, a data set."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.wiring import more_rows
from tests.console import wait_for
from tests.handlers.world import ADA, World, serve
from trainers.errors import DatasetRejected
from trainers.evals.rule import SuccessRule
from trainers.quotes import quote
from trainers.spec import TrainingSpec

Json = dict[str, Any]
TASK = "Sort support tickets into billing, returns, shipping, other"


@pytest.fixture
def drafting(world: World) -> World:
    """A world whose reviews draft further rows as a started Luthier does that has no language model."""
    world.deps = replace(world.deps, more_rows=more_rows(world.engine, None))
    serve(world)
    return world


def coverage(world: World, **values: str) -> Json:
    """Fill the first form; gives the second."""
    world.slack.command(f"/tune data generate {TASK}")
    view = world.slack.wait_view(title="Draft training rows")
    world.slack.submit(view, {"rows_task": TASK, "rows_count": "10", **values})
    return world.slack.wait_view(title="Coverage")


def reviewed(world: World, count: int = 10) -> Json:
    """Draft rows; gives the review's card."""
    view = coverage(world, rows_count=str(count))
    world.slack.submit(view, {"rows_coverage": "case: typical, edge\nlabel: billing, returns"})
    root = world.slack.wait_message(f"drafts {count} training rows")
    return world.slack.wait_message("Add my own", thread_ts=root["ts"])


def test_a_task_becomes_rows_under_review(drafting: World) -> None:
    """Form, coverage, thread: the card shows the first row with why it helps, and says that recipes composed it."""
    card = reviewed(drafting)
    told = json.dumps(drafting.slack.messages("C0ASK", card["thread_ts"]), ensure_ascii=False)
    assert "10 draft rows, composed by recipes, no language model" in told
    assert "Without such rows" in told


def test_reviewed_rows_become_a_data_set(drafting: World) -> None:
    """Keep the rest and finish: a version of a data set whose provenance names reviewer and recipes."""
    card = reviewed(drafting, 30)
    drafting.slack.click(card, "Keep the rest")
    card = drafting.slack.wait_message("30 kept", thread_ts=card["thread_ts"])
    drafting.slack.click(card, "Finish → JSONL")
    wait_for(
        lambda: drafting.deps.datasets.listing(ADA.workspace_id, seen_by=ADA.user_id),
        what="a data set",
        seen=lambda: drafting.slack.messages("C0ASK", card["thread_ts"]),
    )
    kept = drafting.deps.datasets.listing(ADA.workspace_id, seen_by=ADA.user_id)[0]
    assert kept.train_rows + kept.test_rows == 30
    assert "recipe" in kept.provenance


def test_ten_rows_become_a_data_set_that_waits_for_more(drafting: World) -> None:
    """Too few to hold rows out: the version is there, and a quote for it says what is missing."""
    card = reviewed(drafting)
    drafting.slack.click(card, "Keep the rest")
    card = drafting.slack.wait_message("10 kept", thread_ts=card["thread_ts"])
    drafting.slack.click(card, "Finish → JSONL")
    listing = drafting.deps.datasets.listing
    wait_for(lambda: listing(ADA.workspace_id, seen_by=ADA.user_id), timeout=20, what="a data set")
    kept = listing(ADA.workspace_id, seen_by=ADA.user_id)[0]
    assert (kept.train_rows, kept.test_rows) == (10, 0)
    with pytest.raises(DatasetRejected, match="no rows to test on"):
        quote(kept, TrainingSpec(), SuccessRule(), folder=drafting.deps.datasets.folder, tokenizer=None)


def test_another_like_this_drafts_one_more(drafting: World) -> None:
    """The new row is of the same kind and asks something new."""
    card = reviewed(drafting)
    drafting.slack.click(card, "Another like this")
    drafting.slack.wait_message("11 of 11", thread_ts=card["thread_ts"])


def test_a_coverage_that_makes_no_sense_is_told_at_its_field(world: World) -> None:
    """A label that the task does not have is refused in the form."""
    answer = world.slack.submit(coverage(world), {"rows_coverage": "label: nonsense"})
    assert "none of the task" in json.dumps(answer)


def test_a_task_without_labels_is_told_in_the_first_form(world: World) -> None:
    """Classification without labels begins nothing."""
    world.slack.command("/tune data generate")
    view = world.slack.wait_view(title="Draft training rows")
    answer = world.slack.submit(
        view, {"rows_task": "Classify tickets", "rows_kind": "classification", "rows_count": "5"}
    )
    assert "before I know the labels" in json.dumps(answer)
