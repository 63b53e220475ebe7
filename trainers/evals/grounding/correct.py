"""Whether an answer holds the key facts of the expected one; it does not read meaning.

Key facts: every number, address, name and quotation of the expected answer, and every content word of a short one. An
answer that states them and denies them in the same breath counts as right, one in quite other words as wrong.
"""

import re

from knowledge.keywords import terms
from trainers.evals.grounding.abstain import says, yes_or_no
from trainers.evals.grounding.limits import limit
from trainers.evals.style.content import facts, missing_from
from trainers.evals.style.text import seen, words

_ARTICLES = frozenset(("a", "an", "the"))
_UNSPACED = "\u0e00"  # from here on: Thai, Chinese, Japanese and others that put no space between words
_SHOWN = 60  # characters of an expected answer in a note
_MARK = re.compile(r"(?<![^\S\n])[^\S\n]*\[\d{1,3}(?:[^\S\n]*,[^\S\n]*\d{1,3})*\]")


def without_marks(text: str) -> str:
    """Return the text without marks of citations such as [2] or [1, 3]."""
    return _MARK.sub("", text)


def exact(output: str, expected: str) -> bool:
    """Say whether two answers are the same without case, marks and articles (SQuAD, Rajpurkar et al. 2016)."""
    return _plain(output) == _plain(expected) and (output.split() == expected.split() or bool(_plain(expected)))


def missing_facts(output: str, expected: str) -> tuple[str, ...]:
    """Return the key facts of `expected` that `output` lacks; none means that it is right."""
    said, wanted = without_marks(seen(output)), without_marks(seen(expected))
    if _holds_word_for_word(said, wanted):
        return ()
    stated = facts(wanted)
    stems = {stem for stem in terms(wanted) if not any(map(str.isdigit, stem))}  # numbers are compared as facts
    asked = yes_or_no(wanted)
    if not (asked or stems or stated.all):
        return (wanted.strip()[:_SHOWN],)  # nothing but marks or stop words can only be repeated
    if asked and not says(said, asked, elsewhere=bool(stems or stated.all)):
        return (asked,)
    lacking = tuple(sorted(stems - set(terms(said))))
    if len(stems) <= limit("short"):
        return (*missing_from(stated, said), *lacking)
    if stated.all:
        return missing_from(stated, said)
    return lacking if len(lacking) > (1 - limit("recall")) * len(stems) else ()


def _holds_word_for_word(said: str, wanted: str) -> bool:
    """Say whether two texts are the same, or several words stand in the other; in scripts without spaces also one."""
    if said.split() == wanted.split():
        return bool(wanted.strip())
    plain = _plain(wanted)
    if any(character >= _UNSPACED for character in plain):
        return "".join(plain.split()) in "".join(_plain(said).split())
    return len(plain.split()) > 1 and f" {plain} " in f" {_plain(said)} "


def _plain(text: str) -> str:
    return " ".join(word for word in words(text) if word not in _ARTICLES)
