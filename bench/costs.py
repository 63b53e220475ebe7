"""Prices the same work with Luthier, litellm and ftuneai in one run and explains each difference.

Run: python -m bench.costs --python VENV/bin/python, where VENV has litellm and ftuneai (`pip install litellm ftuneai`):
they pin what does not fit beside ours, so they are asked in a process of their own, offline.
"""

import argparse
import json
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from trainers.costs.assumptions import Assumptions
from trainers.costs.book import Sheet, all_sheets, books
from trainers.costs.estimate import shipped_shelf
from trainers.costs.facts import HERE
from trainers.costs.names import find_model
from trainers.costs.parts import Case, requests, training, training_hours
from trainers.costs.workload import Workload

REQUESTS = 30_000
LOAD = Workload(examples=5000, prompt_tokens=Decimal(500), completion_tokens=Decimal(100), epochs=3)
CARDS = {
    "h100": "H100-80GB",
    "a100": "A100-80GB",
    "l40s": "L40S",
    "l4": "L4-24GB",
    "rtx-4090": "RTX-4090-24GB",
    "t4": "T4-16GB",
}
PEAKS = tomllib.loads((HERE / "gpu_speed.toml").read_text("utf-8"))["peak_tflops"]
NOT_SERVED = "ftuneai lists no rent of this card"

CHILD = """
import json, os, sys
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm
from importlib.metadata import version
asked = json.load(sys.stdin)
told = {"versions": {name: version(name) for name in ("litellm", "ftuneai")}, "requests": [], "cards": {}}
for row in asked["requests"]:
    try:
        tokens = {"prompt_tokens": row["prompt"], "completion_tokens": row["completion"]}
        cost = litellm.cost_per_token(model=row["key"], **tokens, cache_read_input_tokens=row["cached"])
        told["requests"].append(sum(cost))
    except Exception as error:
        told["requests"].append(type(error).__name__)
from ftuneai.estimator import Estimator
from ftuneai.loader import get_gpu
made = Estimator(model="meta-llama/Llama-3.1-8B", method="qlora", quantization="4bit", batch_size=8, seq_length=600)
for ours, theirs in asked["cards"].items():
    try:
        time = made.estimate_time(gpu=theirs, dataset_size=asked["rows"], epochs=asked["epochs"],
                                  avg_seq_length=asked["tokens"])
        costs = made._cost_estimator.estimate_for_gpu(theirs, 1.0)
        clock, card = made._time_estimator, get_gpu(theirs)
        work = {"flops": clock._compute_flops_per_token(), "peak": clock._get_gpu_tflops(card), "use": clock._get_mfu()}
        hours = work["flops"] * time.total_tokens / (work["peak"] * 1e12 * work["use"]) / 3600
        told["cards"][ours] = {"hours": hours, "rents": [cost.hourly_rate for cost in costs], **work}
    except Exception as error:
        told["cards"][ours] = {"error": type(error).__name__ + ": " + str(error)[:80]}
print(json.dumps(told))
"""  # run as it is by another interpreter


class Row(NamedTuple):
    """One comparison."""

    what: str
    ours: str
    theirs: str
    why: str


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="interpreter of the environment with litellm and ftuneai")
    told, asked = compared(parser.parse_args().python)
    rows = [*request_rows(told, asked), *card_rows(told)]
    print(f"versions: {told['versions']}, {datetime.now(UTC).date()}")
    print(f"{'what':58} {'ours':>12} {'theirs':>18}  why")
    for row in rows:
        print(f"{row.what:58} {row.ours:>12} {row.theirs:>18}  {row.why}")
    same = sum(row.why == "same" for row in rows)
    print(f"{len(rows)} rows, {same} the same, {len(rows) - same} explained")


def compared(python: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Ask the other two; returns what they said and the requests that they were asked about."""
    asked = [row for sheet in all_sheets(books()) for row in _asked(sheet)]
    work = {"rows": LOAD.examples, "epochs": LOAD.epochs, "tokens": int(LOAD.prompt_tokens + LOAD.completion_tokens)}
    given = json.dumps({"requests": asked, "cards": CARDS, **work})
    done = subprocess.run([python, "-c", CHILD], input=given, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told, asked


def _asked(sheet: Sheet) -> Iterator[dict[str, Any]]:
    for kind, key in sheet.litellm.items():
        for cached in (0, 1500):
            if not cached or f"{kind}_cached" in sheet.prices:
                about = {"provider": sheet.provider, "model": sheet.model, "kind": kind}
                yield {**about, "key": key, "prompt": 2000, "completion": 100, "cached": cached}


def request_rows(told: dict[str, Any], asked: list[dict[str, Any]]) -> Iterator[Row]:
    """Compare requests of 2,000 and 100 tokens, without and with 1,500 tokens from the cache."""
    for row, theirs in zip(asked, told["requests"], strict=True):
        ours = _ours(row)
        what = f"{row['provider']} {row['model']} {row['kind']}, {row['cached']} cached, x {REQUESTS:,}"
        if isinstance(theirs, str):
            yield Row(what, f"{ours:.4f}", theirs, f"litellm does not price {row['key']} by this function")
            continue
        many = theirs * REQUESTS
        same = abs(many - ours) < 1e-6 * max(1.0, ours)
        yield Row(what, f"{ours:.4f}", f"{many:.4f}", "same" if same else _why(row, ours, many))


def _ours(row: dict[str, Any]) -> float:
    offer = shipped_shelf().offer(find_model(row["model"]), row["provider"], "rtx-4090")
    load = Workload(examples=1, prompt_tokens=Decimal(2000), completion_tokens=Decimal(100))
    case = Case(offer=offer, workload=load, assumptions=Assumptions.of({}))
    found = requests(case, row["kind"], Decimal(REQUESTS), cached=Decimal(row["cached"]) / 2000)
    if found is None:
        raise SystemExit(f"{row} has no price of ours")
    return float(found.expected)


def _why(row: dict[str, Any], ours: float, theirs: float) -> str:
    if row["cached"] and theirs > ours:
        return "litellm bills cached tokens at the full price here"
    return f"differs by {theirs / ours - 1:+.1%}: look at both books"


def card_rows(told: dict[str, Any]) -> Iterator[Row]:
    """Compare the hours and the cost of training Llama 3.1 8B on each card."""
    for card, theirs in told["cards"].items():
        offer = shipped_shelf().offer(find_model("llama-3.1-8b-instruct"), "rented_gpu", card)
        case = Case(offer=offer, workload=LOAD, assumptions=Assumptions.of({"gpu": card}))
        tokens = LOAD.epoch_tokens(case.spread).times(LOAD.epochs or 1)
        hours, cost = training_hours(case, tokens), training(case, LOAD.epochs or 1)
        if hours is None or cost is None:
            continue
        if "error" in theirs:
            yield Row(f"8B on {card}: hours", f"{hours.expected:.2f}", "-", theirs["error"])
            continue
        ratio = theirs["hours"] / float(hours.expected)
        per, peak, use = theirs["flops"] / 8e9, theirs["peak"], theirs["use"]
        why = (
            f"theirs x {ratio:.2f}: {per:.1f} FLOPs a parameter (6), peak {peak:g} TFLOPS ({PEAKS[card]}), "
            f"use {use:.0%} (25%); ours is {hours.low:.2f} to {hours.high:.2f}"
        )
        yield Row(f"8B on {card}: hours", f"{hours.expected:.2f}", f"{theirs['hours']:.2f}", why)
        rents = theirs["rents"]
        if not rents:
            yield Row(f"8B on {card}: dollars", f"{cost.expected:.2f}", "-", NOT_SERVED)
            continue
        low, high = (rent * theirs["hours"] for rent in (min(rents), max(rents)))
        rent = offer.sheet.prices["hosting"]
        why = f"rents {min(rents)}-{max(rents)} of 2025-02-10 against {rent.price.text} of {rent.source.as_of}"
        yield Row(f"8B on {card}: dollars", f"{cost.expected:.2f}", f"{low:.2f}-{high:.2f}", why)


if __name__ == "__main__":
    main()
