"""What a task about refusing names as refused, and which recipes know it; it judges no request."""

import re
from collections.abc import Sequence
from typing import Final

from trainers.evals.drafts.recipe import Recipe, recipe

_CLAUSE: Final = re.compile(
    r"\b(?:refus(?:e|es|ing)|declin(?:e|es|ing)|reject(?:s|ing)?|say no to)\b\s*(?P<list>[^.;:!?\n]+)", re.IGNORECASE
)
_ENDS: Final = re.compile(
    r"(?:,|\band|\bbut|,\s*(?:and|but))\s+(?:\w+ly\s+)?(?:answer|help|allow|explain|say|tell|reply|offer|point|do|be|keep"
    r"|send|suggest)\b.*|\b(?:while|instead|because|when|if|unless|except|without|so that|from|in)\b.*",
    re.IGNORECASE,
)
_SPLIT: Final = re.compile(r"\s*,\s*(?:and|or)\s+|\s*[,/]\s*|\s+(?:and|or)\s+", re.IGNORECASE)
_KIND: Final = (
    r"(?:requests?|questions?|quer(?:y|ies)|messages?|prompts?|topics?|enquir(?:y|ies)|inquir(?:y|ies)|matters?)"
)
_LEAD: Final = re.compile(
    r"^(?:(?:to\s+(?:give|answer|help|talk|speak|discuss|comment|write|provide|offer|explain|do)|(?:giving|answering|helping"
    rf"|discussing)|any|all|every|the|a|an|our|their|users?'?|customers?'?|{_KIND}|for|about|on|of"
    r"|with|to|that ask)\s+)+",
    re.IGNORECASE,
)
_TAIL: Final = re.compile(rf"(?:\s+(?:{_KIND}|\w+ly))+$|^{_KIND}$", re.IGNORECASE)
_MOST_WORDS: Final = 5


def refused_things(task: str) -> tuple[str, ...]:
    """Return what a task says is to be refused, in its own words; nothing where it names no particular thing."""
    listed = [_SPLIT.split(_ENDS.sub("", found["list"])) for found in _CLAUSE.finditer(task)]
    things = dict.fromkeys(_bare(item) for items in listed for item in items)
    return tuple(each for each in things if each and len(each.split()) <= _MOST_WORDS and not _vague(each))


def unknown_things(task: str) -> tuple[str, ...]:
    """Return what a task says is to be refused and no recipe knows."""
    return tuple(each for each in refused_things(task) if not _topics(each))


def topics_of(task: str) -> list[Recipe]:
    """Return the topics of all that is refused; none where no recipe knows any of it.

    A task that names nothing in particular has the topic that most of its words name, else what nobody may be told.
    """
    things = refused_things(task)
    if not things:
        return [_best(task)]
    return [topic for topic in recipe("refusals")["topic"] if any(topic in _topics(each) for each in things)]


def _bare(item: str) -> str:
    return _TAIL.sub("", _LEAD.sub("", item.strip())).strip(" '\"\u201c\u201d")


def _vague(thing: str) -> bool:
    """Say whether words name no particular thing: `harmful requests`, `anything off-topic`."""
    spoken = _spoken(thing)
    return any(f" {word} " in spoken for word in recipe("refusals")["general"]["vague"])


def _topics(thing: str) -> list[Recipe]:
    spoken = _spoken(thing)
    return [topic for topic in recipe("refusals")["topic"] if any(f" {word} " in spoken for word in topic["words"])]


def _best(task: str) -> Recipe:
    topics: Sequence[Recipe] = recipe("refusals")["topic"]
    spoken = _spoken(task)
    points = [sum(f" {word} " in spoken for word in topic["words"]) for topic in topics]
    return topics[points.index(max(points))] if max(points) else topics[-1]


def _spoken(text: str) -> str:
    """Return the words of a text alone, small, with a space on either side."""
    return f" {' '.join(''.join(sign if sign.isalnum() else ' ' for sign in text.lower()).split())} "
