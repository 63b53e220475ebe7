"""Made-up values for fields with a pattern: they fit, they are plain, and no pattern costs much."""

import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.evals.drafts.patterns import texts_like
from trainers.evals.generating.compose import compose_rows
from trainers.evals.generating.spec import row_spec


@pytest.mark.parametrize(
    "pattern",
    [
        r"^INV-\d{4}$",
        "^[A-Z]{2}[0-9]{6}$",
        r"^\d{4}-\d{2}-\d{2}$",
        "^(red|green)$",
        "^[a-z]+-[a-z]+$",
        r"\+\d{1,3} \d{4,}",
    ],
)
def test_texts_fit_their_pattern(pattern: str) -> None:
    """Several different ones, and the same each time."""
    found = texts_like(pattern)
    assert len(found) >= 2
    assert all(re.search(pattern, text) and text.isprintable() for text in found)
    assert found == texts_like(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(((a+)+)+)+",
        "a{1000000}",
        "(a{1000}){1000}",
        "[",
        "x" * 500,
        "(?P<n>a)(?(n)b|c)",
        "^(a+)+(?=!)$",
        r"[\u0000-\U0010ffff]{5}",
        r"(a*)*\1",
    ],
)
def test_what_costs_much_or_is_not_understood_gives_nothing_at_once(pattern: str) -> None:
    """Nested repeats, huge counts, broken and conditional patterns end within a second."""
    began = time.process_time()
    assert texts_like(pattern) == []
    assert time.process_time() - began < 1


@settings(deadline=None)  # thirty draws of `.+` take a busy machine a quarter of a second
@given(st.text(alphabet="ab01[](){}|*+?^$\\d.,-", max_size=40))
def test_any_pattern_is_read_without_an_error(pattern: str) -> None:
    """Whatever stands there, what comes back matches."""
    for text in texts_like(pattern):
        assert re.search(pattern, text)


def test_rows_fill_a_field_with_a_pattern() -> None:
    """The answer's value fits the schema, stands in the paper, and is said to be made up."""
    properties = {"total": {"type": "number"}, "batch": {"type": "string", "pattern": r"^BX-\d{5}$"}}
    schema = {"type": "object", "properties": properties, "required": ["total", "batch"]}
    made = compose_rows(row_spec("Extract total and batch from delivery notes", schema=schema), count=6, seed=3)
    values = [answer.get("batch") for draft in made.drafts if isinstance(answer := json.loads(draft.target), dict)]
    assert any(value and re.fullmatch(r"BX-\d{5}", value) for value in values)
    assert any("made-up" in note and "batch" in note for note in made.notes)
