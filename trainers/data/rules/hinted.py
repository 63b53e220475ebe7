"""Patterns that are only tried where one of their fixed words stands: a search for such a word is quick."""

import re


class Hinted:
    """A pattern over a text, tried only where the text in small letters holds one of its hints."""

    def __init__(self, hints: tuple[str, ...], pattern: "re.Pattern[str]") -> None:
        """Take words in small letters, one of which is in every match; without words the pattern is always tried."""
        self.hints, self.pattern = hints, pattern

    def found(self, text: str, lower: str) -> bool:
        """Say whether the pattern matches somewhere in a text, which is given in small letters too."""
        for hint in self.hints:
            if hint in lower:
                break
        else:
            if self.hints:
                return False
        return self.pattern.search(text) is not None
