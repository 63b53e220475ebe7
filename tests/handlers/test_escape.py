"""Text of others is harmless, and says how much of it is missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.escape import clean, from_markdown, mrkdwn, plain, shorten
from handlers.people import spoken


@given(st.text(), st.integers(min_value=60, max_value=400))
def test_no_text_leaves_mrkdwn_syntax_or_exceeds_its_limit(text: str, limit: int) -> None:
    """Whatever is written, no angle bracket of Slack's syntax survives, and the length holds."""
    safe = mrkdwn(text, limit)
    assert "<" not in safe
    assert ">" not in safe
    assert len(safe) <= limit


@given(st.text(min_size=1), st.integers(min_value=60, max_value=400))
def test_shortened_text_accounts_for_every_character(text: str, limit: int) -> None:
    """What is shown and what is said to be missing add up to the whole."""
    long = text * (limit // len(text) + 2)
    cut = shorten(long, limit)
    shown, _, missing = cut.rpartition("… (")
    assert len(cut) <= limit
    assert len(shown) + int(missing.split(" ")[0].replace(",", "")) == len(long)


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\x00", "\x1b", "\ufeff"])
def test_hidden_characters_are_removed(hidden: str) -> None:
    """Direction, zero-width and control characters do not reach a reader."""
    assert clean(f"a{hidden}b\r\nc") == "ab\nc"
    assert plain(f"a{hidden}b", 10) == "ab"


def test_emoji_sequences_survive() -> None:
    """A family emoji is held together by joiners and stays whole."""
    assert clean("👩\u200d👧") == "👩\u200d👧"


def test_markdown_becomes_mrkdwn() -> None:
    """Bold, headings, bullets and https links are shown; other links and pings are not obeyed."""
    text = "## Memory\n- **QLoRA** needs [6 GB](https://example.com/a?b=1&c=2)\n[x](javascript:alert(1)) <!here>"
    assert from_markdown(text) == (
        "*Memory*\n• *QLoRA* needs <https://example.com/a?b=1&amp;c=2|6 GB>\n[x](javascript:alert(1)) &lt;!here&gt;"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<@U0LUTHIER> what is <https://a.example|LoRA>?", "what is LoRA?"),
        ("<@U0LUTHIER|luthier> a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("see <https://a.example/x> <@U0BEN> <!channel> <#C1|general>", "see https://a.example/x"),
    ],
)
def test_a_message_is_read_without_slacks_markup(text: str, words: str) -> None:
    """Mentions go, links become their label, entities are undone once."""
    assert spoken(text, "U0LUTHIER") == words
