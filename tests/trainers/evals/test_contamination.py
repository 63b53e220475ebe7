"""Held-out rows that were seen are found by line, others are left alone, and rows of one source are grouped."""

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from trainers.data.examples import EXAMPLES
from trainers.data.jsonl import Message, Row, read_rows
from trainers.evals.clusters import clusters
from trainers.evals.contamination import Contamination, contamination, inspect

DRAW = random.Random(8)
LEXICON = [f"{a}{b}" for a in ("bar", "cel", "dul", "fen", "gor", "hal", "mir") for b in ("a", "en", "ix", "oth", "um")]
SYSTEM = "Answer the question about the shop in one short sentence."


def text(words: int) -> str:
    return " ".join(DRAW.choices(LEXICON, k=words))


def row(line: int, user: str, system: str = SYSTEM) -> Row:
    return Row(line, (Message("system", system), Message("user", user), Message("assistant", "Yes.")))


TAUGHT = [text(30) for _ in range(60)]
TRAIN = [row(line, said) for line, said in enumerate(TAUGHT, start=1)]


def test_each_way_of_being_seen_is_named_by_line() -> None:
    """Equal, nearly equal, half copied and prompted inputs are told apart; a fresh one is clean."""
    words = TAUGHT[5].split()
    rows = [
        row(1, TAUGHT[3].upper() + " !"),
        row(2, " ".join([*TAUGHT[4].split()[:-1], "otherwise"])),
        row(3, f"{text(12)} {' '.join(words[:24])} {text(12)}"),
        row(4, "is the shop open on new year's day"),
        row(5, text(30)),
    ]
    shown = ['Example: "Is the shop open on New Year\'s Day?" Answer: no']
    found = inspect(rows, TRAIN, shown=shown)
    assert found == Contamination(checked=True, rows=5, exact=(1,), near=(2,), overlap=(3,), prompted=(4,))
    assert found.lines == (1, 2, 3, 4)
    assert found.sentence == (
        "Doubtful: 1 test row in training too (line 1), 1 test row nearly repeating a training input (line 2), "
        "1 test row sharing long runs of words with a training input (line 3) and 1 test row standing in a system "
        "prompt or in a prompt's examples (line 4); the score may measure memory."
    )
    assert Contamination.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_repeated_test_row_shares_its_fate() -> None:
    """Of two test rows that differ in a number only, both are named if one nearly repeats a training input."""
    taught = [row(1, "Where is my order 4711 with the two violins in it?")]
    rows = [row(line, f"Where is my order {line}22 with the two violins in it?") for line in (1, 2)]
    assert inspect(rows, taught).near == (1, 2)


def test_a_test_item_inside_a_training_system_prompt_is_found() -> None:
    """A system prompt that holds a test question as an example teaches it; a short word in it does not count."""
    taught = [row(1, text(20), system="Example: Do you repair old flutes here? Yes.")]
    assert inspect([row(9, "Do you repair old flutes here?"), row(10, "example")], taught).prompted == (9,)


def test_a_template_is_not_a_leak() -> None:
    """An instruction that opens every input, in training and in test, makes no row doubtful."""
    opening = "Read the following letter of a customer carefully and then write down the matter that it is about."
    train = [row(line, f"{opening} {said}") for line, said in enumerate(TAUGHT[:30], start=1)]
    rows = [row(line, f"{opening} {' '.join(said.split()[:3])} {text(9)}") for line, said in enumerate(TAUGHT[:19])]
    assert inspect(rows, train).lines == ()  # although each opens like a training row, as letters do


def test_without_training_rows_it_says_so() -> None:
    """What was not checked is not called clean."""
    assert not inspect(TRAIN, None).checked
    assert contamination(TRAIN, None).startswith("Not checked")
    assert contamination(TRAIN, []) == (
        "No test row was in training: none of 60 equals or nearly repeats a training input."
    )


def test_the_shipped_example_is_clean_and_its_rows_are_independent() -> None:
    """No ticket of the test file was in training, and no two share a source."""
    shipped = EXAMPLES["tickets"]
    test, train = (read_rows(path).rows for path in (shipped.test, shipped.train))
    assert inspect(test, train).lines == ()
    assert clusters(test) is None


@given(st.lists(st.text(max_size=80), max_size=12), st.lists(st.text(max_size=80), max_size=12))
def test_any_texts_are_compared(asked: list[str], taught: list[str]) -> None:
    """Whatever the rows hold, each seen row is named once, and every row that equals a training row is among them."""
    rows = [row(line, said) for line, said in enumerate(asked, start=1)]
    found = inspect(rows, [row(line, said) for line, said in enumerate(taught, start=1)])
    assert len(set(found.lines)) == len(found.lines)
    assert {line for line, said in enumerate(asked, start=1) if said in taught} <= set(found.lines)
    assert len(clusters(rows) or rows) == len(rows)


def test_rows_about_one_passage_are_one_cluster() -> None:
    """Questions about the same passage, and near copies of a question, are grouped under their first row."""
    passages = [text(80) for _ in range(4)]
    rows = [row(line, f"{passages[line % 4]} {text(6)}") for line in range(1, 13)]
    rows += [row(13, TAUGHT[0]), row(14, TAUGHT[0] + " still"), row(15, TAUGHT[1])]
    found = clusters(rows)
    assert found is not None
    assert found[:4] == found[4:8] == found[8:12] == ["row 1", "row 2", "row 3", "row 4"]
    assert found[12:] == ["row 13", "row 13", "row 15"]


def test_a_passage_in_the_system_prompt_counts_and_a_shared_one_does_not() -> None:
    """Rows whose system prompts hold the same passage are grouped; one system prompt for all joins nothing."""
    passages = [text(80) for _ in range(3)]
    rows = [row(line, text(10), system=f"Context: {passages[line % 3]}") for line in range(1, 10)]
    assert clusters(rows) == [f"row {1 + (line - 1) % 3}" for line in range(1, 10)]
    assert clusters([row(line, text(10), system=passages[0]) for line in range(1, 10)]) is None
