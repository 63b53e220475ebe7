"""The rule about style: answers far from the genre that is wanted, as the test rows or samples show it, or the rest."""

import math
import re
from collections.abc import Iterator, Sequence

from trainers.data.findings import Finding, Spots, lines_have, warn
from trainers.data.rules.hinted import Hinted
from trainers.data.rules.prose import is_code
from trainers.data.rules.view import View

LEAST = 10  # texts on each side; fewer show no genre
APART = 0.5  # two shares of texts with a trait that are so far apart are two genres
RARE = 0.15  # a way of writing that fewer rows have is not the file's
_LOOKED_AT = 4000  # characters of an answer
_LENGTHS_APART, _TIMES = 1.5, 3.0  # standard deviations, and how many times as long

_TRAITS: tuple[tuple[str, Hinted], ...] = tuple(
    (name, Hinted(hints, re.compile(pattern)))
    for name, hints, pattern in (
        ("exclamation marks", ("!",), "!"),
        ("questions", ("?",), r"\?"),
        ("emoji", (), "[\U0001f300-\U0001faff\u2600-\u27bf]|[:;]-?[D)(]"),
        (
            "lists or marks of formatting",
            (),
            r"(?m)^\s*(?:[-*\u2022]|\d+[.)])\s|^#{1,6} |\*\*|```",
        ),
        ("small letters at the start", (), r"\A\W*[a-z\u00df-\u00ff]"),
        ("headings or tables", ("#", "|"), r"(?m)^#{1,6} \S|^\|.*\|\s*$"),
        (
            "legal words",
            (
                *("hereby", "pursuant", "notwithstanding", "herein", "hereunder", "hereof", "thereof", "therefrom"),
                *("thereunder", "indemnif", "aforementioned", "undersigned", "jurisdiction", "merchantab", "warrant"),
            ),
            r"(?i)\b(?:hereby|pursuant|notwithstanding|here(?:in|under|inafter|of)|there(?:of|from|under)|indemnif\w+"
            r"|aforementioned|undersigned|jurisdiction|merchantability|warrant(?:s|y of))\b",
        ),
        (
            "formal phrases",
            (
                *("dear", "sincerely", "regards", "hereby", "pursuant", "furthermore", "be advised", "we regret"),
                *("would like to", "at your earliest", "therefore", "sehr geehrte", "cordialement"),
            ),
            r"(?i)\b(?:dear|sincerely|kind regards|best regards|hereby|pursuant|furthermore|please be advised"
            r"|we regret|would like to|at your earliest|therefore|sehr geehrte|cordialement)\b",
        ),
        ("contractions", ("'",), r"(?i)\b\w+'(?:s|t|re|ve|ll|d|m)\b"),
        ("capitals throughout", (), r"\A[^a-z]*[A-Z][^a-z]{8,}\Z"),
        ("repeated marks", ("!!", "!?", "?!", "??", "...."), r"[!?]{2,}|\.{4,}"),
    )
)
_SLANG = frozenset(
    (
        *("lol", "gonna", "wanna", "u", "ur", "thx", "pls", "plz", "btw", "omg", "yeah", "yep", "yup", "nope", "hey"),
        *("haha", "dude", "kinda", "gotta", "idk", "imo", "tbh", "lmk", "ngl", "bro", "bruh", "sup", "cuz", "rn"),
    )
)
_SHORTENED = re.compile(r"\b(?:ain't|y'all)\b")
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_WORDS = re.compile(r"\w+")
_MARKED = frozenset(("slang", "headings or tables", "legal words"))
"""One of these in few rows is enough to make them unlike the rest."""
_TELLING = frozenset(
    ("emoji", "slang", "headings or tables", "legal words", "formal phrases", "lists or marks of formatting", "length")
)
"""One of these is enough to make another genre."""
_LOOSE = ("emoji", "slang", "small letters at the start", "capitals throughout", "repeated marks", "no mark at the end")


class Style:
    """How often texts have each trait, and how long they are."""

    def __init__(self) -> None:
        """Start without a text."""
        self.count = 0
        self._with = dict.fromkeys((*(name for name, _ in _TRAITS), "slang", "no mark at the end"), 0)
        self._sum = self._squares = 0.0

    def see(self, text: str) -> tuple[str, ...]:
        """Take a text into account and return the names of its traits."""
        found = _traits(text[:_LOOKED_AT])
        self.count += 1
        for name in found:
            self._with[name] += 1
        length = math.log(1 + len(text))
        self._sum, self._squares = self._sum + length, self._squares + length * length
        return found

    def apart_from(self, other: "Style") -> list[str]:
        """Name what is far from the other's."""
        mine, theirs = ({name: n / side.count for name, n in side._with.items()} for side in (self, other))
        apart = [name for name in mine if abs(mine[name] - theirs[name]) >= APART]
        (mean, spread), (other_mean, other_spread) = self._length(), other._length()
        deviation = math.sqrt((spread + other_spread) / 2) or 0.1
        gap = abs(mean - other_mean)
        return apart + (["length"] if gap >= max(_LENGTHS_APART * deviation, math.log(_TIMES)) else [])

    def _length(self) -> tuple[float, float]:
        mean = self._sum / self.count
        return mean, max(0.0, self._squares / self.count - mean * mean)


def _traits(text: str) -> tuple[str, ...]:
    """Name the traits of a text."""
    lower = text.lower()
    found = [name for name, pattern in _TRAITS if pattern.found(text, lower)]
    if not _SLANG.isdisjoint(_WORDS.findall(lower)) or ("'" in lower and _SHORTENED.search(lower)):
        found.append("slang")
    last = text.rstrip()[-1:]
    if last.isalnum() or last == "_":
        found.append("no mark at the end")
    return tuple(found)


class Genre:
    """Warns where answers are written unlike the samples or test answers, and rows that are written unlike the rest."""

    def __init__(self, samples: Sequence[str] = ()) -> None:
        """Take texts in the wanted style, if there are any."""
        self._mine, self._wanted = Style(), Style()
        self._sampled = bool(samples)
        for text in samples:
            self._wanted.see(text.replace("\u2019", "'"))
        self._marked: dict[str, Spots] = {}

    def see(self, view: View) -> None:
        """Take a training row's answer into account."""
        answer = view.target
        if is_code(answer):
            answer = _FENCED.sub("", answer).strip()
            if not answer or is_code(answer):
                return
        traits = self._mine.see(answer)
        for name in traits:
            if name in _MARKED:
                self._marked.setdefault(name, Spots()).add(view.line)
        if sum(name in _LOOSE for name in traits) >= 2 and ("emoji" in traits or len(traits) > 2):
            self._marked.setdefault("loose", Spots()).add(view.line)

    def see_test(self, view: View) -> None:
        """Take a test row's answer for a sample, if nobody gave samples."""
        if not self._sampled:
            self._wanted.see(view.target)

    def findings(self) -> Iterator[Finding]:
        """Say what is far from the genre."""
        if self._wanted.count >= LEAST and self._mine.count >= LEAST:
            apart = self._mine.apart_from(self._wanted)
            if len(apart) > 1 or set(apart) & _TELLING:
                with_what = "the samples" if self._sampled else "the test rows"
                message = f"The answers are written unlike those of {with_what} ({', '.join(apart)})."
                fix = "Train on texts of the kind that is wanted: a model learns the manner with the matter."
                yield warn("style_far", (), message, fix)
        rare = [spots for spots in self._marked.values() if len(spots) <= RARE * self._mine.count]
        if rare and self._mine.count >= LEAST:
            lines = sorted({line for spots in rare for line in spots})
            message = (
                f"{lines_have(lines)} an answer in another manner than the rest: as in a chat, a report or a contract."
            )
            yield warn("style_far", lines, message, "Rewrite them in the manner of the others, or drop them.")
