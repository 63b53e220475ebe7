"""Broken files without end for the linter, steered to what no earlier one reached. Run: python -m bench.fuzz

Needs atheris 3 (`pip install atheris`), which is no dependency of ours. It begins with small rows of every format,
changes them, and keeps what reaches new code. What a file is called and its target come from its first byte. A file
that raises ends the run with its content; told from time to time is the slowest, in CPU seconds. It goes in rounds, a
process each, on one growing corpus: atheris keeps 12 KiB of every file (the linter alone keeps nothing), and libFuzzer
ends at 2 GiB.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["trainers.data"]):
    from trainers.data.findings import ORDER
    from trainers.data.limits import shell_limits, target_names
    from trainers.data.lint import LintReport, lint

NAMES = ("rows.jsonl", "rows.csv", "rows.tsv", "rows.json")
MOST_BYTES = 4096
KINDS = 8  # names and targets that each seed begins with
ROUND = 100_000  # files of one process
CORPUS, SLOWEST = "corpus", "slowest.json"
SEEDS = (
    b'{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}, {"role": "assistant", '
    b'"content": "a", "weight": 1}]}\n',
    b'{"messages": [{"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "image_url", "image_url": '
    b'{"url": "https://a.example/b.png"}}]}, {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", '
    b'"function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "content": "t", "tool_call_id": "1"}]}\n',
    b'{"prompt": "a", "completion": "b"}\n{"instruction": "a", "input": "c", "output": "b"}\n',
    b'{"contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"functionCall": {}}]}]}\n',
    b'{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}\n',
    b'{"prompt": "a", "chosen": "b", "rejected": "c"}\n',
    b'{"input": {"messages": [{"role": "user", "content": "q"}]}, "preferred_output": [{"role": "assistant", '
    b'"content": "a"}], "non_preferred_output": [{"role": "assistant", "content": "b"}]}\n',
    b'prompt,completion\na,b\n"c\nd",\'=1\n',
    b"question\tanswer\na\tb\n",
    b'[{"prompt": "a", "completion": "b"}]',
    b'{"prompt": "a", "completion": "88888888888888888888888888888888b"}\n',  # loads what checks identity numbers
)


class Run:
    """One run: each file is written, linted, and its report printed to nowhere."""

    def __init__(self, folder: Path, count: int) -> None:
        """Take a folder for the files, and how many there will be."""
        self._folder, self._left, self.slowest, self.at = folder, count, 0.0, b""
        self._warm = False

    def one(self, data: bytes) -> None:
        """Lint one file; whatever it raises is a defect of ours."""
        if not self._warm:
            self._load()
        self._left -= 1
        if self._left == 0:
            self._keep()
        if len(data) < 2 or data[1:].startswith(b"PK"):  # a workbook has a process of its own
            return
        path, target = self._folder / NAMES[data[0] % len(NAMES)], target_names()[data[0] // 4 % len(target_names())]
        path.write_bytes(data[1:])
        took, report = timed(path, target)
        if took > self.slowest:  # the collection of what atheris keeps falls on some file: so again, twice
            took = min(took, *(timed(path, target)[0] for _ in range(2)))
        if took > self.slowest:
            self.slowest, self.at = took, data
        json.dumps(report.to_json()).encode("utf-8")
        if not all(finding.severity in ORDER for finding in report.findings):
            raise AssertionError("a finding without a severity")

    def _load(self) -> None:
        """Have loaded what is loaded once: it is no part of a file's time."""
        self._warm = True
        for target in target_names():
            for number, seed in enumerate(SEEDS):
                path = self._folder / NAMES[number % len(NAMES)]
                path.write_bytes(seed)
                lint(path, target=target, limits=shell_limits())

    def _keep(self) -> None:
        """Leave the slowest for the process that adds up."""
        (self._folder / SLOWEST).write_text(json.dumps({"seconds": self.slowest, "file": repr(self.at)}))


def main() -> None:
    """Fuzz in rounds, and tell after each how many there were and how long the slowest took."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=8)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)  # of the round that this process is
    given = options.parse_args()
    if given.folder:
        one_round(given.folder, given.runs, given.seed)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as held:  # noqa: S108  # files in memory
        folder = Path(held)
        plant(folder / CORPUS)
        slowest: dict[str, float | str] = {"seconds": 0.0, "file": ""}
        for start in range(0, given.runs, ROUND):
            count = min(ROUND, given.runs - start)
            words = ["--runs", str(count), "--seed", str(given.seed + start // ROUND), "--folder", held]
            subprocess.run([sys.executable, "-m", "bench.fuzz", *words], check=True)
            slowest = max(slowest, json.loads((folder / SLOWEST).read_text()), key=lambda told: told["seconds"])
            took = f"{float(slowest['seconds']) * 1000:.1f} ms of CPU time"
            print(f"{start + count:,} files; the slowest took {took}: {str(slowest['file'])[:200]}", flush=True)


def timed(path: Path, target: str) -> tuple[float, LintReport]:
    """Lint a file; returns also the seconds of CPU time that it took."""
    started = time.process_time()
    report = lint(path, target=target, limits=shell_limits())
    return time.process_time() - started, report


def plant(corpus: Path) -> None:
    """Write the seeds, each under several names and targets."""
    corpus.mkdir()
    for number, seed in enumerate(SEEDS):
        for kind in range(KINDS):
            (corpus / f"{number}-{kind}").write_bytes(bytes((kind * 3,)) + seed)


def one_round(folder: Path, count: int, seed: int) -> None:
    """Fuzz in this process, which ends with the last file."""
    run = Run(folder, count)
    words = [f"-runs={count}", f"-seed={seed}", f"-max_len={MOST_BYTES}", "-print_final_stats=0", "-rss_limit_mb=4096"]
    words += [f"-artifact_prefix={folder}/"]  # what is wrong is printed too
    atheris.Setup([sys.argv[0], *words, str(folder / CORPUS)], run.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
