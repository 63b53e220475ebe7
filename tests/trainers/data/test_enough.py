"""How many rows are enough is said with the number that is missing."""

import pytest

from knowledge.errors import UserError
from trainers.data.enough import PROVABLE, TRAINABLE, few, missing
from trainers.data.jsonl import Message, Row
from trainers.data.split import GOOD_TEST, split


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (1, "1 row is too few to train anywhere: at least 14 rows more, better 29"),
        (14, "14 rows are too few to train anywhere: at least 1 row more, better 16"),
        (15, "15 rows can be trained on, but no model can pass before 15 more are there"),
        (30, ""),
        (500, ""),
    ],
)
def test_a_line_names_what_is_missing(rows: int, says: str) -> None:
    """Too few for any training, too few to pass, enough."""
    assert few(rows).startswith(says)
    assert bool(few(rows)) is bool(missing(rows)) is bool(says)


def test_the_numbers_are_those_of_dividing() -> None:
    """What is called trainable can be divided, one row less cannot; from the other number on 20 rows are held out."""

    def rows(count: int) -> list[Row]:
        return [Row(n, (Message("user", f"question {n}"), Message("assistant", f"a{n}"))) for n in range(1, count + 1)]

    assert split(rows(TRAINABLE), test_fraction=0.33, seed=7).test
    with pytest.raises(UserError):
        split(rows(TRAINABLE - 1), test_fraction=0.33, seed=7)
    assert len(split(rows(PROVABLE), test_fraction=0.33, seed=7).test) == GOOD_TEST
