"""The rule about rows in another language than the rest: told by frequent words, or else by a trained identifier."""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from trainers.data.findings import Finding, Spots, lines_have, plural, warn
from trainers.data.rules.prose import is_code
from trainers.data.rules.view import View

_FILE = Path(__file__).with_name("languages.toml")
_WORD = re.compile(r"[^\W\d_]+")
_LOOKED_AT, _ASKED_AT = 600, 250  # characters that words are sought in, and that the identifier gets
MOST_ASKED = 20_000  # texts of one file that the identifier is asked about
_LEAST_HITS = 3  # different frequent words that a text needs before anything is said of it
_SHARE = 0.12  # and this share of its different words
_LEAST_KNOWN = 10  # rows whose language is known; fewer show no usual one
_MOSTLY = 0.8
_LEAST_LETTERS = 15  # a shorter text, such as a label, has no language
_SURE = 0.85  # the identifier's own confidence, from which it is believed
_SURE_OF_ASCII = 0.93  # where no letter is telling
_LANGUAGES = (  # in Latin letters; others are told by their script
    "ca cs da de en es et fi fr hr hu id it lt lv ms nl no pl pt ro sk sl sv sw tr vi"
)
_SISTERS = {"no": "da", "ms": "id"}
"""Languages that are too near to each other to be told apart in a few sentences, such as Danish and Norwegian."""


class Languages:
    """Warns about answers in another language than most, and about answers in another than their question."""

    def __init__(self) -> None:
        """Start without a row."""
        self._spots: dict[str, Spots] = {}
        self._crossed, self._alike, self._asked = Spots(), 0, 0
        self._usual = ""

    def see(self, view: View) -> None:
        """Take a row into account."""
        question = view.row.messages[-2].content if view.row.prompt else ""
        answered, asked = self._language(view.row.target), language(question, sure=False)
        spoken = answered or asked or (self._language(question) if len(view.row.target) < _LEAST_LETTERS else "")
        answered, asked, spoken = (_SISTERS.get(name, name) for name in (answered, asked, spoken))
        if spoken:
            self._spots.setdefault(spoken, Spots()).add(view.line)
            if len(self._spots[spoken]) > len(self._spots.get(self._usual, ())):
                self._usual = spoken
        if answered and asked:
            if answered == asked:
                self._alike += 1
            else:
                self._crossed.add(view.line)

    def _language(self, text: str) -> str:
        """Tell a text's language; the identifier, which takes its time, is asked for so many texts of a file only.

        It is not asked either where most of the frequent words in a text, though few, are of the usual language: what
        is sought are the rows that are in another one.
        """
        short = text[:_LOOKED_AT]
        if is_code(short):
            return ""
        told = _by_script(short)
        if told:
            return told
        first, hits, second, needed = _most_hits(short.casefold())
        if _is_sure(hits, second, needed):
            return first
        if hits > second and _SISTERS.get(first, first) == self._usual and len(self._spots[first]) >= _LEAST_KNOWN:
            return first
        if self._asked >= MOST_ASKED:
            return ""
        self._asked += 1
        return _by_letters(short[:_ASKED_AT])

    def findings(self) -> Iterator[Finding]:
        """Say which rows are in another language."""
        counts = Counter({name: len(spots) for name, spots in self._spots.items()})
        if counts.total() < _LEAST_KNOWN:
            return
        usual, _ = counts.most_common(1)[0]
        lines = {line for name, spots in self._spots.items() if name != usual for line in spots}
        if self._crossed and self._alike >= _MOSTLY * (self._alike + len(self._crossed)):
            lines |= set(self._crossed)
        if lines:
            named = sorted(lines)
            message = (
                f"{lines_have(named)} another language than most rows ({plural(len(counts), 'language')} in all), "
                "or than their question."
            )
            yield warn("language_mix", named, message, "Keep them only if the model is to answer in these languages.")


def language(text: str, *, sure: bool = True) -> str:
    """Name the language of a text by its code or its script; empty where that can't be said with some certainty.

    Without `sure`, only frequent words and scripts are looked at, which is quick.

    >>> language("Where is the parcel that you sent?"), language("Wo ist mein Paket geblieben?"), language("billing")
    ('en', 'de', '')
    """
    short = text[:_LOOKED_AT]
    if is_code(short):
        return ""
    return _by_script(short) or _by_words(short.casefold()) or (_by_letters(short[:_ASKED_AT]) if sure else "")


def _by_script(text: str) -> str:
    return "" if text.isascii() else _script("".join(_WORD.findall(text)))


def _script(letters: str) -> str:
    """Name the script of most letters, if it is not the Latin one: short texts tell no more for certain."""
    counts = Counter(_script_of(sign) for sign in letters)
    if not letters or counts[""] * 2 >= len(letters):
        return ""
    name, _ = max((item for item in counts.items() if item[0]), key=lambda item: item[1])
    return "Japanese" if {"HIRAGANA", "KATAKANA"} & counts.keys() else name


@lru_cache(maxsize=20_000)
def _script_of(sign: str) -> str:
    return unicodedata.name(sign, "").partition(" ")[0] if sign > "\u024f" else ""


def _by_words(text: str) -> str:
    """Tell most texts quickly, by their frequent words."""
    first, hits, second, needed = _most_hits(text)
    return first if _is_sure(hits, second, needed) else ""


def _is_sure(hits: int, second: int, needed: float) -> bool:
    """Say whether so many frequent words tell a language apart from the second one."""
    return hits >= needed and hits >= 2 * second and hits - second > 1


def _most_hits(text: str) -> tuple[str, int, int, float]:
    """Return the language with most frequent words in a text, how many, those of the second, and how many it takes."""
    words = set(_WORD.findall(text))
    hits: dict[str, int] = {}
    known = _known()
    for word in words:
        for name in known.get(word, ()):
            hits[name] = hits.get(name, 0) + 1
    first, best, second = "", 0, 0
    for name, count in hits.items():
        if count > best:
            first, best, second = name, count, best
        elif count > second:
            second = count
    return first, best, second, max(_LEAST_HITS, _SHARE * len(words))


def _by_letters(text: str) -> str:
    """Ask the identifier, which knows all of them by their letters."""
    letters = sum(map(len, _WORD.findall(text)))
    if letters < (_LEAST_LETTERS if text.isascii() else _LEAST_LETTERS // 3):
        return ""
    name, confidence = _identifier().classify(text)
    return str(name) if confidence >= (_SURE_OF_ASCII if text.isascii() else _SURE) else ""


@cache  # a third of a second, once
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_LANGUAGES.split())
    return identifier


@cache
def _known() -> dict[str, tuple[str, ...]]:
    """Map each frequent word to the languages that have it."""
    known: dict[str, tuple[str, ...]] = {}
    for name, words in tomllib.loads(_FILE.read_text("utf-8"))["words"].items():
        for word in (word for word in words.split() if len(word) > 1):
            known[word] = (*known.get(word, ()), name)
    return known
