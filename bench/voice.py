"""Measures what a voice's profile is worth on writers whose texts are at hand; it does not ship the texts.

`python -m bench.voice --authors FOLDER` takes a folder with a folder of plain text files for each writer (novels of
Project Gutenberg, say), cut into texts of --words. Printed: how often the interval from five texts holds the value of
50 texts, by measure; how often 40 unseen texts of a writer are nearer to 40 of the same writer than to those of two
others; how far apart the groups lie into which texts of one writer, or of two, are divided; how often texts of one
writer, and of two one after the other, are said to change from one text on; how many habits of five texts are settled
or nearly so beside plain English, and how many of the latter are settled with as many texts as the profile says;
how often texts of one writer are said to differ from others of the same, and how many habits tell two writers apart.
"""

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainers.evals.style.intervals import estimate, interval
from trainers.evals.style.limits import limits
from trainers.evals.style.measures import measures, parts_of
from trainers.evals.style.two_writers import change, division
from trainers.evals.style.voice import describe, distance

_GUTENBERG = re.compile(r"\*\*\* ?(?:START|END) OF")


def main() -> None:
    """Print one JSON line a measure and one for all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--authors", type=Path, required=True, help="a folder for each writer")
    parser.add_argument("--words", type=int, nargs="+", default=[60, 150, 300])
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--only", choices=("coverage", "nearest", "divided", "ordered", "nearly", "differing"))
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    for length in chosen.words:
        texts = {each.name: read(each, length) for each in sorted(chosen.authors.iterdir()) if each.is_dir()}
        texts = {name: found for name, found in texts.items() if len(found) >= 200}
        for measured, share in _MEASURED.items():
            if chosen.only in (None, measured.__name__):
                measured(texts, length, chosen.draws // share, np.random.default_rng(chosen.seed))


def read(folder: Path, length: int) -> list[str]:
    """Cut a writer's files into texts of whole sentences with about so many words."""
    found: list[str] = []
    for file in sorted(folder.glob("*.txt")):
        told = file.read_text("utf-8", errors="replace")
        parts = _GUTENBERG.split(told)
        body = max(parts, key=len)
        block: list[str] = []
        for paragraph in re.split(r"\n\s*\n", body):
            block.append(" ".join(paragraph.split()))
            if sum(len(each.split()) for each in block) >= length:
                found.append("\n\n".join(block))
                block = []
    return found


def coverage(texts: Mapping[str, Sequence[str]], length: int, draws: int, random: np.random.Generator) -> None:
    """Print how often five texts' interval holds the value of fifty of the same writer."""
    hits: dict[str, list[bool]] = {key: [] for key in measures()}
    widths: dict[str, list[float]] = {key: [] for key in measures()}
    for found in texts.values():
        for key, measure in measures().items():
            parts = parts_of(measure, found)
            for _ in range(draws):
                fifty = parts[random.choice(len(parts), 50, replace=False)]
                truth, seen = measure.value(fifty.sum(axis=0)), estimate(fifty[:5], measure.value, measure.kind)
                if truth is not None and seen is not None:
                    told = interval(seen)
                    hits[key].append(told.low - 1e-9 <= truth <= told.high + 1e-9)
                    widths[key].append((told.high - told.low) / truth if truth else 0)
    for key, held in hits.items():
        if held:
            width = round(float(np.median(widths[key])), 2)
            show(words=length, measure=key, held=mean(held), width=width, n=len(held))
    every = [each for held in hits.values() for each in held]
    show(words=length, writers=list(texts), held=mean(every), n=len(every))


def nearest(texts: Mapping[str, Sequence[str]], length: int, draws: int, random: np.random.Generator) -> None:
    """Print how often unseen texts of a writer are nearer to the writer's other texts than to two others'."""
    texts = dict(list(texts.items())[:3])
    right: list[bool] = []
    for _ in range(draws):
        drawn = {name: random.choice(len(found), 80, replace=False) for name, found in texts.items()}
        seen = {name: [texts[name][at] for at in places[:40]] for name, places in drawn.items()}
        for name, places in drawn.items():
            held = [texts[name][at] for at in places[40:]]
            gaps = {other: distance(held, seen[other]) for other in seen}
            right.append(min(gaps, key=lambda other: gaps[other]) == name)
    show(words=length, nearest=list(texts), right=mean(right), n=len(right))


def divided(texts: Mapping[str, Sequence[str]], length: int, draws: int, random: np.random.Generator) -> None:
    """Print how far apart the two groups of one writer's texts lie, and of two writers'."""

    def some(name: str, number: int) -> list[str]:
        return [texts[name][at] for at in random.choice(len(texts[name]), number, replace=False)]

    names = list(texts)
    one = [division(some(name, 30))[1] for name in names for _ in range(draws)]
    pairs = [random.choice(names, 2, replace=False) for _ in one]
    two = [division([*some(first, 18), *some(second, 12)])[1] for first, second in pairs]
    for title, apart in (("one writer", one), ("two writers", two)):
        figures = {"median": round(float(np.median(apart)), 1), "most": round(max(apart), 1), "n": len(apart)}
        show(words=length, apart=title, **figures)


def ordered(texts: Mapping[str, Sequence[str]], length: int, draws: int, random: np.random.Generator) -> None:
    """Print how often a change is seen in texts of one writer, and of two one after the other."""

    def some(name: str, number: int) -> list[str]:
        return [texts[name][at] for at in random.choice(len(texts[name]), number, replace=False)]

    level = float(limits("voice")["order_level"])
    for half in (5, 10, 20, 30):
        one, two, places = [], [], []
        for _ in range(draws):
            first, second = random.choice(list(texts), 2, replace=False)
            one.append(change(some(first, 2 * half))[1] <= level)
            at, chance = change([*some(first, half), *some(second, half)])
            two.append(chance <= level)
            places.append(abs(at - half) <= 1)
        right = mean([place for place, seen in zip(places, two, strict=True) if seen] or [False])
        show(words=length, halves=half, false_alarms=mean(one), seen=mean(two), at_the_place=right, n=draws)


def nearly(texts: Mapping[str, Sequence[str]], length: int, draws: int, random: np.random.Generator) -> None:
    """Print how many habits five texts settle or nearly settle, and how many of these the texts that they need do."""
    settled, near, kept = [], [], []
    for found in texts.values():
        for _ in range(draws):
            drawn = [found[at] for at in random.permutation(len(found))[:30]]
            five = describe(drawn[:5])
            settled.append(len(five.distinctive))
            near.append(len(five.nearly))
            for each in five.nearly:
                more = describe(drawn[: each.needs]).distinctive
                kept.append(each.key in {habit.key for habit in more})
    counts = {"settled": round(float(np.mean(settled)), 1), "nearly": round(float(np.mean(near)), 1)}
    show(words=length, texts=5, **counts, settled_as_said=mean(kept), n=len(kept), draws=len(near))


def differing(texts: Mapping[str, Sequence[str]], length: int, draws: int, random: np.random.Generator) -> None:
    """Print how often a habit is called different between texts of one writer, and how many are between two's."""

    def some(name: str, number: int) -> list[str]:
        return [texts[name][at] for at in random.choice(len(texts[name]), number, replace=False)]

    for ours, theirs in ((5, 30), (10, 30), (30, 30)):
        false, told = [], []
        for name in [each for each in texts for _ in range(draws)]:
            drawn = some(name, ours + theirs)
            false.append(bool(describe(drawn[:ours], drawn[ours:]).distinctive))
            other = str(random.choice([each for each in texts if each != name]))
            told.append(len(describe(drawn[:ours], some(other, theirs)).distinctive))
        habits = round(float(np.mean(told)), 2)
        show(
            words=length,
            texts=ours,
            reference=theirs,
            one_writer_differs=mean(false),
            habits_of_two=habits,
            n=len(false),
        )


_MEASURED = {coverage: 1, nearest: 10, divided: 20, ordered: 2, nearly: 20, differing: 4}
"""Each with what it divides the draws by, as one draw of it takes longer."""


def mean(held: Sequence[bool]) -> float:
    """Return a share to three digits."""
    return round(float(np.mean(held)), 3)


def show(**told: Any) -> None:
    """Print a line."""
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
