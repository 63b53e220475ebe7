"""One order from keywords and vectors, and the short forms of chat in a question."""

import pytest

from knowledge.fusion import KEYWORDS, PAGE, fuse
from knowledge.short_forms import spelled_out


def test_what_both_found_beats_the_best_of_one() -> None:
    """Good in both lists beats first in one; scores are those of the formula."""
    scores = fuse({"a": 4.0, "b": 3.0}, {"c": 0.6, "b": 0.5, "d": 0.2})
    assert max(scores, key=lambda key: scores[key]) == "b"
    own = KEYWORDS * 3 / 4 + (1 - KEYWORDS) * 0.3 / 0.4
    assert scores["b"] == pytest.approx(own * (1 + PAGE / 3))


def test_a_page_of_good_passages_lifts_each_of_them() -> None:
    """Of two equally good passages the one wins whose page has more that fits."""
    near = {"w/guide/p#x-0": 0.5, "w/guide/q#x-0": 0.5, "w/guide/q#y-0": 0.4, "w/guide/r#x-0": 0.1}
    scores = fuse({}, near)
    assert scores["w/guide/q#x-0"] > scores["w/guide/p#x-0"] > scores["w/guide/r#x-0"]


def test_a_long_page_wins_by_no_more_than_three_passages() -> None:
    """Twenty middling passages support a page no more than three of them do."""
    few = fuse({}, {**{f"p#{n}": 0.4 for n in range(3)}, "q#0": 0.9, "r#0": 0.1})
    many = fuse({}, {**{f"p#{n}": 0.4 for n in range(20)}, "q#0": 0.9, "r#0": 0.1})
    assert many["p#0"] == pytest.approx(few["p#0"])


@pytest.mark.parametrize(
    ("by_keyword", "near"),
    [({}, {}), ({"a": 2.0}, {}), ({}, {"a": 0.3}), ({}, {"a": 0.3, "b": 0.3}), ({"a": 0.0}, {"a": -0.2})],
)
def test_one_list_or_none_is_enough(by_keyword: dict[str, float], near: dict[str, float]) -> None:
    """Nothing found, one list alone, or scores that are all alike give finite scores for all that was found."""
    scores = fuse(by_keyword, near)
    assert set(scores) == {*by_keyword, *near}
    assert all(0 <= score <= 1 + PAGE for score in scores.values())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("can ppl train w/o a gpu", "can people train without a gpu"),
        ("train it b4 launch, pls!", "train it before launch, please!"),
        ("MS vs LLM", "MS versus LLM"),
        ("see https://example.org/docs/llm", "see https://example.org/docs/llm"),
        ("the full-docs-site and docs/readme", "the full-docs-site and docs/readme"),
        ("", ""),
    ],
)
def test_short_forms_are_spelled_out(typed: str, meant: str) -> None:
    """Lower-case chat forms are written in full; names, addresses and parts of longer words stay."""
    assert spelled_out(typed) == meant
