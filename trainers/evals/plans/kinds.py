"""What kind of task a text describes, and the labels and fields that it names; it judges none of it."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from trainers.evals.plans.choices import Kind, kind_named

_NAMED = re.compile(
    r"\b(?:into|labels?|categor(?:y|ies)|queues?|class(?:es)?|one of|is|are|as|between|by\s+\w+(?=\s*[:(])"
    r"|(?:route|send|assign|forward)\w*\b[^.;:]{0,60}?\bto|(?:tag|mark|label)\w*\b[^.;:]{0,60}?\bwith)\b\s*"
    r"(?:(?:one of|either|the|these|those|our|following|\d+|two|three|four|five|six|seven|eight|nine|ten|twelve)\s+)*"
    r"(?:(?:\w+\s+)?(?:queues|labels|categories|classes|buckets|groups|topics|intents)\s*(?=[:(=]))?[:(=]*\s*"
    r"(?P<list>[^.;:()\n?]{3,600})",
    re.IGNORECASE,
)
_FIELDS = re.compile(
    r"\b(?:extract|pull out|capture|parse|find|read|json(?: object)? with|fields?:?|keys?:?)\s+"
    r"(?:the |all |these |following |fields?:? |out )*"
    r"(?P<list>[^.;:()\n?]{3,600})",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"\b(?:from|out of|as json|into|in json|to json|as a json|and (?:answer|return|reply|give|write)|so that"
    r"|for (?:our|the|my)|using|when|with)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_LABEL_ENDS = re.compile(
    r"\s+(?:so that|because|for (?:our|the|my)|using|when|while|which|who|we|in our|based on"
    r"|and (?:answer|return|reply|say))\b.*",
    re.IGNORECASE | re.DOTALL,
)
_SPLIT = re.compile(r"\s*(?:,\s*(?:and|or)\s+|,|;|\s/\s|/|\||\s+or\s+)\s*", re.IGNORECASE)
_LAST_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an?|the|their|its|either|any)\s+", re.IGNORECASE)
_MOST_WORDS = 4
_FOR_WHOM = re.compile(r"\s+(?:for|of|in|at|from) (?:an?|us|each|every|this)\b.*", re.IGNORECASE | re.DOTALL)


@cache
def _kinds() -> tuple[Kind, tuple[tuple[Kind, tuple[tuple[re.Pattern[str], int], ...]], ...]]:
    data: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("kinds.toml").read_text("utf-8"))
    rules = tuple(
        (kind_named(each["name"]), tuple((re.compile(text, re.IGNORECASE), points) for text, points in each["words"]))
        for each in data["kind"]
    )
    return kind_named(data["default"]), rules


def read_kind(task: str) -> tuple[Kind, str]:
    """Return the kind of task that a text describes and the words that said so; "" where none did."""
    default, rules = _kinds()
    best, most, why = default, 0, ""
    for kind, words in rules:
        found = [(match[0], points) for pattern, points in words if (match := pattern.search(task))]
        total = sum(points for _, points in found)
        if total > most:
            best, most, why = kind, total, max(found, key=lambda each: each[1])[0]
    return best, " ".join(why.split())[:60]


def read_labels(task: str) -> tuple[str, ...]:
    """Return the labels that a text lists, two or more, in its own spelling; nothing where it lists none."""
    for match in _NAMED.finditer(task):
        items = _items(_LABEL_ENDS.sub("", match["list"]))
        if len(items) >= 2:
            return items
    return ()


def read_fields(task: str) -> tuple[str, ...]:
    """Return the fields that a text asks to extract; nothing where it names none."""
    for match in _FIELDS.finditer(task):
        items = _items(_ENDS.sub("", match["list"]))
        if len(items) >= 2 or (items and "," not in match["list"] and len(items[0].split()) <= 3):
            return items
    return ()


def _items(text: str) -> tuple[str, ...]:
    """Split a list in words; nothing where a part is too long to be a name."""
    parts = [part for part in _SPLIT.split(text.strip()) if part]
    parts = [*parts[:-1], *_LAST_AND.split(parts[-1])] if parts else []
    if len(parts) > 1 and len(parts[-1].split()) > _MOST_WORDS:  # no name: `other for a vet clinic`
        parts[-1] = _FOR_WHOM.sub("", parts[-1])
    names = [_ARTICLE.sub("", part).strip(" \"'`*.!-–—") for part in parts]
    if any(len(name.split()) > _MOST_WORDS or not any(map(str.isalnum, name)) for name in names):
        return ()
    return tuple(dict.fromkeys(names))
