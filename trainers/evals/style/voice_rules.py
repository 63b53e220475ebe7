"""Which plain rules a brand's profile supports, for the style metric; none that its own texts often break.

What comes out is what `rules.read_rules` reads, so a person can edit it before it judges anything.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

from trainers.evals.style.profile import SIGNS
from trainers.evals.style.rules import read_rules
from trainers.evals.style.text import sentences, words
from trainers.evals.style.voice import Ending, VoiceProfile

_ALWAYS: Final = 0.9  # share of texts from which an opening or closing is a rule
_PHRASES: Final = 20
_ENOUGH: Final = 10  # texts from which the longest usual sentence can be told
_BROKEN: Final = 0.1  # share of the brand's own texts that may break a rule


def rules_for(made: VoiceProfile, texts: Sequence[str]) -> dict[str, Any]:
    """Return rules that at least nine in ten of the brand's own texts keep."""
    wanted: dict[str, Any] = {
        "never": [each.key for each in made.distinctive if each.value == 0 and each.key in SIGNS],
        "banned": [each.phrase for each in made.phrases.avoided if each.times == 0 and not each.subject][:_PHRASES],
        "opens_with": _phrases(made.openings),
        "closes_with": _phrases(made.closings),
    }
    if len(texts) >= _ENOUGH:
        wanted["max_sentence_words"] = _longest(texts)
    return {kind: value for kind, value in wanted.items() if value and _kept({kind: value}, texts)}


def _phrases(endings: Sequence[Ending]) -> list[str]:
    """Return the endings that together nearly every text has."""
    return [each.phrase for each in endings] if sum(each.share.value for each in endings) >= _ALWAYS else []


def _longest(texts: Sequence[str]) -> int:
    """Return words of a sentence that nine in ten texts never exceed."""
    longest = sorted(_longest_sentence(text) for text in texts)
    return max(1, longest[ceil((1 - _BROKEN) * len(longest)) - 1])


def _longest_sentence(text: str) -> int:
    return max((len(words(sentence)) for sentence in sentences(text)), default=1)


def _kept(rules: Mapping[str, Any], texts: Sequence[str]) -> bool:
    read = read_rules(rules)
    return all(sum(rule.kept(text) for text in texts) >= (1 - _BROKEN) * len(texts) for rule in read)
