"""Knows which characters may stand in a page: what a reader sees, not what steers a terminal or hides a message."""

import re
import unicodedata

_LINE_ENDS = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
# Scripts whose spelling needs joiners: Arabic, Syriac, N'Ko, the Indic scripts, Tibetan, Myanmar, Khmer, Mongolian.
_JOINING = "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua8e0-\ua8ff\ufb50-\ufdff\ufe70-\ufefc"
_PICTURE = "\u00a9\u00ae\u203c-\u3299\ufe0f\U0001f000-\U0001faff"
_KEPT = (
    rf"(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])"
    r"|(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca])[\u200c\u200d](?![\u200c\u200d])"
    rf"|(?<=[{_PICTURE}])\u200d(?=[{_PICTURE}])"
    # Flags of England, Scotland and Wales: letters in tags behind a black flag.
    r"|(?<=\U0001f3f4)[\U000e0061-\U000e007a]{1,6}\U000e007f"
)
# C0, DEL and C1 controls; soft hyphen; zero-width characters, direction marks, overrides and isolates; invisible
# operators; the byte order mark; annotations; tags, which can carry a whole hidden message; noncharacters; surrogates.
_UNSEEN = (
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufeff\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e00ff\U000e01f0-\U000e0fff\ud800-\udfff]"
)
_ANY = re.compile(_UNSEEN)
_STRIP = re.compile(rf"({_KEPT})|{_UNSEEN}")
# One variation selector chooses a glyph; a row of them spells bytes that nobody sees.
_SELECTORS = re.compile(r"([\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
_GAP = re.compile(r"\n{3,}")
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """Return `text` in NFC with line feeds for line ends, without controls, hidden and direction characters."""
    return unicodedata.normalize("NFC", visible(_LINE_ENDS.sub("\n", text)))


def visible(text: str) -> str:
    """Return `text` without characters that steer or hide; line feeds and tabs stay."""
    # Most texts hold none, and to look for one character is fifteen times quicker than to look around each.
    seen = _STRIP.sub(lambda found: found[1] or "", text) if _ANY.search(text) else text
    return _SELECTORS.sub(r"\1", seen)


def tidy(text: str) -> str:
    """Return cleaned Markdown without blanks at line ends and with at most one empty line in a row."""
    # Not a pattern such as " +$": it takes quadratic time on a long run of blanks.
    lines = "\n".join(line.rstrip() for line in clean(text).split("\n"))
    return _GAP.sub("\n\n", lines).strip("\n")


def one_line(text: str, most: int = 200) -> str:
    """Return `text` cleaned, on one line, cut at `most` characters."""
    line = _SPACE.sub(" ", clean(text)).strip()
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def has_text(text: str) -> bool:
    """Say whether there is anything to read: a letter or a digit."""
    return any(character.isalnum() for character in text)
