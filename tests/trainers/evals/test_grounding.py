"""Abstentions, key facts and citations are found as a careful reader would, on worded cases and hostile texts."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.evals.grounding.abstain import abstains
from trainers.evals.grounding.citations import Cited, check, passages
from trainers.evals.grounding.correct import exact, missing_facts

CONTEXT = """[1] Refunds take 14 days after the parcel is back at Northwind Strings.
[2] A new bow costs 80 euros. Rehairing a bow costs 35 euros.
It takes two days.
Question: How long do refunds take, 99 days?"""


@pytest.mark.parametrize(
    "text",
    [
        "I don't know.",
        "I’m not sure about that.",
        "The documents do not mention a price.",
        "Based on the passages, the price isn't stated.",
        "Unfortunately, I couldn't find that in the manual.",
        "Sorry. The question cannot be answered from the context.",
        "That is not in the provided context.",
        "There is no information on this in the sources.",
        "I do not have enough information to answer that.",
    ],
)
def test_abstentions(text: str) -> None:
    """Usual ways to say that there is no answer are known, with either apostrophe."""
    assert abstains(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "14 days.",
        "Accidental damage is not covered.",
        "The plan doesn't include calls.",
        "I don't know the exact day, but refunds take 14 days.",
        "No.",
        "The cable is not included in the box.",
        "Refunds take 14 days. " + "They are paid to the card that was used. " * 6 + "I don't know more.",
    ],
)
def test_answers_are_no_abstentions(text: str) -> None:
    """Negations, partial answers and a closing remark of a long answer are answers."""
    assert not abstains(text)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("It takes 14 days.", "14 days"),
        ("14 DAYS", "14 days"),
        ("The bow costs 1,200.00 euros [2].", "1200 euros"),
        ("That would be Paris, of course.", "Paris"),
        ("the Paris", "paris"),
        ("Yes, you can.", "Yes"),
        ("No, that is not possible.", "No."),
        ("Refunds are possible within 30 days.", "Yes, within 30 days"),
        ("You can't return strings.", "No, strings can't be returned"),
        ("答案是北京。", "北京"),
        ("🙂", "🙂"),
        ("You return the opened box to our shop.", "Return the box, opened, to the shop."),
    ],
)
def test_right_answers(output: str, expected: str) -> None:
    """An answer with the key facts is right, in another order, case or spelling of a number."""
    assert missing_facts(output, expected) == ()


@pytest.mark.parametrize(
    ("output", "expected", "lacks"),
    [
        ("It takes 41 days.", "14 days", "14"),
        ("", "14 days", "14"),
        ("London", "Paris", "pari"),
        ("Bananas.", "Yes", "yes"),
        ("Yes", "No", "no"),
        ("Refunds aren't possible.", "Yes, within 30 days", "yes"),
        ("It is 3 euros.", "30 euros", "30"),
        ("!!!", "🙂", "🙂"),
        ("上海", "北京", "北京"),
    ],
)
def test_wrong_answers(output: str, expected: str, lacks: str) -> None:
    """An answer that lacks a key fact is wrong and the fact is named."""
    assert lacks in missing_facts(output, expected)


def test_long_expected_answers() -> None:
    """Of a long answer the numbers and names must be there; without any, seven content words in ten."""
    words = (
        "soak the dried reed in lukewarm water, trim its tip, wrap the thread and let everything rest overnight covered"
    )
    assert missing_facts(words, words + " please") == ()
    assert missing_facts("soak the reed in water", words) != ()
    told = words + " at 20 degrees, says Marta"
    assert missing_facts("Marta says 20 degrees", told) == ()
    assert missing_facts(words + " at 21 degrees, says Marta", told) == ("20",)


def test_exact_is_squads() -> None:
    """Case, marks and articles do not count; another word does."""
    assert exact("The  Cat!", "cat")
    assert not exact("cats", "cat")


def test_passages_are_found_in_a_prompt() -> None:
    """A passage goes from its number to the next one; the question is none."""
    found = passages(CONTEXT)
    assert list(found) == [1, 2]
    assert "two days" in found[2]
    assert "99" not in found[2]
    assert passages("no numbers here") == {}


@pytest.mark.parametrize(
    ("output", "precision", "recall"),
    [
        ("Refunds take 14 days [1]. A new bow costs 80 euros [2].", 1.0, 1.0),
        ("Refunds take 14 days. [1] A new bow costs 80 euros. [2]", 1.0, 1.0),  # marks after the stop
        ("Refunds take 14 days [2].", 0.0, 0.0),
        ("Refunds take 14 days [1, 2].", 0.5, 1.0),  # one of two citations carries it
        ("Refunds take 15 days [1].", 0.0, 0.0),
        ("Refunds take 14 days [7].", 0.0, 0.0),  # a passage that was not given
        ("Refunds take 14 days. A new bow costs 80 euros [2].", 1.0, 0.5),
        ("Refunds take 14 days.", None, 0.0),
        ("", None, None),
        ("Sure [1].", 0.0, None),  # too short to need support, and what it cites has none
    ],
)
def test_citations_by_hand(output: str, precision: float | None, recall: float | None) -> None:
    """Precision counts citations whose passage supports the sentence, recall the sentences that are supported."""
    assert check(output, passages(CONTEXT)) == Cited(precision, recall)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_texts_are_checked(output: str, expected: str) -> None:
    """Nothing raises; a text of words is right beside itself; shares stay shares."""
    missing_facts(output, expected)
    abstains(output)
    if expected.strip():
        assert missing_facts(expected, expected) == ()
    found = check(output, passages(f"[1] {expected}\n[2] {output}"))
    assert all(share is None or 0 <= share <= 1 for share in found)


@pytest.mark.parametrize("piece", ["[1]", "A [1]. ", "I don't know ", "e.g. A ", "[1", "1 ", "Question: ", "No, "])
def test_hostile_texts_are_checked_in_time(piece: str) -> None:
    """100,000 characters made for slow patterns take under two seconds of one core."""
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    missing_facts(text, text + "x")
    abstains(text)
    check(text, passages(text[:50_000] + CONTEXT))
    assert time.process_time() - start < 2.0
