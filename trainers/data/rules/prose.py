"""What counts as text that somebody wrote: it is not blank, however blank looks, and it is not code."""

import re
import unicodedata

_CODE = re.compile(
    r"```|^\s*(?:def |class |import |from \w+ import |SELECT |INSERT |UPDATE |CREATE |function |const |let |var "
    r"|#include|public |private |return |if \(|for \(|\$ )|[;{]\s*$|=>|</\w+>",
    re.MULTILINE,
)
_THOUGHT = re.compile(r"<(think|thinking|reasoning|scratchpad)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_LOOKED_AT = 4000


def is_code(text: str) -> bool:
    """Say whether a text is a program, a query or markup rather than prose."""
    return _CODE.search(text[:_LOOKED_AT]) is not None


def is_blank(text: str) -> bool:
    """Say whether nothing is said: white space, characters of no width, and thoughts without an answer after them.

    >>> is_blank("\\u200b \\u00a0"), is_blank("<think>\\n\\n</think>\\n"), is_blank("0")
    (True, True, False)
    """
    said = _THOUGHT.sub("", text) if "<" in text else text
    return not any(unicodedata.category(sign)[0] not in "ZC" for sign in said[:_LOOKED_AT])
