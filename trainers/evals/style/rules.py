"""A house style as plain rules, each kept or broken by one text; it knows literal phrases and counts, no patterns.

Rules come from people who do not know regular expressions, or who know them too well: a pattern can take for ever.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from knowledge.errors import UserError
from trainers.evals.style.limits import limits
from trainers.evals.style.profile import SIGNS
from trainers.evals.style.text import seen, sentences, words

_PHRASES = {"banned": "never says", "required": "says", "opens_with": "opens with", "closes_with": "closes with"}
_COUNTS = {"max_sentence_words": "words in a sentence", "max_words": "words", "min_words": "words"}
_CLOSING_LINES = 2  # a sign-off and a name under it
_KINDS = (*_PHRASES, *_COUNTS, "never")


class Rule(NamedTuple):
    """One rule."""

    kind: str
    """One of banned, required, opens_with, closes_with, max_sentence_words, max_words, min_words, never."""
    phrases: tuple[str, ...]
    """Phrases or, for never, one name of `profile.SIGNS`; of several openings or closings one is enough."""
    limit: int = 0
    """For counts: how many at most, or at least."""

    @property
    def name(self) -> str:
        """The rule in words: `never says "cheap"`, `at most 20 words in a sentence`."""
        if self.kind in _COUNTS:
            return f"at {'least' if self.kind == 'min_words' else 'most'} {self.limit} {_COUNTS[self.kind]}"
        if self.kind == "never":
            return f"no {self.phrases[0].replace('_', ' ')}"
        quoted = [f'"{phrase}"' for phrase in self.phrases]
        return f"{_PHRASES[self.kind]} {' or '.join(quoted)}"

    def kept(self, text: str) -> bool:
        """Say whether a text keeps the rule; phrases are compared by words, whatever the case and the spaces."""
        if self.kind in _COUNTS:
            return self._counted(text)
        if self.kind == "never":
            return SIGNS[self.phrases[0]](seen(text)) == 0
        if self.kind in ("banned", "required"):
            return _says(seen(text), self.phrases[0]) is (self.kind == "required")
        return any(_stands_at_end(text, phrase, self.kind) for phrase in self.phrases)

    def _counted(self, text: str) -> bool:
        if self.kind == "max_sentence_words":
            return max((len(words(sentence)) for sentence in sentences(text)), default=0) <= self.limit
        said = len(words(text))
        return said >= self.limit if self.kind == "min_words" else said <= self.limit


def read_rules(given: object) -> tuple[Rule, ...]:
    """Read rules from plain data, such as `{"banned": ["cheap"], "opens_with": ["Hi", "Hello"], "max_words": 80}`.

    Raises UserError for unknown kinds, empty or overlong phrases, counts below 1 and too many rules.
    """
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        raise _refusal("the rules are not a table of kinds", f"Use the kinds {', '.join(_KINDS)}.")
    rules = tuple(rule for kind, value in given.items() for rule in _read(str(kind), value))
    if len(rules) > limits("rules")["most"]:
        raise _refusal(f"there are {len(rules)} rules", f"Keep the {limits('rules')['most']} that matter most.")
    return rules


def _read(kind: str, value: object) -> list[Rule]:
    if kind in _COUNTS:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise _refusal(f"{kind} is not a whole number from 1", "Give a number such as 20.")
        return [Rule(kind, (), value)]
    if kind not in _PHRASES and kind != "never":
        raise _refusal(f"I don't know the kind {kind[:40]!r}", f"Use one of {', '.join(_KINDS)}.")
    phrases = _read_phrases(kind, value)
    if kind == "never" and (unknown := [phrase for phrase in phrases if phrase not in SIGNS]):
        raise _refusal(f"I can't count {unknown[0][:40]!r}", f"Use one of {', '.join(SIGNS)}.")
    if kind in ("opens_with", "closes_with"):
        return [Rule(kind, phrases)]
    return [Rule(kind, (phrase,)) for phrase in phrases]


def _read_phrases(kind: str, value: object) -> tuple[str, ...]:
    given: Sequence[Any] = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    phrases = tuple(" ".join(phrase.split()) for phrase in given if isinstance(phrase, str))
    most = limits("rules")["phrase"]
    if not phrases or len(phrases) != len(given) or not all(0 < len(phrase) <= most for phrase in phrases):
        raise _refusal(f"{kind} is not a list of phrases", f"Give phrases of 1 to {most} characters.")
    return phrases


def _refusal(what: str, next_step: str) -> UserError:
    return UserError(f"I can't use these style rules: {what}.", next_step)


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())


def _says(text: str, phrase: str) -> bool:
    """Say whether a phrase stands in a text and is not part of a longer word there."""
    said, wanted = _folded(text), _folded(phrase)
    at = said.find(wanted)
    while at >= 0:
        before, after = said[at - 1 : at], said[at + len(wanted) : at + len(wanted) + 1]
        if not (_joined(before, wanted[0]) or _joined(wanted[-1], after)):
            return True
        at = said.find(wanted, at + 1)
    return False


def _joined(one: str, other: str) -> bool:
    return one.isalnum() and other.isalnum()


def _stands_at_end(text: str, phrase: str, kind: str) -> bool:
    """Say whether the first line opens with a phrase, or one of the last two lines does or the text ends with it."""
    lines = [line for line in text.splitlines() if line.strip()] or [""]
    if kind == "opens_with":
        return _opens(lines[0], phrase)
    said, wanted = _folded(lines[-1]).rstrip(" .!"), _folded(phrase).rstrip(" .!")
    return any(_opens(line, phrase) for line in lines[-_CLOSING_LINES:]) or (
        said.endswith(wanted) and not _joined(said[-len(wanted) - 1 : -len(wanted)], wanted[:1])
    )


def _opens(line: str, phrase: str) -> bool:
    said, wanted = _folded(seen(line)), _folded(phrase)
    return said.startswith(wanted) and not _joined(wanted[-1], said[len(wanted) : len(wanted) + 1])
