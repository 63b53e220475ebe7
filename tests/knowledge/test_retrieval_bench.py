"""What bench/retrieval.py and bench/answers.py stand on: the golden set fits the guide, and the scores are right."""

import math

import pytest

from bench.golden import HALVES, LEAD, RIGHT, load, passage_grades
from bench.ranking import ndcg, recall, reciprocal_rank
from bench.searches import Okapi
from knowledge.chunks import chunk_page
from knowledge.sources import load_guide


def test_every_graded_page_and_heading_is_in_the_guide() -> None:
    """Whoever renames a heading renames it in the golden set too, or its passages would count as wrong."""
    headings: dict[str, set[str]] = {}
    for page in load_guide():
        headings[page.slug] = {chunk.heading or LEAD for chunk in chunk_page(page)}
    lost = [
        (asked.id, page, heading)
        for asked in load()
        for page, named in asked.headings.items()
        for heading in named
        if heading not in headings.get(page, ())
    ]
    assert lost == []


def test_every_answerable_question_has_a_page_and_passages_that_answer_it() -> None:
    """No question is scored against nothing; near misses and other fields have no page."""
    chunks = [chunk for page in load_guide() for chunk in chunk_page(page)]
    for asked in load():
        assert (asked.kind == "answerable") == bool(asked.grades)
        if asked.grades:
            assert RIGHT in passage_grades(asked, chunks).values()


def test_halves_hold_all_kinds_and_are_no_choice_of_ours() -> None:
    """The half follows from the id alone, and each half has answerable questions, near misses and other fields."""
    asked = load()
    assert {half: len({each.kind for each in asked if each.half == half}) for half in HALVES} == {
        "dev": 3,
        "held-out": 3,
    }
    assert [each.half for each in asked[:4]] == ["dev", "held-out", "dev", "dev"]


def test_no_golden_question_stands_beside_a_page() -> None:
    """The guide was not written to the test."""
    beside = {question.lower() for page in load_guide() for question in page.questions}
    beside |= {question.lower() for page in load_guide() for _, question in page.asked}
    assert {asked.question.lower() for asked in load()} & beside == set()


def test_scores_of_a_ranking() -> None:
    """Recall counts right pages, nDCG all graded ones by place, the reciprocal rank the first right one."""
    ranked, grades = ["x", "a", "b"], {"a": 2, "b": 1, "c": 2}
    right = {"a", "c"}
    assert [recall(ranked, right, k) for k in (1, 2, 3)] == [0, 0.5, 0.5]
    best = 2 + 2 / math.log2(3) + 1 / 2
    assert ndcg(ranked, grades) == pytest.approx((2 / math.log2(3) + 1 / 2) / best)
    assert ndcg(["a", "c", "b"], grades) == pytest.approx(1)
    assert [reciprocal_rank(ranked, right), reciprocal_rank(["x"], right)] == [0.5, 0]


def test_okapi_weighs_rare_words_and_floors_common_ones() -> None:
    """A word in most texts still counts a little, for a quarter of the mean idf; a rare one decides."""
    texts = [["a", "b"], ["a", "c"], ["a", "a"]]
    okapi = Okapi(texts)
    assert okapi.get_top_n(["c"], ["first", "second", "third"], 1) == ["second"]
    rare = math.log(2.5) - math.log(1.5)
    mean = (2 * rare + math.log(0.5) - math.log(3.5)) / 3
    weight = 0.25 * mean * 2 * 2.5 / (2 + 1.5)
    assert okapi._weights[2, 0] == pytest.approx(weight)
