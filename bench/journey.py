"""Measures the whole journey on the shipped example: start, first answer, fine-tune, evaluation, report.

Run as: python -m bench.journey [--data DIR]   (prints one JSON line; figures go to docs/performance.md)
"""

import argparse
import json
import os
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.console import Json, wait_for
from tests.whole import Whole

QUESTION = "<@U0LUTHIER> What is QLoRA?"


def main() -> None:
    """Run the journey once and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="data folder; default: a new one")
    chosen = parser.parse_args().data
    with tempfile.TemporaryDirectory() as fresh:
        print(json.dumps(measure(chosen or Path(fresh))))


def measure(data: Path) -> dict[str, Any]:
    """Start, ask, train, report, stop, start again."""
    begun = time.monotonic()
    whole = Whole(data)
    figures: dict[str, Any] = {"cores": os.cpu_count(), "start_s": since(begun)}
    try:
        figures["first_answer_after_start_s"] = asked(whole)
        figures["next_answer_s"] = asked(whole)
        figures |= trained(whole)
        whole.stop()
        begun = time.monotonic()
        whole.start()
        figures["warm_start_s"] = since(begun)
        figures["warm_answer_s"] = asked(whole)
    finally:
        whole.stop()
    return figures


def asked(whole: Whole) -> float:
    """Ask the guide and return the seconds until the answer stood in the thread."""
    begun = time.monotonic()
    said = whole.hands.send(QUESTION)
    whole.hands.wait_message("Sources", thread_ts=said["ts"], timeout=180)
    return since(begun)


def trained(whole: Whole) -> dict[str, Any]:
    """Train on the shipped example and return wall time and scores."""
    whole.hands.command("/tune train")
    view = whole.hands.wait_view(timeout=10)
    seen = len(whole.hands.messages())
    whole.hands.submit(view, {"rows": "Shipped example: tickets"})
    root: Json = wait_for(lambda: whole.hands.messages()[seen:], 20, what="the root message")[-1]
    card = whole.hands.wait_message("Approve and start", thread_ts=root["ts"], timeout=20)
    begun = time.monotonic()
    whole.hands.click(card, "Approve and start")
    whole.hands.wait_message("Try it", thread_ts=root["ts"], timeout=1800)
    wall = since(begun)
    with sqlite3.connect(whole.data / "luthier.db") as connection:
        result = json.loads(connection.execute("select result from job order by created_at desc limit 1").fetchone()[0])
    report, (tokens, training, rows, evaluation) = result["report"], result["timing"]
    return {
        "approve_to_report_s": wall,
        "training_s": round(training, 1),
        "trained_tokens_per_s": round(tokens / training, 1),
        "evaluation_s": round(evaluation, 1),
        "evaluated_rows_per_s": round(rows * len(report["arms"]) / evaluation, 2),
        "arms": {
            arm["arm"]: f"{arm['right']}/{arm['n']} ({arm['low']:.2f}-{arm['high']:.2f})" for arm in report["arms"]
        },
        "difference": [round(report["verdict"][name], 3) for name in ("difference", "low", "high")],
        "verdict": report["verdict"]["outcome"],
    }


def since(begun: float) -> float:
    """Return the seconds since a moment of the monotonic clock."""
    return round(time.monotonic() - begun, 1)


if __name__ == "__main__":
    main()
