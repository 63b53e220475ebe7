"""Whether an answer says that it cannot answer, or opens with a yes or a no; it does not know whether it should."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from trainers.evals.style.text import sentences, words

_BARE = re.compile(r"\W*(yes|no)(?:\s*[,.;:!—–-]|\s*$)", re.IGNORECASE)


def abstains(text: str) -> bool:
    """Say whether a text is an abstention: it says so in its first sentence, or anywhere if it is short.

    "I don't know, but ..." is an answer. English phrases alone are known (abstain.toml).
    """
    said = sentences(text)
    told = said[:1] if len(words(text)) > _lists()["longest"] else said
    return any(_gives_up(words(sentence)) for sentence in told)


def yes_or_no(expected: str) -> str:
    """Return `yes` or `no` if that is what an expected answer says first, with a stop after it; else nothing."""
    found = _BARE.match(expected)
    return found[1].casefold() if found else ""


def says(output: str, wanted: str, *, elsewhere: bool) -> bool:
    """Say whether an answer says `wanted`, yes or no.

    Without either word at its start a negation in its first sentence is a no; its absence is a yes only if what is
    affirmed is checked `elsewhere`.
    """
    said = words((sentences(output) or [""])[0])
    opening = next((name for name in ("yes", "no") if said and said[0] in _lists()[name]), "")
    if opening:
        return opening == wanted
    denied = any(word in _lists()["no"] or word.endswith("n't") for word in said)
    return denied if wanted == "no" else elsewhere and bool(said) and not denied


def _gives_up(said: list[str]) -> bool:
    sentence = f" {' '.join(said)} "
    known = [*_lists()["phrases"], *(_lists()["of_sources"] if not _lists()["sources"].isdisjoint(said) else ())]
    for phrase in known:
        _, found, after = sentence.partition(f" {phrase} ")
        if found and _lists()["unless"].isdisjoint(after.split()):
            return True
    return False


@cache
def _lists() -> dict[str, Any]:
    lists = tomllib.loads(Path(__file__).with_name("abstain.toml").read_text("utf-8"))
    return {**lists, **{name: frozenset(lists[name]) for name in ("sources", "unless", "yes", "no")}}
