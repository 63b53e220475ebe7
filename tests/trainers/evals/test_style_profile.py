"""A set of texts is described by numbers that one can count by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.evals.style.profile import distinct_2, profile
from trainers.evals.style.text import sentences

LETTER = "Hi Anna,\nwe're glad it came! Did Dr. Low try it? Yours — Bo"


def test_worked_by_hand() -> None:
    """Four sentences of 2, 4, 5 and 2 words: 13 words, one exclamation is 1000/13 in a thousand."""
    found = profile([LETTER])
    assert sentences(LETTER) == ["Hi Anna,", "we're glad it came!", "Did Dr. Low try it?", "Yours — Bo"]
    assert found.words == 13
    assert found.words_per_sentence == pytest.approx(13 / 4)
    assert found.sentence_quantiles == (2, 2, 5)
    assert found.sentence_deviation == pytest.approx(1.299038)  # of 2, 4, 5, 2
    assert {name: round(rate * 13 / 1000) for name, rate in found.rates.items()} == {
        "questions": 1, "exclamations": 1, "em_dashes": 1, "semicolons": 0, "emoji": 0, "list_lines": 0, "headings": 0,
        "contractions": 1, "first_person": 1, "second_person": 1,
    }  # fmt: skip
    letters = sum(character.isalnum() or character == "'" for character in LETTER)
    assert found.characters_per_word == pytest.approx(letters / 13)
    assert found.readability == pytest.approx(4.71 * letters / 13 + 0.5 * 13 / 4 - 21.43)


def test_signs_are_counted() -> None:
    """Emoji, list lines and headings are told from words and digits."""
    found = profile(["# Title\n- one\n2. two\n🎸👍 3 - 2; it's don't let's Anna's\n#tag 10 -- 12"])
    counts = {name: round(rate * found.words / 1000) for name, rate in found.rates.items()}
    assert counts["headings"] == 1
    assert counts["list_lines"] == 2
    assert counts["emoji"] == 2
    assert counts["semicolons"] == 1
    assert counts["em_dashes"] == 1
    assert counts["contractions"] == 3


def test_habits_are_what_many_texts_share() -> None:
    """An opening of three texts in four is a habit, a closing of one is not."""
    found = profile(["Hi there, a b", "Hi there, c d", "Hi there, e f", "Well then, g h"])
    assert [(habit.phrase, habit.share) for habit in found.openings] == [("hi there", 0.75)]
    assert found.closings == ()


def test_distinct_2_by_hand() -> None:
    """Of the pairs ab, ba, ab, cd three are different; pairs do not cross texts."""
    assert distinct_2(["a b a b", "c d"]) == pytest.approx(3 / 4)
    assert distinct_2(["a", ""]) is None


@given(st.lists(st.text(max_size=80), max_size=5))
def test_any_texts_have_a_profile(texts: list[str]) -> None:
    """Whatever the texts, rates are not negative, and nothing is a mean of nothing."""
    found = profile(texts)
    assert (found.words == 0) == (found.words_per_text is None) == (found.readability is None)
    assert all(rate >= 0 for rate in found.rates.values())
