"""Copies from training texts are found as a plain search finds them, and fast."""

import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.evals.style.memorised import Copied, Taught

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=40).map(" ".join)


def plain(text: str, taught: list[str]) -> Copied:
    """Search every run of words in every training text."""
    said = text.split()
    held = [f" {' '.join(each.split())} " for each in taught]

    def known(start: int, size: int) -> bool:
        return any(f" {' '.join(said[start : start + size])} " in each for each in held)

    runs = [known(at, 8) for at in range(len(said) - 7)]
    spans = [(at, size) for at in range(len(said)) for size in range(1, len(said) - at + 1)]
    longest = max((size for at, size in spans if known(at, size)), default=0)
    return Copied(sum(runs) / len(runs) if runs else None, longest)


def test_worked_by_hand() -> None:
    """Ten words, of which the first nine stand in a training text: 2 of 3 runs of eight, longest 9."""
    taught = Taught(["one two three four five six seven eight nine", "ten eleven"])
    assert taught.check("One two, three four five six seven eight nine TEN!") == Copied(2 / 3, 9)
    assert taught.check("nine ten") == Copied(None, 1)  # a run does not cross from one text into the next


@settings(max_examples=150, deadline=None)
@given(WORDS, st.lists(WORDS, max_size=5))
def test_it_agrees_with_a_plain_search(text: str, taught: list[str]) -> None:
    """On texts of four words, where copies abound, share and longest run are exact."""
    assert Taught(taught).check(text) == plain(text, taught)


def test_a_training_text_is_a_whole_copy() -> None:
    """An output that is a training text shares everything with it."""
    text = " ".join(f"word{at}" for at in range(50))
    assert Taught([text, "other"]).check(text) == Copied(1.0, 50)


@settings(max_examples=60, deadline=None)
@given(st.text(), st.lists(st.text(max_size=80), max_size=4))
def test_any_text_is_checked(text: str, taught: list[str]) -> None:
    """Whatever the texts, the share is a share and the run is not longer than the text."""
    found = Taught(taught).check(text)
    assert found.share is None or 0 <= found.share <= 1
    assert 0 <= found.longest <= len(text)


def test_a_thousand_training_texts_are_searched_in_time() -> None:
    """300 answers against 1,000 training texts of 120 words take under a second of one core; 100,000 letters too."""
    draw = random.Random(1)
    words = [f"w{at}" for at in range(3000)]
    texts = [" ".join(draw.choices(words, k=120)) for _ in range(1000)]
    answers = [" ".join(draw.choices(words, k=80)) + " " + texts[at][100:300] for at in range(300)]
    start = time.process_time()
    taught = Taught(texts)
    found = [taught.check(answer) for answer in answers]
    taught.check("a b " * 25_000)
    assert time.process_time() - start < 1.5  # 0.5 s measured
    assert all(copy.longest > 20 for copy in found)
