"""Whether what `convert` writes is taken: every input format to every target, then linted. Run: python -m bench.convert

Each file has `--rows` rows of the linter's bench and beside them rows that no target takes (a key, an unknown role, two
questions in a row, no answer, an empty one). The table gives rows written, lines named, and what the linter blocks in
the new file, which has to be nothing. Exit 1 if it is something.
"""

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.lint import write_rows
from trainers.data.converting import DESTINATIONS, convert
from trainers.data.counting import counter
from trainers.data.limits import shell_limits, target_limits, target_names
from trainers.data.lint import lint

Turns = list[dict[str, str]]
_WORSE = "I do not know."
_SPEAKERS = {"user": "human", "assistant": "gpt"}


def main() -> None:
    """Convert and lint, and print a line for each pair."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=1_000)
    rows = options.parse_args().rows
    blocked = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, path in _files(Path(folder), rows):
            for to in DESTINATIONS:
                blocked += _tried(name, path, to, Path(folder) / "out")
    sys.exit(1 if blocked else 0)


def _tried(name: str, path: Path, to: str, out: Path) -> int:
    """Convert one file, lint the outcome and return how much the linter blocks."""
    target = to if to in target_names() else "local"
    exact = target_limits(target).vocabulary == "o200k_base"
    count = counter("o200k_base" if exact else "estimate")
    started = time.perf_counter()
    done = convert(path, out, to=to, skip=True, count=count if to in target_names() else None)
    seconds = time.perf_counter() - started
    left = sum(len(finding.lines) for finding in done.findings if finding.severity == "BLOCK")
    blocking = []
    if out.exists():
        report = lint(out, target=target, count=count if to in target_names() else None, limits=shell_limits())
        blocking = sorted({finding.code for finding in report.findings if finding.severity == "BLOCK"})
        out.unlink()
    rate = f"{(done.rows + left) / seconds:>8,.0f} rows/s" if seconds else ""
    print(f"{name:<20} {to:<10} {done.rows:>7,} written {left:>7,} named {rate}  lint blocks: {blocking or 'nothing'}")
    return len(blocking)


def _files(folder: Path, count: int) -> list[tuple[str, Path]]:
    """Write one file for each input format."""
    plain = folder / "plain.jsonl"
    write_rows(plain, count)
    chats: list[Turns] = [json.loads(line)["messages"] for line in plain.open(encoding="utf-8")]
    chats += [turns for turns in _bad() for _ in range(3)]
    made = [(name, folder / f"{name}.jsonl") for name in SHAPES]
    for name, path in made:
        rows = [SHAPES[name](turns) for turns in chats]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    table = folder / "table.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("question", "answer"), *(_pair(turns) for turns in chats)])
    return [*made, ("table", table)]


def _bad() -> Sequence[Turns]:
    ask, tell = {"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "It is this."}
    key = "-----BEGIN RSA " + "PRIVATE KEY-----"
    return (
        [ask, {"role": "assistant", "content": f"Here: {key}"}],
        [{"role": "narrator", "content": "Once."}, ask, tell],
        [ask, ask, tell],
        [ask],
        [ask, {"role": "assistant", "content": " "}],
    )


def _pair(turns: Turns) -> tuple[str, str]:
    asked = [turn["content"] for turn in turns if turn["role"] == "user"]
    answered = [turn["content"] for turn in turns if turn["role"] == "assistant"]
    return asked[0], answered[0] if answered else ""


def _vertex(turns: Turns) -> dict[str, Any]:
    named = [(turn["role"].replace("assistant", "model"), [{"text": turn["content"]}]) for turn in turns]
    prompts = [parts for role, parts in named if role == "system"]
    system: dict[str, Any] = {"systemInstruction": {"parts": prompts[0]}} if prompts else {}
    return system | {"contents": [{"role": role, "parts": parts} for role, parts in named if role != "system"]}


def _preference(turns: Turns) -> dict[str, Any]:
    asked, answered = _pair(turns)
    return {"prompt": asked, "chosen": answered, "rejected": _WORSE}


def _openai_preference(turns: Turns) -> dict[str, Any]:
    worse = [{"role": "assistant", "content": _WORSE}]
    return {"input": {"messages": turns[:-1] or turns}, "preferred_output": turns[-1:], "non_preferred_output": worse}


SHAPES: dict[str, Callable[[Turns], dict[str, Any]]] = {
    "chat": lambda turns: {"messages": turns},
    "prompt_completion": lambda turns: dict(zip(("prompt", "completion"), _pair(turns), strict=True)),
    "alpaca": lambda turns: {"instruction": _pair(turns)[0], "input": "", "output": _pair(turns)[1]},
    "sharegpt": lambda turns: {
        "conversations": [
            {"from": _SPEAKERS.get(turn["role"], turn["role"]), "value": turn["content"]} for turn in turns
        ]
    },
    "vertex": _vertex,
    "preference": _preference,
    "openai_preference": _openai_preference,
}


if __name__ == "__main__":
    main()
