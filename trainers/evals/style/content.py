"""Which facts of one text stand in another: numbers, addresses, names, quotations; it does not read meaning.

A brief also holds numbers that are not facts ("under 50 words"), and a fact may be told in other words: a share below
1 is a reason to look, not a proof of loss.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from knowledge.keywords import terms
from trainers.evals.style.limits import number_words
from trainers.evals.style.text import seen, sentences

_NUMBER = re.compile(r"(?<![^\W_])\d+(?:[.,]\d+)*")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)[^\s<>\"')\]]+|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»\n]{2,80})[\"”“»]")
_WORD = re.compile(r"[^\W_]+(?:['’&.-][^\W_]+)*")
_LIST_MARK = re.compile(r"^[ \t]*(?:[-*•+]|\d{1,3}[.)])[ \t]+", re.MULTILINE)
_CLOSING = ".,;:!?"
_SHORT = 5  # letters of an abbreviation such as VAT


class Facts(NamedTuple):
    """What a text states that can be looked up letter by letter; all folded in case."""

    numbers: frozenset[str]
    """In one spelling: 1,200 is 1200, 2.50 is 2.5."""
    addresses: frozenset[str]
    """Of pages and mail."""
    names: frozenset[str]
    """Capitalised words that open no sentence, and words with a capital or a digit inside; runs stay together."""
    quotations: frozenset[str]
    """What stands in quotation marks."""

    @property
    def all(self) -> frozenset[str]:
        """Every fact."""
        return self.numbers | self.addresses | self.names | self.quotations


class Kept(NamedTuple):
    """How much of one text's facts another holds."""

    share: float | None
    """0 to 1; None if there is no fact to keep."""
    missing: tuple[str, ...]
    """What is not there, in alphabetical order."""


def facts(text: str) -> Facts:
    """Find the facts of a text."""
    cut = _LIST_MARK.sub("", seen(text))
    addresses = frozenset(found.casefold().rstrip(_CLOSING) for found in _ADDRESS.findall(cut))
    bare = _ADDRESS.sub(" ", cut)
    quotations = frozenset(" ".join(found.casefold().split()) for found in _QUOTED.findall(bare))
    names = frozenset(name for sentence in sentences(bare) for name in _names(sentence))
    inside = frozenset(quotation.rstrip(_CLOSING + " ") for quotation in quotations)
    return Facts(numbers(bare), addresses, names - inside, inside - {""})


def kept(brief: str, output: str) -> Kept:
    """Say which facts of `brief` stand in `output`."""
    wanted = facts(brief)
    missing = missing_from(wanted, output)
    total = len(wanted.all)
    return Kept((total - len(missing)) / total if total else None, missing)


def missing_from(wanted: Facts, text: str) -> tuple[str, ...]:
    """Return the facts that do not stand in `text`; a small number may be spelled out there."""
    told = _read(seen(text))
    lost = wanted.numbers - told.numbers
    lost |= {address for address in wanted.addresses if address not in told.folded}
    lost |= {phrase for phrase in wanted.names | wanted.quotations if not _stands(phrase, told.words)}
    return tuple(sorted(lost))


def numbers(text: str) -> frozenset[str]:
    """Return the numbers of a text in one spelling."""
    return frozenset(map(_spelling, _NUMBER.findall(text)))


class _Told(NamedTuple):
    """A text, made ready to be looked up in."""

    folded: str
    words: str
    numbers: frozenset[str]


@lru_cache(maxsize=64)
def _read(text: str) -> _Told:
    """Make a text ready; one context is asked about many sentences."""
    said = f" {' '.join(_folded_words(text))} "
    spelled = {digit for word, digit in number_words().items() if f" {word} " in said}
    return _Told(text.casefold(), said, numbers(_ADDRESS.sub(" ", text)) | spelled)


def _spelling(number: str) -> str:
    """Fold thousands and trailing zeros: 1,200.50 is 1200.5; a comma before one or two last digits is a point."""
    whole, mark, last = number.rpartition(",")
    if mark and "." not in last and len(last) != 3:
        number = f"{whole}.{last}"
    number = number.replace(",", "")
    if number.count(".") > 1 or not number.isascii():
        return number  # a date, a version or other digits: as written
    return (number.rstrip("0").rstrip(".") if "." in number else number).lstrip("0") or "0"


def _names(sentence: str) -> list[str]:
    """Return runs of capitalised words after the first word, and any word with a capital or a digit inside."""
    found: list[str] = []
    run: list[str] = []
    end = 0
    for at, match in enumerate(_WORD.finditer(sentence)):
        word = match.group()
        if run and sentence[end : match.start()].strip():
            found.append(" ".join(run))
            run = []
        if _is_name(word, opens=at == 0):
            run.append(word.casefold().replace("’", "'").removesuffix("'s"))
        elif run:
            found.append(" ".join(run))
            run = []
        end = match.end()
    return [*found, " ".join(run)] if run else found


def _is_name(word: str, *, opens: bool) -> bool:
    if not word[0].isalpha() or (len(word) > _SHORT and word.isupper()):  # long words in capitals are shouted
        return False
    inner = any(character.isupper() or character.isdigit() for character in word[1:])
    if not inner and (opens or not word[0].isupper()):
        return False
    return bool(terms(word)) and word.partition("'")[0].partition("’")[0] != "I"  # no stop word, no I'm


def _stands(phrase: str, said: str) -> bool:
    wanted = " ".join(_folded_words(phrase))
    return not wanted or f" {wanted} " in said


def _folded_words(text: str) -> list[str]:
    return [word.casefold().replace("’", "'").removesuffix("'s") for word in _WORD.findall(text)]
