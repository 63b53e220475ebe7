"""Makes up short texts that a field's pattern takes, within bounds on what a pattern may cost; it knows no fields."""

import random
import re
import warnings
from typing import Final

from rstr import Rstr

_MOST: Final = 120
"""Characters of a pattern that is tried, and of a text that is kept."""

_MOST_REPEATS: Final = 10_000
"""Times that the innermost part of nested repeats may stand in a text."""

_DRAWN: Final = 40
_KEPT: Final = 16
_REPEAT = re.compile(r"(?<!\\)(?:[*+]|\{(\d*)(?:,(\d*))?\})")
_DEAR = re.compile(r"\(\?(?!:)|\\[uUxNpP1-9]")
"""Looking around, which may take for ever to fail, references, and ranges over all of Unicode."""

_ENDLESS: Final = 100  # what rstr takes for `*` and `+`


def texts_like(pattern: str, seed: int = 7) -> list[str]:
    """Return a few texts that match `pattern`, shortest first; none where it is too costly or not understood."""
    if len(pattern) > _MOST or not pattern.isascii() or _DEAR.search(pattern) or _repeats(pattern) > _MOST_REPEATS:
        return []
    try:
        with warnings.catch_warnings(action="error"):  # Python warns of patterns that it may read otherwise one day
            found = re.compile(pattern)
        drawn = [Rstr(random.Random(seed + at)).xeger(found) for at in range(_DRAWN)]  # noqa: S311  # no secret
    except (re.error, FutureWarning, KeyError, ValueError, IndexError, RecursionError):  # what rstr does not know
        return []
    fitting = {text for text in drawn if text.strip() == text != "" and text.isprintable() and len(text) <= _MOST}
    return sorted((text for text in fitting if found.search(text)), key=lambda text: (len(text), text))[:_KEPT]


def _repeats(pattern: str) -> int:
    """Bound how often the innermost part may be repeated: all counts multiplied, as if each stood in the next."""
    times = 1
    for found in _REPEAT.finditer(pattern):
        least, most = found.groups()
        number = int(most or least or _ENDLESS) if most != "" else _ENDLESS
        times *= min(max(number, 1), 10 * _MOST_REPEATS)
    return times
