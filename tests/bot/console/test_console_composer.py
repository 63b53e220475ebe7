"""What people type becomes Slack's text and rich text, and never markup that nobody meant."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.console.composer import compose, escaped
from bot.console.drafts import clean

PEOPLE = {"ada": "U0ADA", "ada obi": "U0ADA", "luthier": "U0LUTHIER"}


def parts(typed: str) -> list[Any]:
    return list(compose(typed, PEOPLE)["blocks"][0]["elements"])


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("@Luthier hi", "<@U0LUTHIER> hi"),
        ("hi @ada obi, and @Ada", "hi <@U0ADA>, and <@U0ADA>"),
        ("<@U0LUTHIER> hi", "<@U0LUTHIER> hi"),
        ("mail me@luthier.example", "mail me@luthier.example"),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("see https://x.y/a?b=1&c=2.", "see <https://x.y/a?b=1&amp;c=2>."),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<!channel>", "<!channel>"),
        ("<https://evil|click>", "&lt;<https://evil>|click&gt;"),
    ],
)
def test_text_is_escaped_with_its_entities(typed: str, text: str) -> None:
    """Mentions and addresses become entities; everything else is escaped."""
    assert compose(typed, PEOPLE)["text"] == text


def test_marks_become_styles() -> None:
    """Bold, italic, strike, code, quotes and fences are rich text; snake_case and 2*3*4 are not."""
    line = parts("*bold* _it_ ~no~ `x_y` snake_case_name 2*3*4")[0]["elements"]
    styled = {element["text"]: next(iter(element["style"])) for element in line if "style" in element}
    assert styled == {"bold": "bold", "it": "italic", "no": "strike", "x_y": "code"}
    kinds = [part["type"] for part in parts("a\n> quoted\n> more\nb\n```\ncode <b>\n```\nc")]
    assert kinds == [
        "rich_text_section",
        "rich_text_quote",
        "rich_text_section",
        "rich_text_preformatted",
        "rich_text_section",
    ]
    assert parts("```\ncode <b>\n```")[0]["elements"][0]["text"] == "code <b>"


def test_channels_and_everybody_can_be_called() -> None:
    """#name and @here become entities in the text and elements in the block; what is no channel stays as it is."""
    made = compose("@here see #general-2, #general and #nowhere", {}, {"general": "C0GENERAL"})
    assert made["text"] == "<!here> see #general-2, <#C0GENERAL|general> and #nowhere"
    kinds = [element["type"] for element in made["blocks"][0]["elements"][0]["elements"]]
    assert kinds == ["broadcast", "text", "channel", "text"]
    assert made["blocks"][0]["elements"][0]["elements"][2]["channel_id"] == "C0GENERAL"


def test_emoji_are_elements_of_their_own() -> None:
    """A known :name: carries its code point, and a tone of skin; code and unknown names stay text."""
    line = parts("ok :eyes: :wave::skin-tone-3: *:tada:* `:eyes:` :nope: 12:30:45")[0]["elements"]
    faces = [{key: element[key] for key in element if key != "type"} for element in line if element["type"] == "emoji"]
    assert faces == [
        {"name": "eyes", "unicode": "1f440"},
        {"name": "wave", "unicode": "1f44b", "skin_tone": 3},
        {"name": "tada", "unicode": "1f389", "style": {"bold": True}},
    ]
    assert flat([{"elements": line}]).endswith(":eyes: :nope: 12:30:45")


def flat(elements: list[Any]) -> str:
    return "".join(part["text"] for each in elements for part in each["elements"] if part["type"] == "text")


@given(st.text(alphabet="ab <>&\n", max_size=60))
def test_rich_text_says_what_was_typed(typed: str) -> None:
    """Without marks, the texts of the block are what was typed, quote marks aside; raw angles never reach the text."""
    made = compose(typed, {})
    assert "<" not in made["text"]
    assert ">" not in made["text"]
    if not any(line.startswith(">") for line in typed.splitlines()):
        assert flat(made["blocks"][0]["elements"]) == typed


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a & b", "a &amp; b"),
        ("a &amp; b", "a &amp; b"),
        ("1 < 2", "1 &lt; 2"),
        ("<@U0ADA> <!here> <#C0ASK> <https://x.y|z>", "<@U0ADA> <!here> <#C0ASK> <https://x.y|z>"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>"),
        ("at https://x.y/z.", "at <https://x.y/z>."),
        ("<https://x.y>", "<https://x.y>"),
    ],
)
def test_what_apps_send_keeps_its_entities(sent: str, kept: str) -> None:
    """An app's own escapes and entities stay; stray angles and ampersands are escaped."""
    assert clean(sent) == kept


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("assign @Ada in #fine-tuning", "assign <@U0ADA|ada> in <#C0TUNING|fine-tuning>"),
        ("a < b #fine-tuning-2 https://x.y", "a &lt; b #fine-tuning-2 <https://x.y>"),
        ("<@U0ADA> mail@ada.example", "<@U0ADA|ada> mail@ada.example"),
    ],
)
def test_commands_may_ask_for_escaped_text(typed: str, text: str) -> None:
    """With should_escape people and channels arrive as ids with names."""
    assert escaped(typed, PEOPLE, {"U0ADA": "ada", "C0TUNING": "fine-tuning"}) == text
