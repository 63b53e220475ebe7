"""A text is placed beside a brand's own texts as the definition of the distances says, at equal lengths."""

import math
import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine as scipy_cosine

from tests.trainers.evals.voices import brand, briefs, chatty, formal, written
from trainers.evals.style.delta import Voice, burrows, cosine
from trainers.evals.style.two_sample import auroc

TRAIN = briefs(120, 1)
OWN = written(brand, TRAIN, 2)
BASE = written(chatty, TRAIN, 3)
TEST = briefs(60, 4)


def test_burrows_worked_by_hand() -> None:
    """Means 2 and 4, deviations 1 and 2: the text (3, 8) has z-scores 1 and 2, so Delta is 1.5."""
    found = burrows(np.array([[3.0, 8.0], [2.0, 4.0]]), np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    assert found.tolist() == [1.5, 0.0]


def test_cosine_worked_by_hand() -> None:
    """From the origin (1, 1) the brand lies at (1, 0) and the text at (1, 1): 45 degrees, so 1 - 1/sqrt(2)."""
    found = cosine(np.array([[2.0, 2.0]]), np.array([2.0, 1.0]), np.ones(2), np.ones(2))
    assert found[0] == pytest.approx(1 - 1 / math.sqrt(2))


def test_cosine_agrees_with_scipy() -> None:
    """On random frequencies the angle is scipy's."""
    draw = np.random.default_rng(1)
    texts, mean, deviation, origin = draw.random((20, 30)), draw.random(30), draw.random(30) + 0.1, draw.random(30)
    found = cosine(texts, mean, deviation, origin)
    wanted = [scipy_cosine((text - origin) / deviation, (mean - origin) / deviation) for text in texts]
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize("reference", [(), BASE[:20]])
def test_the_brands_spread_leaves_each_text_out(reference: list[str]) -> None:
    """Each brand text's own distance is the one to a voice that never saw it."""
    texts = OWN[:12]
    voice = Voice(texts, reference)
    spread = voice._spread(35)
    vectors = voice._vectors(voice._brand, 35)
    wanted = []
    for at in range(len(texts)):
        others = np.delete(vectors, at, axis=0)
        floor = voice._floor(vectors.mean(axis=0), 35)
        mean, deviation = others.mean(axis=0), np.maximum(others.std(axis=0, ddof=1), floor)
        one = vectors[at : at + 1]
        origin = spread.origin
        wanted.append(
            float((burrows(one, mean, deviation) if origin is None else cosine(one, mean, deviation, origin))[0])
        )
    assert spread.own == pytest.approx(wanted)


def test_the_brands_unseen_texts_are_typical_and_others_are_not() -> None:
    """Held-out brand texts have percentiles around a half; other voices lie outside, with a reference or without."""
    for reference in ((), BASE):
        voice = Voice(OWN, reference)
        scores = {
            writer.__name__: [place.percentile for text in written(writer, TEST, 5) if (place := voice.place(text))]
            for writer in (brand, formal, chatty)
        }
        assert 0.4 < np.mean(scores["brand"]) < 0.65
        assert np.mean(scores["formal"]) < 0.1
        assert np.mean(scores["chatty"]) < 0.1
        assert auroc(scores["brand"], scores["formal"]) > 0.95


def test_length_alone_does_not_move_a_text() -> None:
    """Brand texts half and twice as long as the brand's stay within its spread: texts are compared at one length."""
    voice = Voice(OWN, BASE)
    for words in (30, 120):
        places = [voice.place(text) for text in written(brand, TEST, 6, words)]
        assert 0.2 < np.mean([place.percentile for place in places if place]) < 0.7
    assert {place.length for text in written(brand, TEST, 6, 30) if (place := voice.place(text))} <= {35, 50}


def test_equal_brand_texts_accept_themselves_alone() -> None:
    """With no spread at all the brand's text is at the top and any other text at the bottom."""
    voice = Voice([OWN[0]] * 20)
    same, other = voice.place(OWN[0]), voice.place(BASE[0])
    assert same is not None
    assert other is not None
    assert same.percentile == 1.0
    assert other.percentile == 0.0


@pytest.mark.parametrize("texts", [[], [OWN[0]], OWN[:4], ["", " \n"] * 10])
def test_too_few_brand_texts_are_no_voice(texts: list[str]) -> None:
    """Fewer than five texts have no spread, so nothing is placed."""
    voice = Voice(texts, BASE)
    assert not voice.ready
    assert voice.place(OWN[1]) is None


def test_one_word_brand_texts_still_have_a_voice() -> None:
    """Texts shorter than any step are compared uncut."""
    voice = Voice(["yes", "no", "yes", "yes", "no", "maybe"])
    place = voice.place("yes, of course we do")
    assert place is not None
    assert place.length == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=8), st.lists(st.text(max_size=60), max_size=7), st.text(max_size=400))
def test_any_text_is_placed_or_not(texts: list[str], reference: list[str], text: str) -> None:
    """Whatever the texts hold, a placement is a share and a finite distance, or none."""
    place = Voice(texts, reference).place(text)
    assert place is None or (0 <= place.percentile <= 1 and math.isfinite(place.distance))


@pytest.mark.parametrize("text", ["😀" * 300, "这是一个测试。" * 40, "\ud800 lone", "a" * 100_000, "! " * 50_000])
def test_strange_texts_are_placed(text: str) -> None:
    """Emoji, other scripts, half a character and 100,000 characters get a place far from the brand, in time."""
    voice = Voice(OWN, BASE)
    voice.place(OWN[0])
    start = time.process_time()
    place = voice.place(text)
    assert place is not None
    assert place.percentile < 0.2
    assert time.process_time() - start < 1.0


def test_a_small_corpus_is_counted_by_shipped_words() -> None:
    """Twelve short texts do not say which words are common, so function words from the list are counted."""
    small, large = Voice(OWN[:12]), Voice(OWN * 2)
    assert "whether" in small._words
    assert "whether" not in large._words
    assert "crew" in large._words


def test_order_of_training_texts_does_not_matter() -> None:
    """A voice is the same from shuffled texts."""
    mixed = list(OWN)
    random.Random(1).shuffle(mixed)
    one, other = Voice(OWN, BASE).place(BASE[5]), Voice(mixed, BASE).place(BASE[5])
    assert one is not None
    assert other is not None
    assert one.percentile == other.percentile
