"""Reading facts from free English text without a model; it knows words and negation, and nothing of weights or answers.

The words themselves are data in vocabulary.toml. Every fact that is read comes with the span of text that shows it.
"""

import functools
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.advice import numbers
from knowledge.advice.facts import NUMBERS, Facts, Value, from_mapping
from knowledge.advice.rubric import word

MAX_CHARACTERS = 8_000
"""Longer messages are read up to here; a use case is described in far less."""

_NEGATION_BEFORE = re.compile(
    r"(?:\b(?:no|not|never|without|none|neither|nor|nobody|nothing|cannot|hardly|lacks?|lacking|rather than"
    r"|instead of)\b"
    r"(?! (?:only|just|matter|least|doubt|longer|more than|until))|n't\b(?! (?:only|just)))(?:\s+[\w'/-]+){0,4}\s*$"
)
_NEGATION_AFTER = re.compile(
    r"^(?:\s+[\w'/-]+){0,3}?\s+"
    r"(?:(?:is|are|was|were|do|does|would|will) ?(?:not|n't)|isn't|aren't|don't|doesn't|never)"
    r"\s+(?:\w+\s+)?(?:need|needed|required|necessary|important|matter|relevant|wanted"
    r"|an? (?:must|concern|requirement|problem|issue))\b"
    r"|^\s+(?:is|are) (?:unnecessary|optional|irrelevant)"
)
_DOUBT = re.compile(r"\b(?:not sure|unsure|unclear|don't know|do not know|no idea|undecided|wonder)\b[^.,;]{0,40}$")
_CLAUSE_START = re.compile(r",|\(|\)|:|\s-\s|\b(?:but|however|although|though|yet|because|while|so that|whereas)\b"
                           r"|\band (?=(?:must|we|it|the|they|should|has|have|is|are|needs?|users?|i)\b)")  # fmt: skip
_SENTENCE = re.compile(r"(?:[^.;!?\n]|\.(?=\w)){1,600}+")  # cut, so that a text without full stops stays cheap
_STRAIGHT = str.maketrans("’‘“”–—‑\u00a0\t", "''\"\"---  ")


class Found(NamedTuple):
    """One reading of one fact."""

    fact: str
    value: Value
    start: int
    end: int
    """Position in the text, in characters."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a text says about a use case."""

    facts: Facts
    evidence: Mapping[str, str]
    """The words of the text that show each fact."""
    spans: Mapping[str, tuple[int, int]]
    """Where those words stand, in characters."""
    conflicts: tuple[str, ...]
    """Facts that the text states in two ways; the later statement counts."""
    truncated: bool
    """The text was longer than MAX_CHARACTERS and was read only up to there."""
    language_supported: bool
    """Whether the text looks like English, the one language this reader knows."""
    beaten: Mapping[str, Value] = field(default_factory=dict)
    """Of conflicts, the value that was stated first and did not count; a reader may not know it."""
    read_by: str = ""
    """Name of the language model that read it, if one did."""
    notes: tuple[str, ...] = ()
    """What people should know about how it was read."""


Reader = Callable[[str], Reading]
"""Reads the facts that a text states; never raises for any text."""


@dataclass(frozen=True, kw_only=True)
class _Pattern:
    expression: re.Pattern[str]
    value: Value | None
    """The value that a match shows; None: read the number in it."""
    scale: float
    least: float


@dataclass(frozen=True, kw_only=True)
class _FactWords:
    fact: str
    patterns: tuple[_Pattern, ...]
    negated: Value | None
    """What a negated match shows; None drops it."""
    heeds_negation: bool
    """Whether negation before or after a match is looked at."""
    unless: re.Pattern[str] | None
    pick: str
    order: tuple[str, ...]
    rates: tuple[re.Pattern[str], ...]
    targets: tuple[re.Pattern[str], ...]
    rates_unless: re.Pattern[str] | None


def read(text: str) -> Reading:
    """Read the facts that a text states; never raises, and reads nothing where nothing is stated."""
    lowered = without_orders(straightened(text[:MAX_CHARACTERS]))
    chosen: dict[str, Found] = {}
    beaten: dict[str, Value] = {}
    for words in _vocabulary():
        found = sorted(_find(words, lowered), key=lambda each: each.start)
        if found:
            chosen[words.fact] = _pick(words, found)
        if words.pick == "last":
            beaten |= {each.fact: each.value for each in found if each.value != chosen[words.fact].value}
    settle(chosen)
    return Reading(
        facts=from_mapping({fact: each.value for fact, each in chosen.items()}),
        evidence={fact: text[each.start : each.end].strip() for fact, each in chosen.items()},
        spans={fact: (each.start, each.end) for fact, each in chosen.items()},
        conflicts=tuple(beaten),
        truncated=len(text) > MAX_CHARACTERS,
        language_supported=_is_english(lowered),
        beaten=beaten,
    )


def without_orders(lowered: str) -> str:
    """Blank out sentences that give us orders ("ignore your rubric …"): they tell nothing of a case. Length is kept."""
    orders: re.Pattern[str] = re.compile(raw_vocabulary()["orders"])
    return orders.sub(lambda match: " " * len(match.group()), lowered)


def told(text: str) -> str:
    """Return a text as it is written, up to MAX_CHARACTERS, with blanks where it gives us orders. Length is kept."""
    text = text[:MAX_CHARACTERS]
    left = without_orders(straightened(text))
    return "".join(" " if blank == " " else char for char, blank in zip(text, left, strict=True))


@functools.cache
def raw_vocabulary() -> dict[str, Any]:
    """Give vocabulary.toml as it is written."""
    return tomllib.loads((Path(__file__).parent / "vocabulary.toml").read_text("utf-8"))


@functools.cache
def expand(pattern: str) -> str:
    """Replace the {names} of word lists by what they stand for; raises KeyError for a name that is not there."""
    words = raw_vocabulary()["words"]

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        return rf"(?<![\w.,])(?:{numbers.PATTERN})" if name == "n" else expand(words[name])

    return re.sub(r"\{([a-z]+)\}", replace, pattern)


def straightened(text: str) -> str:
    """Lower-case and straighten a text character by character, so that positions stay those of the original."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text.translate(_STRAIGHT))


@functools.cache
def _vocabulary() -> tuple[_FactWords, ...]:
    return tuple(_fact_words(fact, entry) for fact, entry in raw_vocabulary()["facts"].items())


def _fact_words(fact: str, entry: Mapping[str, Any]) -> _FactWords:
    settings = ("pick", "order", "negated", "unless", "number", "percent", "target", "percent_unless")
    patterns = [
        _Pattern(expression=_compile(match), value=_value(fact, key), scale=1.0, least=0.0)
        for key, matches in entry.items()
        if key not in settings
        for match in matches
    ]
    for each in entry.get("number", ()):
        expression = _compile(each["match"].replace("{n}", "(?P<n>{n})", 1))
        patterns.append(_Pattern(expression=expression, value=None, scale=each["scale"], least=each.get("least", 0)))
    negated = entry.get("negated", "false")
    return _FactWords(
        fact=fact,
        patterns=tuple(patterns),
        negated=None if negated in ("skip", "ignore") else _value(fact, negated),
        heeds_negation=negated != "ignore",
        unless=_compile(entry["unless"]) if "unless" in entry else None,
        pick=entry.get("pick", "last"),
        order=tuple(entry.get("order", ())),
        rates=tuple(_compile(each) for each in entry.get("percent", ())),
        targets=tuple(_compile(each) for each in entry.get("target", ())),
        rates_unless=_compile(entry["percent_unless"]) if "percent_unless" in entry else None,
    )


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(expand(pattern))


def _value(fact: str, key: str) -> Value:
    if fact in NUMBERS:
        return int(key)
    return key == "true" if key in ("true", "false") else key


def _find(words: _FactWords, text: str) -> Iterator[Found]:
    for sentence in _SENTENCE.finditer(text):
        part, offset = sentence.group(), sentence.start()
        for pattern in words.patterns:
            for match in pattern.expression.finditer(part):
                value = _shown(words, pattern, match, part)
                if value is not None:
                    yield Found(words.fact, value, offset + match.start(), offset + match.end())
    if words.rates:
        yield from _measured(words, text)


def _shown(words: _FactWords, pattern: _Pattern, match: re.Match[str], sentence: str) -> Value | None:
    if words.unless and words.unless.search(sentence[max(0, match.start() - 60) : match.end() + 15]):
        return None
    if pattern.value is None:
        number = numbers.parse(match.group("n"))
        return None if number is None or number < pattern.least else round(number * pattern.scale)
    before, after = _CLAUSE_START.split(sentence[: match.start()])[-1], sentence[match.end() :]
    if _DOUBT.search(before):
        return None
    if words.heeds_negation and (_NEGATION_BEFORE.search(before) or _NEGATION_AFTER.search(after)):
        return words.negated if pattern.value != words.negated and pattern.value is not False else None
    return pattern.value


def _measured(words: _FactWords, text: str) -> Iterator[Found]:
    """Compare measured rates ("gets 71%") with the target ("we need 95%"), or with 100 where none is named."""
    named = [_rate(match.group()) for target in words.targets for match in target.finditer(text)]
    near = 0.9 * (max(named) if named else 100.0)
    for expression in words.rates:
        for match in expression.finditer(text):
            before = re.split(r"[.;!?\n](?!\d)", text[max(0, match.start() - 60) : match.end()])[-1]
            if not (words.rates_unless and words.rates_unless.search(before)):
                yield Found(words.fact, _rate(match.group()) >= near, match.start(), match.end())


def _rate(text: str) -> float:
    """Give the rate at the end of a match, in percent: "71%", "BLEU 70", "19 of 20"."""
    ratio = re.search(r"(\d+) (?:out )?of (\d+)$", text)
    if ratio:
        return 100.0 * float(ratio.group(1)) / max(1.0, float(ratio.group(2)))
    return float(re.findall(r"\d+(?:\.\d+)?", text)[-1])


def _pick(words: _FactWords, found: list[Found]) -> Found:
    if words.order:
        return max(found, key=lambda each: words.order.index(word(each.value)))
    if words.pick == "max":
        return max(found, key=lambda each: float(each.value))
    if words.pick == "first":
        return found[0]
    return found[-1]


def settle(chosen: dict[str, Found]) -> None:
    """Add what follows from the facts read, and let one number in the text count for one thing only."""
    for rule in raw_vocabulary()["implies"]:
        shown = chosen.get(rule["fact"])
        if shown and rule["then"] not in chosen and word(shown.value) in rule["values"]:
            chosen[rule["then"]] = shown._replace(fact=rule["then"], value=True)
    size, examples = chosen.get("corpus_tokens"), chosen.get("labelled_examples")
    if size and examples and size.start < examples.end and examples.start < size.end:
        del chosen["corpus_tokens"]


def _is_english(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    if letters and sum(char.isascii() for char in letters) < 0.7 * len(letters):
        return False
    tokens = re.findall(r"[^\W\d_]+(?:'[a-z]+)?", text)
    common = set(raw_vocabulary()["language"]["english"].split())
    return len(tokens) < 6 or sum(token in common for token in tokens) >= 0.12 * len(tokens)
