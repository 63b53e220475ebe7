"""Measures rows a second over the shipped chat rehearsal: 200 ms an answer, 10 calls a second, 1, 4 and 16 at a time.

PYTHONPATH=. python -m bench.endpoint [--rows 100]
With --bill TRAIN TEST it measures instead how long the bill of so many rows, of 20 to 80 made-up words each, takes.
"""

import argparse
import random
import tempfile
import time
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

from tests.trainers.evals.endpoint.fake import running
from trainers.data.jsonl import Message, Row
from trainers.evals.endpoint import Endpoint, Journal, Limits, Meter, Question, answer_over
from trainers.evals.endpoint.contest import Contest, bill
from trainers.evals.metrics.operations import TokenPrices
from trainers.rehearsal.chat_models import TUNED

LATENCY, PER_SECOND = 0.2, 10


def measure(rows: int, concurrency: int, per_second: float) -> tuple[float, int, int]:
    """Return rows a second, refusals and rows without an answer."""
    right = {f"Where is parcel {n}?": "delivery" for n in range(rows)}
    questions = [Question(TUNED, (("user", text),), 16) for text in right]
    meter = Meter({TUNED: TokenPrices(Decimal(1), Decimal(2))}, Decimal(10))
    limits = Limits.shipped(concurrency=concurrency)
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        fake = held.enter_context(running(folder, right, latency=LATENCY, per_second=per_second))
        journal = Journal(folder / "answers.jsonl")
        held.callback(journal.close)
        started = time.perf_counter()
        outcome = answer_over(Endpoint(url=fake.url), questions, limits=limits, meter=meter, journal=journal)
        seconds = time.perf_counter() - started
    return len(outcome.replies) / seconds, outcome.busy, len(outcome.missing)


def measure_bill(train: int, test: int) -> None:
    """Print the seconds that a bill takes, and its figures; words are as frequent as in English (Zipf)."""
    draw = random.Random(5)  # noqa: S311  # made-up words, no secret
    words = ["".join(draw.choices("etaoinshrdlucm", range(14, 0, -1), k=draw.randint(2, 10))) for _ in range(6000)]
    often = [1 / (place + 2) for place in range(len(words))]
    labels = ("account", "billing", "delivery", "returns")

    def row(line: int) -> Row:
        text = " ".join(draw.choices(words, often, k=draw.randint(20, 80)))
        return Row(line, (Message("user", text), Message("assistant", draw.choice(labels))))

    rows = [[row(line) for line in range(1, count + 1)] for count in (train, test)]
    contest = Contest(base="base", tuned="tuned", train=rows[0], test=rows[1], labels=labels)
    prices = dict.fromkeys(("base", "tuned"), TokenPrices(Decimal(1), Decimal(2)))
    started, busy = time.perf_counter(), time.process_time()
    found = bill(contest, prices)
    took, worked = time.perf_counter() - started, time.process_time() - busy
    print(f"{train:,} training and {test:,} test rows: {took:.1f} s, {worked:.1f} s of CPU time; {found.to_json()}")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--bill", type=int, nargs=2, metavar=("TRAIN", "TEST"))
    given = parser.parse_args()
    if given.bill:
        measure_bill(*given.bill)
        return
    rows = given.rows
    print(f"{rows} rows, {LATENCY * 1000:.0f} ms an answer")
    print("at a time  limit/s  rows/s  429s  missing")
    for per_second in (PER_SECOND, 0):
        for concurrency in (1, 4, 16):
            rate, busy, missing = measure(rows, concurrency, per_second)
            print(f"{concurrency:9}  {per_second or '-':>7}  {rate:6.2f}  {busy:4}  {missing:7}")


if __name__ == "__main__":
    main()
