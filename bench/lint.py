"""Rows a second and peak memory of the linter, beside OpenAI's cookbook and datasketch. Run as: python -m bench.lint

Every figure is one child process over one file of invented rows, all in one run: `--rows 1000 100000 1000000`. The
baseline is what OpenAI's cookbook (Chat_finetuning_data_prep.ipynb) checks, written anew to read row by row, with the
tokens counted with o200k_base; datasketch finds near duplicates over the same questions with the same pieces, number of
hash functions and threshold.
"""

import argparse
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

SHARE_OF_COPIES = 0.05  # rows that nearly repeat an earlier one
GUIDE = Path(__file__).parents[1] / "knowledge" / "guide"


def main() -> None:
    """Measure every way at every size and print one table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000])
    options.add_argument("--ways", nargs="+", default=["lint", "lint_tokens", "cookbook", "datasketch"])
    options.add_argument("--most-datasketch", type=int, default=100_000, help="datasketch keeps all in memory")
    options.add_argument("--json", action="store_true")
    options.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.child:
        print(json.dumps(_measured(given.child[0], Path(given.child[1]))))
        return
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in given.rows:
            path = Path(folder) / f"{rows}.jsonl"
            write_rows(path, rows)
            for way in given.ways:
                if way == "datasketch" and rows > given.most_datasketch:
                    continue
                results.append({"rows": rows, "mb": round(path.stat().st_size / 1e6), **_run(way, path)})
                print(json.dumps(results[-1]) if given.json else _line(results[-1]), flush=True)
            path.unlink()


def write_rows(path: Path, count: int, seed: int = 8) -> None:
    """Write invented chat rows: a system prompt, a question and an answer of some 300 bytes, 5% near copies."""
    draw = random.Random(seed)  # noqa: S311  # invented rows, no secret
    pages = " ".join(page.read_text("utf-8") for page in sorted(GUIDE.glob("*.md")))
    words = re.findall(r"[a-z]{2,12}", pages)  # as often as they are written
    recent: list[list[str]] = []
    with path.open("w", encoding="utf-8") as file:
        for _ in range(count):
            question = list(draw.choice(recent)) if recent and draw.random() < SHARE_OF_COPIES else []
            if question:
                question[draw.randrange(len(question))] = draw.choice(words)
            else:
                question = draw.choices(words, k=draw.randint(8, 24))
                recent = [*recent[-200:], question]
            answer = " ".join(draw.choices(words, k=draw.randint(6, 16)))
            turns = (("system", "You help a shop."), ("user", " ".join(question) + "?"), ("assistant", answer + "."))
            value = {"messages": [{"role": role, "content": content} for role, content in turns]}
            file.write(json.dumps(value) + "\n")


def _run(way: str, path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.lint", "--child", way, str(path)], capture_output=True, check=True, text=True
    )
    return {"way": way, **json.loads(done.stdout)}


def _measured(way: str, path: Path) -> dict[str, Any]:
    started, cpu = time.perf_counter(), time.process_time()
    found = {"lint": lint, "lint_tokens": lint_tokens, "cookbook": cookbook, "datasketch": datasketch}[way](path)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = sum(1 for _ in path.open("rb"))
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "rows_per_second": round(rows / seconds),
        "peak_mib": round(peak),
        "found": found,
    }


def lint(path: Path) -> dict[str, int]:
    """Run every rule, without counting tokens."""
    return _linted(path, None)


def lint_tokens(path: Path) -> dict[str, int]:
    """Run every rule as `luthier lint --target openai` does."""
    from trainers.data.counting import counter

    return _linted(path, counter("o200k_base"))


def _linted(path: Path, count: Any) -> dict[str, int]:
    from trainers.data.limits import shell_limits
    from trainers.data.lint import lint as check

    report = check(path, target="openai", limits=shell_limits(), count=count)
    near = next((finding.message for finding in report.findings if finding.code == "near_duplicate"), "0 rows")
    return {"rows": report.rows, "near_duplicates": int(near.split(" ")[0].replace(",", ""))}


def cookbook(path: Path) -> dict[str, int]:
    """Check what OpenAI's cookbook checks, and count its tokens."""
    from trainers.data.vocabularies import o200k

    encode, errors, tokens = o200k().encode, Counter[str](), 0
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            errors.update(_cookbook_errors(row))
            tokens += 3 + sum(3 + sum(len(encode(value)) for value in turn.values()) for turn in row["messages"])
    return {"errors": errors.total(), "tokens": tokens}


def _cookbook_errors(row: Any) -> list[str]:  # noqa: C901  # as the notebook has it
    if not isinstance(row, dict):
        return ["data_type"]
    if not row.get("messages"):
        return ["missing_messages_list"]
    found = []
    for turn in row["messages"]:
        if "role" not in turn or "content" not in turn:
            found.append("message_missing_key")
        if any(key not in ("role", "content", "name", "function_call", "weight") for key in turn):
            found.append("message_unrecognized_key")
        if turn.get("role") not in ("system", "user", "assistant", "function"):
            found.append("unrecognized_role")
        if not turn.get("content") or not isinstance(turn.get("content"), str):
            found.append("missing_content")
    if not any(turn.get("role") == "assistant" for turn in row["messages"]):
        found.append("example_missing_assistant_message")
    return found


def datasketch(path: Path) -> dict[str, int]:
    """Find near duplicates with datasketch's MinHash and LSH."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.7, num_perm=36)
    near = 0
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            text = " ".join(json.loads(line)["messages"][1]["content"].casefold().split())
            sketch = MinHash(num_perm=36)
            sketch.update_batch([text[at : at + 5].encode() for at in range(len(text) - 4)])
            near += bool(index.query(sketch))
            index.insert(number, sketch)
    return {"near_duplicates": near}


def _line(result: dict[str, Any]) -> str:
    return (
        f"{result['rows']:>9,} rows ({result['mb']} MB)  {result['way']:<12} {result['seconds']:>8.1f} s "
        f"({result['cpu_seconds']} of CPU)  {result['rows_per_second']:>7,} rows/s  {result['peak_mib']:>6,} MiB  "
        f"{result['found']}"
    )


if __name__ == "__main__":
    main()
