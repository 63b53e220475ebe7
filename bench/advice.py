"""Scores the advice on cases with a known answer: exact, acceptable, harmful, with Wilson intervals and confusion.

Run `python -m bench.advice [--cases FILE] [--reader NAME] [--held-out]`. FILE has JSON lines with id, use_case,
expected and optionally also_acceptable, not_recommended, source and source_kind; without it the published cases, those
that we wrote ourselves and the rewordings are scored, by every reader whose weights are here. Baselines leave out the
source of the case that they answer. The weights are hand-set, and the vocabulary was written with the first published
cases in view, so their figure is an upper bound. The cases of our own came in five batches; the fair figure is the
first pass, before we read the misses. `--held-out` adds two files that are kept unread: only their rates are printed.
"""

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.baselines import majority, nearest
from bench.rates import rate
from bench.readers import NAMES, readers, shipped
from knowledge.advice.advise import advise
from knowledge.advice.reader import Reader
from knowledge.advice.rubric import OPTIONS

DATA = Path(__file__).parent / "data"
PUBLISHED = ("advice_cases.jsonl", "advice_published_a.jsonl", "advice_published_c.jsonl")
FILES = (*PUBLISHED, "advice_own_cases.jsonl")
HELD_OUT = ("advice_published_b.jsonl", "advice_published_d.jsonl")
"""Never read by anybody who works on rubric or readers."""
REWORDINGS = "advice_rewordings.jsonl"
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
    """Score one file, or all of ours."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, help="JSON lines with id, use_case, expected")
    parser.add_argument("--reader", choices=NAMES, help="score this one alone; default: all that are here")
    parser.add_argument("--held-out", action="store_true", help="score the unread cases too, without their misses")
    parser.add_argument("--brief", action="store_true", help="print no misses")
    chosen = parser.parse_args()
    found = readers()
    if chosen.reader and chosen.reader not in found:
        parser.error(f"the weights of the reader {chosen.reader} are not here")
    found = {chosen.reader: found[chosen.reader]} if chosen.reader else found
    for path in [chosen.cases] if chosen.cases else [DATA / name for name in FILES]:
        report(path.name, lines(path), found, misses=not chosen.brief)
    if chosen.held_out:
        for name in HELD_OUT:
            report(name, lines(DATA / name), found, misses=False)
    if not chosen.cases:
        rewordings(found[shipped(found) if not chosen.reader else chosen.reader])
        first_pass()


def lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def score(case: dict[str, Any], reader: Reader) -> Scored:
    """Advise on one case and time it (median of a few runs, seconds)."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        advice = advise(case["use_case"], reader=reader)
        times.append(time.perf_counter() - start)
    return Scored(case, advice.recommendation, advice.confidence, statistics.median(times))


def report(name: str, cases: list[dict[str, Any]], found: Mapping[str, Reader], *, misses: bool) -> None:
    """Print baselines and readers on one file; confusion, calibration and misses of the best reader here."""
    print(f"\n{name} (n={len(cases)})")
    for title, answers in (("majority", majority(cases)), ("nearest case", nearest(cases))):
        told = [Scored(case, answer, "", 0.0) for case, answer in zip(cases, answers, strict=True)]
        print(f"  {title}, leaving out its source:{rates(told)}")
    scored = {}
    for title, reader in found.items():
        advise("warm up", reader=reader)
        scored[title] = [score(case, reader) for case in cases]
        print(f"  {title}:{rates(scored[title])}")
        print(f"    latency p50 {1000 * statistics.median(row.seconds for row in scored[title]):.1f} ms")
    best = scored[shipped(found) if shipped(found) in found else next(iter(found))]
    calibration(best)
    confusion(best)
    for row in best if misses else ():
        if not fine(row):
            print(f"  miss {row.case['id']}: expected {row.case['expected']}, got {row.answer} ({row.confidence})")


def rates(rows: Sequence[Scored]) -> str:
    """Write the shares of exact, acceptable and harmful answers."""
    exact = sum(row.answer == row.case["expected"] for row in rows)
    barred = [row for row in rows if "not_recommended" in row.case]
    harmful = sum(row.answer in row.case["not_recommended"] for row in barred)
    told = [f"exact {rate(exact, len(rows))}", f"or acceptable {rate(sum(map(fine, rows)), len(rows))}"]
    if barred:
        told.append(f"not_recommended {harmful} of {len(barred)} cases that name one")
    return "\n    ".join(["", *told])


def fine(row: Scored) -> bool:
    """Tell whether an answer is the expected one or acceptable beside it."""
    return row.answer == row.case["expected"] or row.answer in row.case.get("also_acceptable", ())


def calibration(rows: Sequence[Scored]) -> None:
    """Print how often each confidence was right: a level that is not right more often than the next lower one lies."""
    print("  confidence       share of cases   exact or acceptable")
    for level in ("high", "medium", "low"):
        hits = [fine(row) for row in rows if row.confidence == level]
        print(f"    {level:12} {len(hits) / len(rows):15.0%}   {rate(sum(hits), len(hits))}")


def confusion(rows: Sequence[Scored]) -> None:
    """Print expected (down) against recommended (across)."""
    counts = Counter((row.case["expected"], row.answer) for row in rows)
    print("  " + " " * 16 + "".join(f"{option:>16}" for option in OPTIONS))
    for expected in OPTIONS:
        print(f"  {expected:16}" + "".join(f"{counts[expected, answer]:16}" for answer in OPTIONS))


def rewordings(reader: Reader) -> None:
    """Print how many rewordings of a published case get the answer of their case, and how many cases keep it in all."""
    answers = {case["id"]: advise(case["use_case"], reader=reader) for case in lines(DATA / FILES[0])}
    told = lines(DATA / REWORDINGS)
    same: dict[str, list[bool]] = {}
    print(f"\n{REWORDINGS} (n={len(told)})")
    for each in told:
        answer, wanted = advise(each["use_case"], reader=reader).recommendation, answers[each["id"]].recommendation
        same.setdefault(each["id"], []).append(answer == wanted)
        if answer != wanted:
            print(f"  turned {each['id']} #{each['n']}: {wanted} became {answer}")
    kept = [ok for each in same.values() for ok in each]
    print(f"  same answer as their case   {rate(sum(kept), len(kept))}")
    print(f"  same in all its rewordings  {rate(sum(map(all, same.values())), len(same))}")


def first_pass() -> None:
    """Print what each batch of our own gave when it was new."""
    right, total = (sum(column) for column in zip(*FIRST_PASS.values(), strict=True))
    print("\nfirst pass on our own batches, before their misses were read:")
    for name, (hits, size) in {**FIRST_PASS, "all": (right, total)}.items():
        print(f"  {name:4} {rate(hits, size)}")


if __name__ == "__main__":
    main()
