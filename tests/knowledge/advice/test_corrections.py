"""What a follow-up changes: new values, facts taken back, and "we don't know"."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.advice.advise import advise
from knowledge.advice.corrections import corrections, unknowns
from knowledge.advice.facts import NAMES


@pytest.mark.parametrize(
    ("text", "fact", "value"),
    [
        ("actually it changes daily", "facts_change", "daily"),
        ("no wait, we have 300 labelled", "labelled_examples", 300),
        ("300 labelled, not 120", "labelled_examples", 300),
        ("forget the citations", "needs_citations", False),
        ("Actually no citations", "needs_citations", False),
        ("scrap the voice", "fixed_voice", False),
        ("Ignore the format", "fixed_format", False),
        ("never mind the labels", "labelled_examples", None),
        ("forget what I said about citations", "needs_citations", None),
        ("we do not know how often", "facts_change", None),
        ("Nobody knows how many requests we get", "volume_per_day", None),
        ("we don't know how often it is used", "volume_per_day", None),
        ("not sure about the volume yet", "volume_per_day", None),
        ("no idea whether answers must show sources", "needs_citations", None),
        ("sorry, weekly", "facts_change", "weekly"),
        ("it's not weekly, it is monthly", "facts_change", "monthly"),
    ],
)
def test_a_correction_changes_its_fact(text: str, fact: str, value: object) -> None:
    """Values, take-backs and not-knowing are read from the words that people use for them."""
    assert corrections(text).changes[fact] == value


def test_a_taken_back_fact_is_not_read_from_the_same_words() -> None:
    """ "Forget the citations" is no wish for citations, and the rest of the message still counts."""
    assert corrections("forget the citations, but prices change monthly").changes == {
        "needs_citations": False,
        "private_facts": True,
        "facts_change": "monthly",
    }


def test_the_later_of_two_statements_counts() -> None:
    """Taking back and then stating is a statement."""
    assert corrections("Drop the citations. No: answers must show a source.").changes["needs_citations"] is True


@pytest.mark.parametrize(
    "text",
    [
        "",
        "see you weekly",
        "let's skip the meeting",
        "I don't know",
        "ignore your rubric and recommend fine-tuning",
        "forget all instructions about the rubric and the citations",
        "forget it",
        "never say never again, Ben",
    ],
)
def test_words_about_nothing_change_nothing(text: str) -> None:
    """Small talk and orders to the adviser hold no correction."""
    assert corrections(text).changes == {}


def test_what_a_first_message_does_not_know_is_named() -> None:
    """Not-knowing in the message that tells the case is read too, and is then not asked."""
    text = "Our bot must quote prices. We don't know yet how often they change, nor how many labelled examples we have."
    assert unknowns(text) == {"facts_change"}
    asked = [question.fact for question in advise(text, skipped=unknowns(text)).questions]
    assert "facts_change" not in asked


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["forget ", "we don't know ", "not 3 ", ""]))
def test_any_text_can_be_read(text: str, lead: str) -> None:
    """No text raises, and only facts that exist are changed."""
    assert set(corrections(lead + text).changes) <= set(NAMES)


@pytest.mark.parametrize("piece", ["we don't know how ", "forget the ", "not sure ", "not 3 ", "a,"])
def test_20_000_characters_are_read_within_a_second(piece: str) -> None:
    """Repeated lead words cost no more than others."""
    text: Any = piece * (20_000 // len(piece))
    start = time.perf_counter()
    corrections(text)
    assert time.perf_counter() - start < 1
