"""A pattern that is tried only beside one of its words misses nothing: every text that it matches has such a word."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainers.data.rules import genre, refusing, wording
from trainers.data.rules.hinted import Hinted

_NAMED = {**vars(wording), **vars(refusing), **dict(genre._TRAITS)}
PATTERNS = {name: value for name, value in _NAMED.items() if isinstance(value, Hinted)}
"""Every pattern of the rules with its words."""


@pytest.mark.parametrize("name", PATTERNS)
@given(data=st.data())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_what_a_pattern_matches_has_one_of_its_words(name: str, data: st.DataObject) -> None:
    """Texts are drawn from the pattern itself, so each of its alternatives is tried."""
    hinted = PATTERNS[name]
    drawn = data.draw(
        st.from_regex(
            hinted.pattern, alphabet=st.characters(max_codepoint=0x17F, exclude_characters="\u017f\u0130\u0131")
        )
    )
    assert hinted.found(drawn, drawn.lower()) is (hinted.pattern.search(drawn) is not None)


def test_without_its_words_a_pattern_is_not_tried() -> None:
    """That is the point of it; without words it is always tried."""
    assert not Hinted(("b",), re.compile("a")).found("a", "a")
    assert Hinted((), re.compile("a")).found("a", "a")


TEXTS = {
    "slang": "Yeah, that's gonna work.",
    "no mark at the end": "It is on its way",
    "legal words": "The seller shall indemnify the buyer hereunder.",
    "formal phrases": "We regret that it broke.",
    "repeated marks": "It broke!!",
}


@pytest.mark.parametrize("name", TEXTS)
def test_traits_of_a_text_are_named(name: str) -> None:
    """Each manner is told by a text that has it, and a plain sentence has none of these."""
    assert name in genre._traits(TEXTS[name])
    assert not set(TEXTS) & set(genre._traits("The parcel reached the depot this morning."))
