"""Measures which of two given answers base and tuned model find more likely; it writes no answers and judges nothing.

Run as ``python -m trainers.scripts.evaluate_pairs RUN.json``. Keys: ``base``, ``adapter`` (folders), ``test`` (JSONL,
OpenAI's preference format), ``out`` (folder), ``threads``; optional ``precision``. Writes ``out/pairs.jsonl``: for each
pair the log-probabilities (nats) of both whole answers with their ends of turn, by base and by tuned model, and their
tokens. A pair that the model's context has no room for has null there.
"""

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trainers.scripts.child import Child, ScriptError, only_one, publish_text, run
from trainers.scripts.gpu import hold_gpu
from trainers.scripts.local_model import Runtime, choose_runtime, context_tokens, peak_memory_mib

from trainers.scripts.asking import Models  # isort: skip
from trainers.scripts.chat import Encoded, encode, stop_ids  # isort: skip
from trainers.scripts.decoding import Loss, target_losses  # isort: skip
from trainers.scripts.pairs import read_pairs  # isort: skip
from trainers.scripts.progress import Progress  # isort: skip

USAGE = "Run: python -m trainers.scripts.evaluate_pairs RUN.json"
CHECKED = 4
"""Questions on which the tuned model's logits are compared with the base's, as proof that the adapter is in use."""
AT_ONCE = 32
"""Pairs between two signs of progress."""


class Plan(NamedTuple):
    """RUN.json, checked."""

    base: Path
    adapter: Path
    test: Path
    out: Path
    threads: int
    precision: str = "auto"


def main(child: Child, document: dict[str, Any]) -> None:
    """Let base and tuned model read every pair, then publish."""
    plan = read_plan(document)
    with only_one(plan.out):
        started = time.monotonic()
        measure(child, plan)
        seconds = round(time.monotonic() - started, 1)
        child.emit("done", phase="evaluating", seconds=seconds, peak_memory_mib=peak_memory_mib())


def read_plan(document: dict[str, Any]) -> Plan:
    """Check the keys of RUN.json."""
    missing = [key for key in Plan._fields if key not in document and key not in Plan._field_defaults]
    unknown = sorted(set(document) - set(Plan._fields))
    if missing or unknown:
        raise ScriptError(f"RUN.json: missing keys {missing}, unknown keys {unknown}.", "Write the run file again.")
    return Plan(**{**document, **{key: Path(document[key]) for key in ("base", "adapter", "test", "out")}})


def measure(child: Child, plan: Plan) -> None:
    """Read all pairs with the base, then with the adapter on it, and write what came of it."""
    pairs = read_pairs(plan.test)
    runtime = choose_runtime(plan.precision, plan.threads)
    hold_gpu(runtime.device, child, "evaluating")
    progress = Progress(child, {"base": len(pairs), "tuned": len(pairs)})
    models = Models(plan.base, plan.adapter, runtime, add=progress.add, check=child.check)
    model, tokenizer = models.base()
    ends, room = stop_ids(tokenizer, model), context_tokens(model) or math.inf
    rows = [[encode(tokenizer, side, ends, number) for side in pair] for number, pair in enumerate(pairs, start=1)]
    fitting = [number for number, pair in enumerate(rows) if all(len(side.ids) <= room for side in pair)]
    told = {"base": _read(child, progress, "base", model, runtime, [rows[number] for number in fitting])}
    tuned = models.tuned()
    asked = [rows[number][0].ids[: rows[number][0].trained.index(True)] for number in fitting[:CHECKED]]
    change = models.largest_change(tuned, asked)
    if asked and not change > 0:
        raise ScriptError("The adapter changes nothing: the tuned model is the base model.", "Train again.")
    told["tuned"] = _read(child, progress, "tuned", tuned, runtime, [rows[number] for number in fitting])
    lines = [_line(number, rows, fitting, told) for number in range(len(rows))]
    plan.out.mkdir(parents=True, exist_ok=True)
    publish_text(plan.out / "pairs.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    summary = {"precision": runtime.precision, "device": runtime.device, "max_logit_change": round(change, 4)}
    publish_text(plan.out / "pairs.json", json.dumps(summary, indent=1))


def _read(
    child: Child, progress: Progress, name: str, model: Any, runtime: Runtime, pairs: Sequence[Sequence[Encoded]]
) -> list[list[Loss]]:
    """Return the two losses of each pair."""
    progress.begin(name)
    found: list[list[Loss]] = []
    for start in range(0, len(pairs), AT_ONCE):
        some = pairs[start : start + AT_ONCE]
        flat = target_losses(model, runtime, [side for pair in some for side in pair], child.check)
        found += [flat[place : place + 2] for place in range(0, len(flat), 2)]
        progress.add(len(some))
    progress.finish(name)
    return found


def _line(
    number: int, rows: Sequence[Sequence[Encoded]], fitting: Sequence[int], told: dict[str, list[list[Loss]]]
) -> dict[str, Any]:
    tokens = [sum(side.trained) for side in rows[number]]
    line: dict[str, Any] = {"row": number + 1, "tokens": tokens}
    place = fitting.index(number) if number in fitting else None
    sides = {name: None if place is None else [-loss.total for loss in losses[place]] for name, losses in told.items()}
    return line | sides


if __name__ == "__main__":
    run(main, USAGE)
