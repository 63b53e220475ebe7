"""Near duplicates are found as an exact search over all pairs would find them."""

import random
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from trainers.data.likeness import SHARED, NearTexts, canonical, near_pairs

WORDS = [f"{first}{last}" for first in ("bo", "cel", "har", "pi", "ree") for last in ("w", "lo", "ps", "pers")]


@cache
def pieces(text: str) -> set[str]:
    return {text[at : at + 5] for at in range(len(text) - 4)}


def similarity(one: str, other: str) -> float:
    return len(pieces(one) & pieces(other)) / len(pieces(one) | pieces(other))


def test_it_agrees_with_an_exact_search() -> None:
    """Among 300 texts with planted variants, at least 97% of exact near pairs are found and nothing else is."""
    draw = random.Random(3)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(8, 30))) for _ in range(150)]
    for text in list(texts):
        words = text.split()
        words[draw.randrange(len(words))] = draw.choice(WORDS)
        texts.append(" ".join(words))
    exact = {
        later
        for later in range(len(texts))
        for earlier in range(later)
        if similarity(texts[earlier], texts[later]) >= SHARED
    }
    pairs = near_pairs(texts)
    assert {pair.later for pair in pairs} <= exact
    assert len(pairs) >= 0.97 * len(exact) > 50
    assert all(similarity(texts[pair.earlier], texts[pair.later]) >= SHARED for pair in pairs)


def test_digits_count_as_alike() -> None:
    """Two texts that differ in a number only are near duplicates."""
    assert near_pairs(["order 4711 is late", "something else", "order 9300 is late"]) == [(0, 2)]


def test_short_texts_need_to_be_equal() -> None:
    """Texts of a few letters are not compared by pieces."""
    assert near_pairs(["yes", "yet", "yes", ""]) == [(0, 2)]


def test_canonical_folds_what_does_not_matter() -> None:
    """Case, width, spaces and a closing mark go; signs within stay; a text of marks alone is kept."""
    assert canonical("  Is it\n OPEN？ ") == canonical("is it open") == "is it open"
    assert canonical("2 - 2") != canonical("2 + 2")
    assert canonical("?!") == "?!"


@given(st.lists(st.text(max_size=40), max_size=12))
def test_any_texts_can_be_compared(texts: list[str]) -> None:
    """Odd characters break nothing; pairs point backwards; equal texts are always paired."""
    pairs = near_pairs(texts)
    assert all(pair.earlier < pair.later < len(texts) for pair in pairs)
    repeated = {place for place, text in enumerate(texts) if canonical(text) in map(canonical, texts[:place])}
    assert repeated <= {pair.later for pair in pairs}


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), max_size=12))
def test_one_by_one_they_are_alike_as_all_at_once(texts: list[str]) -> None:
    """Two texts without anything in common stand before them, so that no common beginning is left out."""
    before = ["anything at all?", "zigzag, why not!"]
    later = {pair.later for pair in near_pairs([*before, *texts])}
    taken = NearTexts(before)
    for place, text in enumerate(texts, start=len(before)):
        assert taken.near(text) == (place in later)
        taken.add(text)


def test_what_the_first_few_share_is_compared_too() -> None:
    """Two long texts with other questions are near copies, though all that came so far begins like them."""
    passage = " ".join(WORDS * 2)
    taken = NearTexts([f"{passage} Why?", f"{passage} What is that?"])
    assert taken.near(f"{passage} And who?")
    assert not taken.near("And who?")
