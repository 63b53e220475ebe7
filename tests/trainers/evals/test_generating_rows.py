"""What is said of drafted rows: who wrote them is counted, not assumed."""

import pytest

from trainers.data.jsonl import Message
from trainers.evals.generating.rows import Generated, Rejected, TrainingDraft


def draft(provenance: str) -> TrainingDraft:
    return TrainingDraft((Message("user", "Where is it?"), Message("assistant", "shipping")), {}, "why", provenance)


@pytest.mark.parametrize(
    ("provenances", "said"),
    [
        (["model gpt", "model gpt"], "2 draft rows, written by gpt."),
        (["model gpt", "recipe x"], "2 draft rows, written by gpt (1 by recipes)."),
        (["recipe x"], "1 draft row, composed by recipes, no language model."),
    ],
)
def test_rows_by_recipe_are_not_said_to_be_a_model_s(provenances: list[str], said: str) -> None:
    """Where a key was refused and recipes made all rows, that is what is said."""
    made = Generated(drafts=tuple(map(draft, provenances)), writer="gpt")
    assert made.marked.startswith(said)


def test_a_point_leaves_out_the_judge_s_words() -> None:
    """They may repeat what a row says."""
    assert Rejected("judged not right: She wrote of her illness.", "text").point == "judged not right"
