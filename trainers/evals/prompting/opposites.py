"""Finds two sentences of which one always wants what the other never does; it reads words, and rules on neither."""

import re
from collections.abc import Iterator
from itertools import combinations, islice
from typing import NamedTuple

from trainers.data.likeness import canonical
from trainers.evals.style.text import sentences

_NO = re.compile(r"\b(?:never|must\s+not|mustn't|should\s+not|shouldn't|may\s+not|do\s+not|don't|cannot|can't|avoid)\b")
_YES = re.compile(r"\b(?:always|must|should|do|invariably)\b")
_ONLY, _ALSO = re.compile(r"\b(?:only|nothing\s+but)\b"), re.compile(r"\b(?:also|as\s+well|in\s+addition)\b")
_EXCEPT = re.compile(r"\b(?:if|when|whenever|unless|except|while|where|until|without)\b")
_SMALL = frozenset("a an the it its is are be to of and or you your please ever all any this that".split())  # noqa: SIM905
_SAY = frozenset(("mention", "name", "state", "say", "include", "reveal", "disclose"))
"""Verbs that ask for the same of a reply: never to mention a price, and to state it."""

_ORDERS = "|".join(("quote", "give", "tell", "show", "list", "discuss", *sorted(_SAY)))
_TELL = re.compile(rf"(?:please )?(?:{_ORDERS})\b[^,;:]*?(?=$|[,;:.!]| (?:of|for|in|with|on|at|by|to|and|from)\b)")
"""A plain order to say something, up to where it is narrowed."""
_MOST = 400
"""Sentences that are compared."""


class _Told(NamedTuple):
    """A sentence as it is compared."""

    text: str
    way: str
    """"yes", "no", "only" or "also"."""
    words: frozenset[str]


def opposites(text: str) -> list[tuple[str, str]]:
    """Return pairs of sentences that ask for both sides, word for word; a sentence with a condition is an exception."""
    parts = (part for sentence in sentences(text) if not _is_exception(sentence) for part in sentence.split(";"))
    told = [each for part in islice(parts, _MOST) for each in _read(part)]
    pairs = [
        (one.text, other.text)
        for one, other in combinations(told, 2)
        if one.words == other.words and {one.way, other.way} in ({"yes", "no"}, {"only", "also"})
    ]
    return list(dict.fromkeys(pairs))


def _is_exception(sentence: str) -> bool:
    """Say whether a sentence says when it holds, for all of its parts."""
    return _EXCEPT.search(canonical(sentence)) is not None


def _read(sentence: str) -> Iterator[_Told]:
    bare = " ".join(sentence.split()).lstrip("-*• ")
    plain = canonical(bare).replace("’", "'")
    for way, found in (("no", _NO), ("yes", _YES), ("only", _ONLY), ("also", _ALSO)):
        if found.search(plain):
            if told := _words(_YES.sub(" ", _NO.sub(" ", _ALSO.sub(" ", _ONLY.sub(" ", plain))))):
                yield _Told(bare, way, told)
            return
    if (order := _TELL.match(plain)) and len(told := _words(order.group())) > 1:
        yield _Told(bare, "yes", told)


def _words(plain: str) -> frozenset[str]:
    """Return the words of a sentence that tell; verbs of saying at its beginning are one."""
    found = [word for word in re.findall(r"[\w'-]+", plain) if word not in _SMALL]
    return frozenset("say" if at == 0 and word in _SAY else _stem(word) for at, word in enumerate(found))


def _stem(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 else word
