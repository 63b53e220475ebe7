"""What is learned from the questions beside a guide's pages, and what it may change."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from knowledge.fusion import reordered, with_topics
from knowledge.topics import LEAST, Topics

SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 2), min_size=1)


def texts(pages: int, each: int) -> tuple[list[str], np.ndarray]:
    """Texts of some pages, those of one page around one direction."""
    draw = np.random.default_rng(7)
    ids = [f"/guide/p{page}#part-0?{n}" for page in range(pages) for n in range(each)]
    around = np.repeat(np.eye(pages, 16), each, axis=0) + 0.1 * draw.normal(size=(pages * each, 16))
    return ids, around.astype(np.float32)


def test_a_question_like_those_of_a_page_is_about_it(tmp_path: Path) -> None:
    """The likeliest page has 1, the unlikeliest 0, and another process reads the same."""
    Topics(tmp_path / "t.npz").learn("first", *texts(4, LEAST))
    scores = Topics(tmp_path / "t.npz").scores(np.eye(4, 16, dtype=np.float32)[2])
    assert max(scores, key=lambda page: scores[page]) == "/guide/p2"
    assert (max(scores.values()), min(scores.values())) == (1, 0)


def test_a_new_fit_is_seen_by_who_had_read_the_old_one(tmp_path: Path) -> None:
    """A searching process notices that the guide was indexed anew."""
    reader, writer = Topics(tmp_path / "t.npz"), Topics(tmp_path / "t.npz")
    writer.learn("first", *texts(4, LEAST))
    assert reader.generation() == "first"
    writer.learn("second", *texts(3, LEAST))
    assert reader.generation() == "second"
    assert len(reader.scores(np.zeros(16, np.float32))) == 3


def test_from_too_few_texts_nothing_is_learned(tmp_path: Path) -> None:
    """A guide with hardly any questions is searched without, also where an older one had them."""
    topics = Topics(tmp_path / "t.npz")
    topics.learn("first", *texts(4, LEAST))
    topics.learn("second", *texts(4, LEAST - 1))
    assert topics.scores(np.zeros(16, np.float32)) == {}
    assert topics.generation() == ""


def test_vectors_of_another_model_are_left_alone(tmp_path: Path) -> None:
    """While another embedding model indexes the guide anew, what the old one taught is not used."""
    topics = Topics(tmp_path / "t.npz")
    topics.learn("first", *texts(4, LEAST))
    assert topics.scores(np.zeros(8, np.float32)) == {}


def test_a_file_that_was_cut_short_counts_as_none(tmp_path: Path) -> None:
    """After a power cut questions are still answered, and the next build writes it anew."""
    topics = Topics(tmp_path / "t.npz")
    topics.learn("first", *texts(4, LEAST))
    (tmp_path / "t.npz").write_bytes((tmp_path / "t.npz").read_bytes()[:300])
    assert (topics.scores(np.zeros(16, np.float32)), topics.generation()) == ({}, "")
    topics.learn("second", *texts(4, LEAST))
    assert topics.generation() == "second"


@given(scores=SCORES, better=SCORES)
def test_reordering_keeps_what_others_are_compared_with(scores: dict[str, float], better: dict[str, float]) -> None:
    """Whatever is known of one collection, the others keep their scores and none is worth more."""
    dealt = reordered(scores, better)
    assert {key: score for key, score in dealt.items() if key not in better} == {
        key: score for key, score in scores.items() if key not in better
    }
    order = sorted(better, key=lambda key: -better[key])
    assert [dealt[key] for key in order] == sorted((dealt[key] for key in order), reverse=True)
    assert max(dealt.values()) <= max(scores.values())


def test_without_topics_scores_stay() -> None:
    """A question of which no page is known leaves every score as it was."""
    assert with_topics({"/guide/a#b-0": 0.5}, {}) == {"/guide/a#b-0": 0.5}
