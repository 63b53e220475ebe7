"""How a long text becomes a title, cut between words; it does not know what it names."""

from typing import Final

REVIEW_TITLE: Final = 120
"""Characters of a review's title: the head of its card has room for most tasks whole."""


def at_word(text: str, most: int) -> str:
    """Return a text on one line, of `most` characters at most: a longer one ends behind a whole word with an ellipsis.

    >>> at_word("Sort support tickets into billing, returns, technical, other", 44)
    'Sort support tickets into billing, returns…'
    """
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    kept = line[: most - 1]
    before = kept if line[most - 1] == " " else kept.rpartition(" ")[0]
    # One endless word has nowhere else to be cut.
    return (before if len(before) >= most // 2 else kept).rstrip(" ,;:.(–—-") + "…"
