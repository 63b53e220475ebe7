"""Measures rows a second of our offline evaluation beside a plain generate loop: same rows, prompts and precision.

Run as: python -m bench.evaluation [--rows 60] [--repeats 3] [--precision float32] [--json], or with --whole

Rows and prompts are the shipped example's as the arms base_plain and base_few_shot ask them; which few-shot prompt wins
the choice is fixed here (the eight most similar rows as earlier turns), so that runs compare. Both loops are timed in
turn in one process, part by part, because other work on the machine comes and goes; the figure is the median of the
ratios, once of wall time and once of the process's CPU time, which a crowded machine disturbs less. In float32 equal
answers are a condition; in bfloat16 the shape of a batch decides how sums are rounded: differing answers are counted.

``--whole`` times everything that an evaluation has the base answer, once by each loop: the rows with the plain prompt,
the choice among few-shot prompts on training rows, the rows with the chosen one, and the 340 probes.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

from bot.settings import Settings
from knowledge import weights
from trainers.backends.local import BASES
from trainers.data.examples import EXAMPLES

BASE = "smollm2-135m-instruct"
LABELS = ["account", "billing", "delivery", "returns", "workshop"]
SEED = 7
ARMS = ("base_plain", "base_few_shot")


class Pair(NamedTuple):
    """One arm, answered once by each loop."""

    ours: float
    """Seconds of wall time, as all here."""
    plain: float
    ours_cpu: float
    """Seconds of CPU time over all threads."""
    plain_cpu: float
    differ: int
    """Rows whose answers differ."""


def main() -> None:
    """Measure each precision and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60, help="held-out rows, 60 at most")
    parser.add_argument("--repeats", type=int, default=3, help="times that both loops run")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), action="append", help="default: both")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--whole", action="store_true", help="a whole evaluation by both loops, once; takes minutes")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    base = prepared(Settings.from_env().cache)
    if chosen.whole:
        for precision in chosen.precision or ("float32", "bfloat16"):
            print(json.dumps({"precision": precision, **whole(base, precision, chosen.rows, chosen.threads)}))
        return
    figures = {
        precision: measure(base, precision, chosen.rows, chosen.repeats, chosen.threads)
        for precision in chosen.precision or ("float32", "bfloat16")
    }
    print(json.dumps(figures) if chosen.json else "\n".join(in_words(name, found) for name, found in figures.items()))


def prepared(cache: Path) -> Path:
    """Return the base's folder, unpacked first where this machine lacks it, as the product does."""
    folder = cache / "models" / BASE
    if not (folder / "model.safetensors").exists():
        source = weights.ensure(BASES[BASE], cache)
        folder.parent.mkdir(parents=True, exist_ok=True)
        run = folder.parent / "dequantise.json"
        run.write_text(json.dumps({"gguf": str(source), "out": str(folder)}))
        argv = [sys.executable, "-m", "trainers.scripts.dequantise", str(run)]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    return folder


def measure(base: Path, precision: str, count: int, repeats: int, threads: int) -> dict[str, Any]:
    """Answer the rows of both arms with both loops, in turn."""
    from trainers.scripts.chat import prompt_ids, read_rows, reply_limit, stop_ids
    from trainers.scripts.decoding import greedy
    from trainers.scripts.local_model import choose_runtime, load_base
    from trainers.scripts.prompting import Candidate, Examples, answer

    runtime = choose_runtime(precision, threads)
    model, tokenizer = load_base(base, runtime)
    train, test = read_rows(EXAMPLES["tickets"].train), read_rows(EXAMPLES["tickets"].test)[:count]
    examples = Examples(train, LABELS, SEED)
    few = Candidate("similar", 8, "turns", told=False)
    asked = {"base_plain": [r[:-1] for r in test], "base_few_shot": [examples.prompt(few, r) for r in test]}
    ends, limit = stop_ids(tokenizer, model), reply_limit(tokenizer, [*map(answer, train), *LABELS], 512)
    found: dict[str, list[Pair]] = {arm: [] for arm in ARMS}
    for turn in range(repeats):
        for arm in ARMS:
            ids = [prompt_ids(tokenizer, prompt) for prompt in asked[arm]]
            loops: list[Callable[[], list[list[int]]]] = [
                lambda ids=ids: [a.ids for a in greedy(model, runtime, ids, ends=ends, max_new_tokens=limit)],
                lambda ids=ids: [alone(model, one, ends, limit) for one in ids],
            ]
            timed = {place: clocked(loops[place]) for place in ((0, 1), (1, 0))[turn % 2]}  # ABBA: no side goes first
            differ = sum(a != b for a, b in zip(timed[0][1], timed[1][1], strict=True))
            if differ and precision == "float32":
                raise SystemExit(f"{arm}: {differ} of {len(ids)} answers differ from the plain loop's.")
            found[arm].append(Pair(timed[0][0], timed[1][0], timed[0][2], timed[1][2], differ))
            print(precision, arm, found[arm][-1], file=sys.stderr, flush=True)
    return summed(found, len(test), limit)


def whole(base: Path, precision: str, count: int, threads: int) -> dict[str, Any]:
    """Run the product's own evaluation of the base twice, the second time with the plain loop in place of ours."""
    from trainers.scripts import asking

    ours = asking.greedy
    made: dict[str, tuple[dict[str, float], dict[str, list[str]]]] = {}
    for name, loop in (("ours", ours), ("plain", plain_greedy)):
        asking.greedy = loop
        try:
            made[name] = evaluated(base, precision, count, threads)
        finally:
            asking.greedy = ours
        print(precision, name, made[name][0], file=sys.stderr, flush=True)
    (seconds, answers), (plain_seconds, plain_answers) = made["ours"], made["plain"]
    differ = {part: sum(a != b for a, b in zip(answers[part], plain_answers[part], strict=True)) for part in answers}
    return {
        "speed_up": round(sum(plain_seconds.values()) / sum(seconds.values()), 2),
        "speed_ups": {part: round(plain_seconds[part] / seconds[part], 2) for part in seconds},
        "seconds": seconds,
        "plain_seconds": plain_seconds,
        "answers": {part: len(lines) for part, lines in answers.items()},
        "differ": differ,
    }


def evaluated(base: Path, precision: str, count: int, threads: int) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Return seconds and answers of each part of an evaluation of the base on the shipped example."""
    from trainers.evals.probes.suite import load_probes, write_for_child
    from trainers.scripts.evaluate_arms import Evaluation, read_plan

    with tempfile.TemporaryDirectory() as folder:
        out, test = Path(folder), Path(folder) / "test.jsonl"
        lines = EXAMPLES["tickets"].test.read_text("utf-8").splitlines(keepends=True)
        test.write_text("".join(lines[:count]), "utf-8")
        write_for_child(out / "probes.jsonl", load_probes())
        plan = {"base": base, "adapter": None, "train": EXAMPLES["tickets"].train, "test": test, "out": out}
        plan |= {
            "labels": LABELS,
            "seed": SEED,
            "threads": threads,
            "precision": precision,
            "probes": out / "probes.jsonl",
        }
        plan |= {"arms": list(ARMS)}
        Evaluation(cast(Any, Unheard()), read_plan(plan)).run()
        parts = {part: json.loads((out / "arms" / f"{part}.json").read_text()) for part in (*ARMS, "probes_base")}
    return (
        {part: found["notes"]["seconds"] for part, found in parts.items()},
        {part: [row["output"] for row in found["rows"]] for part, found in parts.items()},
    )


class Unheard:
    """A child that nobody listens to or stops."""

    def emit(self, event: str, **fields: object) -> None:
        """Say nothing."""

    def check(self) -> None:
        """Go on."""


def plain_greedy(model: Any, runtime: Any, prompts: Any, *, ends: set[int], max_new_tokens: Any, **heard: Any) -> Any:
    """Answer one prompt after the other with the library's own loop, in the place of `greedy`."""
    from trainers.scripts.decoding import Answer

    limits = [max_new_tokens] * len(prompts) if isinstance(max_new_tokens, int) else max_new_tokens
    written = [alone(model, list(prompt), ends, limit) for prompt, limit in zip(prompts, limits, strict=True)]
    heard["on_batch"](len(written))
    return [Answer(ids, len(ids) < limit, 0.0) for ids, limit in zip(written, limits, strict=True)]


def alone(model: Any, prompt: list[int], ends: set[int], limit: int) -> list[int]:
    """Return what the library's own loop writes for one row, without the end of the turn."""
    import torch

    ids = torch.tensor([prompt])
    with torch.inference_mode():
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=limit, do_sample=False)
    written: list[int] = out[0, len(prompt) :].tolist()
    return written[:-1] if written[-1] in ends else written


def clocked(work: Callable[[], list[list[int]]]) -> tuple[float, list[list[int]], float]:
    """Return the wall time that some work took, what came of it, and its CPU time."""
    begun, cpu = time.perf_counter(), time.process_time()
    made = work()
    return time.perf_counter() - begun, made, time.process_time() - cpu


def summed(found: dict[str, list[Pair]], rows: int, limit: int) -> dict[str, Any]:
    """Return medians over the repeats, for each arm and for both together."""
    both = [Pair(*map(sum, zip(*turn, strict=True))) for turn in zip(*found.values(), strict=True)]

    def figures(pairs: list[Pair], answers: int) -> dict[str, Any]:
        ratios = [pair.plain / pair.ours for pair in pairs]
        return {
            "speed_up": round(statistics.median(ratios), 2),
            "speed_ups": [round(ratio, 2) for ratio in ratios],
            "cpu_speed_up": round(statistics.median(pair.plain_cpu / pair.ours_cpu for pair in pairs), 2),
            "rows_per_second": round(answers / statistics.median(pair.ours for pair in pairs), 2),
            "plain_rows_per_second": round(answers / statistics.median(pair.plain for pair in pairs), 2),
            "differ": max(pair.differ for pair in pairs),
            "answers": answers,
        }

    arms = {arm: figures(pairs, rows) for arm, pairs in found.items()}
    return {"rows": rows, "max_new_tokens": limit, **figures(both, rows * len(found)), "arms": arms}


def in_words(precision: str, found: dict[str, Any]) -> str:
    """Say one precision's figures in a line for each arm."""
    lines = [(f"{precision}, both arms", found), *((f"  {arm}", value) for arm, value in found["arms"].items())]
    return "\n".join(
        f"{name:<24} {value['rows_per_second']:>7.2f} rows/s, plain loop {value['plain_rows_per_second']:>6.2f}: "
        f"{value['speed_up']:.1f} times as fast ({value['cpu_speed_up']:.1f} by CPU time); "
        f"{value['differ']} of {value['answers']} answers differ"
        for name, value in lines
    )


if __name__ == "__main__":
    main()
