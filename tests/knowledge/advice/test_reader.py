"""The offline reader: words, numbers, units and negation."""

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.advice import numbers
from knowledge.advice.facts import Facts, known
from knowledge.advice.reader import MAX_CHARACTERS, read

CASES = tomllib.loads((Path(__file__).parent / "reader_cases.toml").read_text("utf-8"))["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"])
def test_it_reads_what_a_sentence_says(case: dict[str, Any]) -> None:
    """Each sentence shows its facts and leaves the named others unknown."""
    found = known(read(case["text"]).facts)
    assert {name: found.get(name) for name in case.get("facts", {})} == case.get("facts", {})
    assert [name for name in case.get("unknown", []) if name in found] == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,000", 1000), ("2k", 2000), ("1.5 million", 1_500_000), ("fifty", 50), ("twenty-five", 25),
        ("a hundred", 100), ("two hundred and fifty", 250), ("hundreds", 300), ("thousands", 3000), ("a dozen", 12),
        ("three dozen", 36), ("a few hundred", 300), ("half a million", 500_000), ("100-200", 150), ("2-3k", 2500),
        ("three thousand five hundred", 3500), ("a couple of hundred", 200), ("none", None),
        ("tens of thousands", 10_000), ("hundreds of thousands", 300_000), ("20 thousands", 20_000),
    ],
)  # fmt: skip
def test_numbers_are_understood_as_people_write_them(text: str, value: float | None) -> None:
    """Digits, words, vague words and ranges have a value; what is no number has none."""
    assert numbers.parse(text) == value


def test_each_fact_quotes_the_words_that_show_it() -> None:
    """Evidence is a span of the text as it was written, capitals and curly quotes included."""
    text = "Our CUSTOMERS’ contracts change weekly. We have 120 Labelled tickets."
    reading = read(text)
    assert "120 Labelled tickets" in reading.evidence["labelled_examples"]
    assert all(words in text for words in reading.evidence.values())
    assert set(reading.evidence) == set(known(reading.facts))


def test_a_contradiction_is_told_and_the_later_words_count() -> None:
    """Two statements about one thing are marked, and the last one is taken."""
    reading = read("Answers must cite their source. On second thought, citations are not needed.")
    assert reading.facts.needs_citations is False
    assert "needs_citations" in reading.conflicts


def test_one_number_counts_for_one_thing() -> None:
    """Examples are not counted as reference material too."""
    facts = read("We have 900 articles with the right label.").facts
    assert facts.labelled_examples == 900
    assert facts.corpus_tokens is None


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("We want to sort the tickets of our customers.", True),
        ("Wir möchten die Anfragen unserer Kunden nach Themen sortieren und haben Beispiele.", False),
        ("Nous voulons classer les demandes de nos clients par thème avec des exemples.", False),
        ("我们想要对客户的工单进行分类", False),
        ("", True),
    ],
)
def test_it_knows_which_language_it_can_read(text: str, english: bool) -> None:
    """English is supported, other languages are recognised as not."""
    assert read(text).language_supported is english


def test_a_long_text_is_read_up_to_the_limit() -> None:
    """What stands behind the limit is not read, and the reading says so."""
    reading = read("x " * MAX_CHARACTERS + "We have 120 labelled tickets.")
    assert reading.truncated
    assert reading.facts == Facts()


@pytest.mark.parametrize("piece", ["a ", "half a million ", "1,", "a.b", "our documents and ", "not ", "every ", "\n"])
def test_repetition_does_not_make_reading_slow(piece: str) -> None:
    """Twenty thousand characters of one repeated piece are read within three seconds on a busy machine."""
    start = time.perf_counter()
    read((piece * 20_000)[:20_000])
    assert time.perf_counter() - start < 3


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text at all can be read."""
    reading = read(text)
    assert all(words in text for words in reading.evidence.values())


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=10, max_value=5_000_000))
def test_any_number_of_labelled_examples_is_read_exactly(count: int) -> None:
    """Plain digits and digits with separators give the number itself."""
    assert read(f"We have {count} labelled tickets.").facts.labelled_examples == count
    assert read(f"We have {count:,} labelled tickets.").facts.labelled_examples == count
