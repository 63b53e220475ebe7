"""Whether held-out rows were seen in training or in a prompt; it does not know how anybody answered."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from trainers.data.findings import name_lines, plural
from trainers.data.jsonl import Row
from trainers.data.likeness import canonical, near_pairs
from trainers.evals.word_runs import common_runs, word_runs

_FILE = Path(__file__).with_name("contamination.toml")
_WORDS = {
    "exact": "in training too",
    "near": "nearly repeating a training input",
    "overlap": "sharing long runs of words with a training input",
    "prompted": "standing in a system prompt or in a prompt's examples",
}
"""Way of being seen -> how a sentence says it, the surest first."""
NAMED = 20
"""Rows spelled out of each way: what is left out of a score is to be checked by whoever reads it."""


@dataclass(frozen=True, kw_only=True)
class Contamination:
    """Held-out rows that were seen, by their lines in the test file; a row is named once, by the surest way."""

    checked: bool
    """False if the training rows were not at hand."""
    rows: int
    """Held-out rows looked at."""
    exact: tuple[int, ...] = ()
    """The input is a training input, up to case, white space and a closing mark."""
    near: tuple[int, ...] = ()
    """The input is nearly a training input (see `likeness`)."""
    overlap: tuple[int, ...] = ()
    """At least 30% of the input's runs of eight words stand in one training input."""
    prompted: tuple[int, ...] = ()
    """The whole input stands in a training system prompt or in a text that was shown to a model."""

    @property
    def lines(self) -> tuple[int, ...]:
        """All rows that were seen, ascending: what a verdict may leave out."""
        return tuple(sorted((*self.exact, *self.near, *self.overlap, *self.prompted)))

    @property
    def known(self) -> tuple[int, ...]:
        """Rows whose very input was shown in training or in a prompt; the others are only alike."""
        return tuple(sorted((*self.exact, *self.prompted)))

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        if not self.checked:
            return "Not checked whether test rows were in training: the training rows were not at hand."
        if not self.lines:
            whole = f"none of {self.rows:,} equals or nearly repeats a training input"
            return f"No test row was in training: {whole}."
        found = [(getattr(self, way), words) for way, words in _WORDS.items() if getattr(self, way)]
        parts = [f"{plural(len(lines), 'test row')} {words} ({name_lines(lines, NAMED)})" for lines, words in found]
        listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
        return f"Doubtful: {listed}; the score may measure memory."

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal result."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Contamination":
        """Read what `to_json` wrote."""
        return cls(checked=data["checked"], rows=data["rows"], **{way: tuple(data[way]) for way in _WORDS})


def contamination(rows: Sequence[Row], train: Sequence[Row] | None) -> str:
    """Say in one sentence how many held-out inputs were seen in training."""
    return inspect(rows, train).sentence


def inspect(rows: Sequence[Row], train: Sequence[Row] | None, *, shown: Iterable[str] = ()) -> Contamination:
    """Find held-out rows that were seen; `shown` are further texts that a model was given, such as few-shot prompts.

    Linear in the rows. Without training rows nothing is checked.
    """
    if train is None:
        return Contamination(checked=False, rows=len(rows))
    taught, asked = [canonical(row.prompt) for row in train], [canonical(row.prompt) for row in rows]
    ways = {
        "exact": _exact(taught, asked),
        "near": _near(taught, asked),
        "overlap": _overlapping(taught, asked),
        "prompted": _prompted([*{row.system for row in train}, *shown], asked),
    }
    named: set[int] = set()
    found = {}
    for way, places in ways.items():
        found[way] = tuple(rows[place].line for place in sorted(places - named))
        named |= places
    return Contamination(checked=True, rows=len(rows), **found)


def _exact(taught: Sequence[str], asked: Sequence[str]) -> set[int]:
    known = set(taught)
    return {place for place, text in enumerate(asked) if text in known}


def _near(taught: Sequence[str], asked: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for pair in near_pairs([*taught, *asked]):  # in order of `later`: a repeated test row follows its first
        if pair.later >= len(taught) and (pair.earlier < len(taught) or pair.earlier - len(taught) in found):
            found.add(pair.later - len(taught))
    return found


def _overlapping(taught: Sequence[str], asked: Sequence[str]) -> set[int]:
    limit, length = _limits("overlap"), int(_limits("overlap")["words"])
    wanted = frozenset().union(*word_runs(asked, length))
    theirs = [runs & wanted for runs in word_runs(taught, length)]  # what no test row holds need not be counted
    mine = word_runs(asked, length, common_runs(theirs, limit["template"]))
    holders: dict[int, list[int]] = {}
    for place, runs in enumerate(theirs):
        for run in runs:
            holders.setdefault(run, []).append(place)
    return {place for place, runs in enumerate(mine) if _share(runs, holders) >= limit["share"]}


def _share(runs: frozenset[int], holders: Mapping[int, Sequence[int]]) -> float:
    """Largest share of a row's runs that one training input holds."""
    counts: dict[int, int] = {}
    for run in runs:
        for place in holders.get(run, ()):
            counts[place] = counts.get(place, 0) + 1
    return max(counts.values(), default=0) / len(runs) if runs else 0.0


def _prompted(texts: Iterable[str], asked: Sequence[str]) -> set[int]:
    least = int(_limits("contained")["least_words"])
    whole = "\n".join(f" {_plain(text)} " for text in texts)
    return {place for place, text in enumerate(asked) if len(text.split()) >= least and f" {_plain(text)} " in whole}


def _plain(text: str) -> str:
    """Only the words, so that quotes and marks around an example do not hide it."""
    return " ".join(re.findall(r"\w+", canonical(text)))


@cache
def _limits(name: str) -> Mapping[str, float]:
    section: Mapping[str, float] = tomllib.loads(_FILE.read_text("utf-8"))[name]
    return section
