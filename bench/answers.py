"""Measures the answers without a language model on the golden set: citations, abstention, confidence, time.

Run `python -m bench.answers`; it starts a Chroma server of its own and takes about a minute and a half. A citation is
right if its page is graded 2. In "abstention" the positive class is to abstain, among answerable questions and those of
one other kind; a doubtful answer is none. The confidence of dev questions comes from weights fitted without them
(bench/abstention.py); the held-out half was never fitted on. Where the golden set comes from: bench/golden.py;
figures: docs/retrieval.md.
"""

import os
import statistics
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.abstention import CASES, COLUMNS, cross_validated, guide_index, training_rows
from bench.golden import HALVES, RIGHT, Asked, load
from bench.rates import rate
from knowledge.answer import Answer, answer
from knowledge.embeddings import open_minilm
from knowledge.index import Index
from knowledge.sufficiency import Chance, doubt, sufficiency, threshold

NEAR, OFF = "near_miss", "off_topic"
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)


class Given(NamedTuple):
    """One question and what was answered."""

    asked: Asked
    answer: Answer
    chance: Chance
    """The answer's, or for a question that the weights were fitted on, that of weights fitted without it."""


def main() -> None:
    """Print the figures of each half, then the time that answers take."""
    cases = tomllib.loads(CASES.read_text(encoding="utf-8"))
    start = time.perf_counter()
    open_minilm(Path.home() / ".cache" / "luthier").embed(["warm"])
    opened = time.perf_counter() - start
    with guide_index() as index:
        rows = training_rows(index, cases)
        both = (cross_validated(COLUMNS[name], rows) for name in ("guide", "guide.sure"))
        fitted = {row.id: Chance(*map(float, each)) for row, *each in zip(rows, *both, strict=True)}
        given = [give(each, index, fitted) for each in load()]
    for half in HALVES:
        report(half, [each for each in given if each.asked.half == half])
    seconds = [each.answer.seconds for each in given]
    print(f"\nopening the embedding model {opened:.2f} s, paid once; an answer p50 {statistics.median(seconds):.3f} s,")
    print(
        f"p95 {statistics.quantiles(seconds, n=20)[-1]:.3f} s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


def give(asked: Asked, index: Index, fitted: Mapping[str, Chance]) -> Given:
    """Answer one question."""
    said, found = answer(asked.question, index), index.search(asked.question, 8)
    return Given(asked, said, fitted.get(asked.id, sufficiency(asked.question, found)))


def report(half: str, given: Sequence[Given]) -> None:
    """Print one half."""
    answerable = [each for each in given if each.asked.grades]
    answered = [each for each in answerable if not each.answer.abstained]
    cited = [each.asked.grades.get(mark.slug, 0) for each in answered for mark in each.answer.citations]
    right = [any(each.asked.grades.get(mark.slug) == RIGHT for mark in each.answer.citations) for each in answered]
    print(f"\n## {half}\n\nanswerable questions answered: {rate(len(answered), len(answerable))}")
    print(f"answers that cite a page graded 2: {rate(sum(right), len(right))}")
    print(f"citations to a page graded 2: {rate(sum(grade == RIGHT for grade in cited), len(cited))}")
    print(f"citations to a page graded 1 or 2: {rate(sum(grade > 0 for grade in cited), len(cited))}")
    for kind in (OFF, NEAR):
        others = [each for each in given if each.asked.kind == kind]
        print(f"{kind}: {abstention(answerable, others, threshold())}; {auroc(answerable, others)}")
        print(f"  refused or doubted: {unsure(others)}; of the answerable ones {unsure(answerable)}")
    print("at other thresholds:")
    for limit in THRESHOLDS:
        told = [
            abstention(answerable, [each for each in given if each.asked.kind == kind], limit) for kind in (OFF, NEAR)
        ]
        print(f"  {limit:.2f}: {OFF} {told[0]}; {NEAR} {told[1]}")


def abstention(answerable: Sequence[Given], others: Sequence[Given], limit: float) -> str:
    """Write precision, recall and F1 of abstaining below `limit`."""
    wrong = sum(each.chance.near < limit for each in answerable)
    right = sum(each.chance.near < limit for each in others)
    precision = right / (right + wrong) if right + wrong else 0.0
    recall = right / len(others)
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return f"abstention precision {precision:.2f}, recall {recall:.2f} ({right} of {len(others)}), F1 {f1:.2f}"


def unsure(given: Sequence[Given]) -> str:
    """Write how many are refused, or answered with a doubt."""
    return rate(sum(each.chance.near < threshold() or each.chance.sure < doubt() for each in given), len(given))


def auroc(answerable: Sequence[Given], others: Sequence[Given]) -> str:
    """Write how well the confidence ranks answerable questions above the others, with a 95% interval.

    The interval is Hanley and McNeil's (1982): few questions, so it is wide.
    """
    pairs = [(one.chance.sure, two.chance.sure) for one in answerable for two in others]
    area = statistics.fmean(1.0 if one > two else 0.5 if one == two else 0.0 for one, two in pairs)
    n, m = len(answerable), len(others)
    upper, lower = area / (2 - area), 2 * area * area / (1 + area)
    variance = (area * (1 - area) + (n - 1) * (upper - area * area) + (m - 1) * (lower - area * area)) / (n * m)
    half = 1.96 * variance**0.5
    return f"AUROC of the confidence {area:.3f} ({max(0.0, area - half):.2f} to {min(1.0, area + half):.2f})"


if __name__ == "__main__":
    main()
