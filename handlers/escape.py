"""Knows how text from people, models and documents is made safe for Slack; it does not know where the text is shown.

Everything that we did not write ourselves passes here before it stands in a block. Slack reads `<`, `>` and `&` in
mrkdwn as its own syntax (`<!channel>` rings everyone), and hides text behind control and direction characters.
"""

import re
import unicodedata

SECTION_TEXT = 2900
"""Characters of one section: Slack takes 3,000, and escaping may be counted differently there."""

_KEEP = {"\n", "\t", "\u200c", "\u200d"}  # the joiners hold emoji and some scripts together
_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*|__(?=\S)(.+?)(?<=\S)__")
_LINK = re.compile(r"\[([^\]\n]{1,300})\]\((https?://[^\s()<>|]{1,2000})\)")
_ADDRESS = re.compile(
    r"(?P<code>`[^`\n]+`)|(?P<stray>`)"
    r"|(?:(?:\w[\w+.-]*:(?://|(?=\S+@))|www\.)[^\s<>`|]+|(?:[\w-]+\.)+[a-z]{2,}/[^\s<>`|]*|[\w.+-]+@[\w-]+\.[\w.-]+)"
    r"(?<![.,;:!?)\]])",
    re.IGNORECASE,
)
_FENCE = re.compile(r"`{2,}")
_TARGET = re.compile(r"!?\[([^\]\n]*)\]\(([^)\n]*)\)")
_DEFINITION = re.compile(r"^(\s*\[[^\]\n]*\]):", re.MULTILINE)  # what makes every later [mark] a link
_HEADING = re.compile(r"^#{1,6}\s+(.+)$", re.MULTILINE)
_BULLET = re.compile(r"^(\s*)[-*]\s+", re.MULTILINE)


def clean(text: str) -> str:
    """Return `text` without control, direction and other invisible characters; line breaks and tabs stay."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in unified if c in _KEEP or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"})


def shorten(text: str, limit: int) -> str:
    """Return `text`, cut to `limit` characters with a note of how many are missing."""
    if len(text) <= limit:
        return text
    keep = max(0, limit - len(f"… ({len(text):,} more characters)"))
    return f"{text[:keep]}… ({len(text) - keep:,} more characters)"


def plain(text: str, limit: int) -> str:
    """Return `text` for a plain_text object, a rich_text element or a table cell, where Slack reads no syntax."""
    return shorten(clean(text), limit)


def mrkdwn(text: str, limit: int = SECTION_TEXT) -> str:
    """Return `text` for a mrkdwn object; no mention, link or channel-wide ping in it survives.

    Cutting comes first, so that no entity is cut in two; the result may exceed `limit` only by its escapes.
    """
    room = limit
    safe = _entities(shorten(clean(text), room))
    while len(safe) > limit and room > 40:
        room -= max(len(safe) - limit, 1)
        safe = _entities(shorten(clean(text), max(room, 40)))
    return safe


def from_markdown(text: str, limit: int = SECTION_TEXT) -> str:
    """Return Markdown, as the guide and language models write it, as safe mrkdwn: bold, https links, bullets."""
    safe = mrkdwn(text, limit)
    safe = _HEADING.sub(r"**\1**", safe)
    safe = _BULLET.sub(r"\1• ", safe)
    safe = _BOLD.sub(lambda match: f"*{match[1] or match[2]}*", safe)
    return _LINK.sub(r"<\2|\1>", safe)


def inert(text: str, limit: int = SECTION_TEXT) -> str:
    """Return what passages say and language models write as mrkdwn: bold and bullets stay, and nothing is a link.

    An address is shown as code, so that Slack neither links nor fetches it; put the text into a `verbatim` object.
    """
    safe = mrkdwn(unlinked(text), limit)
    safe = _BULLET.sub(r"\1• ", _HEADING.sub(r"**\1**", safe))
    return _BOLD.sub(lambda match: f"*{match[1] or match[2]}*", safe)


def markdown(text: str) -> str:
    """Return the same for a `markdown` block and for text that is streamed, where links are written in other ways."""
    return _DEFINITION.sub(r"\1 :", _entities(unlinked(text)))


def unlinked(text: str) -> str:
    """Return Markdown whose links and pictures are their words, and whose addresses stand as code."""
    bare = _TARGET.sub(lambda link: f"{link[1]} {link[2]}".strip() if link[2] else link[1], clean(text))
    return _ADDRESS.sub(_as_code, _FENCE.sub("`", bare))


def _as_code(found: re.Match[str]) -> str:
    """Set an address in code of its own, also one that stood in code with other words; drop a mark without its pair."""
    if found["stray"]:
        return ""
    if not found["code"]:
        return f"`{found[0]}`"
    inner = found["code"][1:-1]
    return _ADDRESS.sub(_as_code, inner) if _ADDRESS.search(inner) else found["code"]


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
