"""Scores the advice on cases with a known answer: exact, acceptable, harmful, with Wilson intervals and confusion.

Run `python -m bench.advice [--cases FILE]`. FILE has JSON lines with id, use_case, expected and optionally
also_acceptable and not_recommended; without it the published cases and those that we wrote ourselves are scored.
The weights are hand-set, and the vocabulary was written with the published cases in view, so their figure is an
upper bound. The cases of our own came in five batches; the fair figure is the first pass, before we read the misses.
"""

import argparse
import json
import math
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.advice.advise import advise
from knowledge.advice.rubric import OPTIONS

DATA = Path(__file__).parent / "data"
FIRST_PASS = {"A": (33, 44), "B": (30, 42), "C": (14, 32), "D": (18, 27), "E": (13, 25)}
"""Exact answers on each batch of our own cases when it was new (2026-11-22); later passes are no test any more."""
REPEATS = 5


class Scored(NamedTuple):
    """One case and what came out."""

    case: dict[str, Any]
    answer: str
    confidence: str
    seconds: float


def main() -> None:
    """Score one file, or both of ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, help="JSON lines with id, use_case, expected")
    chosen = parser.parse_args().cases
    advise("warm up")
    for path in [chosen] if chosen else [DATA / "advice_cases.jsonl", DATA / "advice_own_cases.jsonl"]:
        lines = path.read_text("utf-8").splitlines()
        report(path.name, [score(json.loads(line)) for line in lines if line.strip()])
    if not chosen:
        right, total = (sum(column) for column in zip(*FIRST_PASS.values(), strict=True))
        print("\nfirst pass on our own batches, before their misses were read:")
        for name, (hits, size) in {**FIRST_PASS, "all": (right, total)}.items():
            print(f"  {name:4} {rate(hits, size)}")


def score(case: dict[str, Any]) -> Scored:
    """Advise on one case and time it (median of a few runs, seconds)."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        advice = advise(case["use_case"])
        times.append(time.perf_counter() - start)
    return Scored(case, advice.recommendation, advice.confidence, statistics.median(times))


def report(name: str, rows: list[Scored]) -> None:
    """Print the rates, the confusion table and the misses of one file."""
    exact = [row.answer == row.case["expected"] for row in rows]
    fine = [ok or row.answer in row.case.get("also_acceptable", ()) for ok, row in zip(exact, rows, strict=True)]
    barred = [row for row in rows if "not_recommended" in row.case]
    harmful = [row for row in barred if row.answer in row.case["not_recommended"]]
    majority = max(Counter(row.case["expected"] for row in rows).values())
    print(f"\n{name} (n={len(rows)})")
    print(f"  exact                {rate(sum(exact), len(rows))}")
    print(f"  exact or acceptable  {rate(sum(fine), len(rows))}")
    print(f"  majority baseline    {rate(majority, len(rows))}")
    if barred:
        print(f"  not_recommended      {len(harmful)} of {len(barred)} cases that name one")
    for level in ("high", "medium", "low"):
        hits = [ok for ok, row in zip(fine, rows, strict=True) if row.confidence == level]
        print(f"  confidence {level:6}    {rate(sum(hits), len(hits)) if hits else 'none'}")
    print(f"  latency p50          {1000 * statistics.median(row.seconds for row in rows):.1f} ms")
    confusion(rows)
    for ok, row in zip(fine, rows, strict=True):
        if not ok:
            print(f"  miss {row.case['id']}: expected {row.case['expected']}, got {row.answer} ({row.confidence})")


def confusion(rows: list[Scored]) -> None:
    """Print expected (down) against recommended (across)."""
    counts = Counter((row.case["expected"], row.answer) for row in rows)
    print("  " + " " * 16 + "".join(f"{option:>16}" for option in OPTIONS))
    for expected in OPTIONS:
        print(f"  {expected:16}" + "".join(f"{counts[expected, answer]:16}" for answer in OPTIONS))


def rate(hits: int, total: int, z: float = 1.96) -> str:
    """Write a share with its 95% Wilson interval."""
    share, spread = hits / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return f"{hits}/{total} = {share:.0%} (95% interval {middle - half:.0%} to {middle + half:.0%})"


if __name__ == "__main__":
    main()
