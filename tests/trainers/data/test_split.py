"""Held-out rows are a fair, repeatable draw that shares no input with training."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import UserError
from trainers.data.examples import EXAMPLES
from trainers.data.jsonl import Message, Row, read_rows
from trainers.data.likeness import canonical
from trainers.data.split import LEAST_TEST, LEAST_TRAIN, split


def row(line: int, asked: str, answer: str) -> Row:
    return Row(line, (Message("user", asked), Message("assistant", answer)))


ROWS = [row(n, f"question {n}", "ab"[n % 2]) for n in range(1, 61)]


def test_the_same_seed_draws_the_same_rows() -> None:
    """A seed fixes the split; another seed draws others."""
    first, again, other = (split(ROWS, test_fraction=0.4, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first.test != other.test


def test_labels_keep_their_shares() -> None:
    """Each label is held out in proportion."""
    rows = read_rows(EXAMPLES["tickets"].train).rows
    parts = split(rows, test_fraction=0.25, seed=1)
    assert Counter(r.target for r in parts.test) == dict.fromkeys(
        ("account", "billing", "delivery", "returns", "workshop"), 6
    )


def test_a_rare_label_is_in_both_parts() -> None:
    """Three rows of a rare label are not all on one side."""
    rows = [row(n, f"question {n}", "rare" if n <= 3 else "usual") for n in range(1, 61)]
    parts = split(rows, test_fraction=0.33, seed=1)
    assert {r.target for r in parts.train} == {r.target for r in parts.test} == {"rare", "usual"}


def test_twenty_are_held_out_where_ten_remain() -> None:
    """A small share is raised to 20 rows, fewer than which prove nothing, as long as 10 remain to train on."""
    assert [len(part) for part in split(ROWS, test_fraction=0.1, seed=1)] == [40, 20]
    assert [len(part) for part in split(ROWS[:30], test_fraction=0.1, seed=1)] == [10, 20]
    assert [len(part) for part in split(ROWS[:15], test_fraction=0.5, seed=1)] == [10, 5]


def test_too_few_rows_are_a_user_error() -> None:
    """Under 15 rows, or with hardly any different inputs, nothing is split; the error says how many are needed."""
    with pytest.raises(UserError, match="at least 30"):
        split(ROWS[:14], test_fraction=0.3, seed=1)
    with pytest.raises(UserError, match="different inputs"):
        split([row(n, "same", "a") for n in range(1, 41)], test_fraction=0.3, seed=1)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from("abc")), min_size=60, max_size=90),
    st.floats(0.05, 0.6),
    st.integers(0, 2**32),
)
def test_no_input_is_on_both_sides(drawn: list[tuple[int, str]], fraction: float, seed: int) -> None:
    """Whatever repeats, every row is in exactly one part, in file order, and no folded input is in both."""
    rows = [
        row(line, f"Question {asked}{'.' * (line % 2)}", answer) for line, (asked, answer) in enumerate(drawn, start=1)
    ]
    if len({asked for asked, _ in drawn}) < 30:
        return
    parts = split(rows, test_fraction=fraction, seed=seed)
    assert sorted([*parts.train, *parts.test]) == rows
    assert list(parts.train) == sorted(parts.train)
    assert list(parts.test) == sorted(parts.test)
    assert not {canonical(r.prompt) for r in parts.train} & {canonical(r.prompt) for r in parts.test}
    assert len(parts.train) >= LEAST_TRAIN
    assert len(parts.test) >= LEAST_TEST
