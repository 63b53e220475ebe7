"""Broken files without end for the linter, steered to what no earlier one reached. Run: python -m bench.fuzz

Needs atheris 3 (`pip install atheris`), which is no dependency of ours. It begins with small rows of every format,
changes them, and keeps what reaches new code. What a file is called and its target come from its first byte. A file
that raises ends the run with its content; told from time to time is the slowest, in CPU seconds.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["trainers.data"]):
    from trainers.data.findings import ORDER
    from trainers.data.limits import shell_limits, target_names
    from trainers.data.lint import lint

NAMES = ("rows.jsonl", "rows.csv", "rows.tsv", "rows.json")
MOST_BYTES = 4096
TOLD = 100_000  # files between two lines
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
)


class Run:
    """One run: each file is written, linted, and its report printed to nowhere."""

    def __init__(self, folder: Path) -> None:
        """Take a folder for the files."""
        self._folder, self.count, self.slowest, self.at = folder, 0, 0.0, b""

    def one(self, data: bytes) -> None:
        """Lint one file; whatever it raises is a defect of ours."""
        self.count += 1
        if self.count % TOLD == 0:
            self.tell()
        if len(data) < 2 or data[1:].startswith(b"PK"):  # a workbook has a process of its own
            return
        path, target = self._folder / NAMES[data[0] % len(NAMES)], target_names()[data[0] // 4 % len(target_names())]
        path.write_bytes(data[1:])
        started = time.process_time()
        report = lint(path, target=target, limits=shell_limits())
        took = time.process_time() - started
        if took > self.slowest and self.count > len(SEEDS) * 8:  # what is loaded once does not count
            self.slowest, self.at = took, data
        json.dumps(report.to_json()).encode("utf-8")
        if not all(finding.severity in ORDER for finding in report.findings):
            raise AssertionError("a finding without a severity")

    def tell(self) -> None:
        """Say how many there were and how long the slowest took."""
        took = f"the slowest took {self.slowest * 1000:.1f} ms of CPU time"
        print(f"{self.count:,} files; {took}: {self.at[:200]!r}", flush=True)


def main() -> None:
    """Fuzz."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=8)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:  # noqa: S108  # files in memory
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(SEEDS):
            for kind in range(8):
                (corpus / f"{number}-{kind}").write_bytes(bytes((kind * 3,)) + seed)
        run = Run(Path(folder))
        words = [f"-runs={given.runs}", f"-seed={given.seed}", f"-max_len={MOST_BYTES}", "-print_final_stats=0"]
        words += [f"-artifact_prefix={folder}/"]  # what is wrong is printed too
        atheris.Setup([sys.argv[0], *words, str(corpus)], run.one)
        atheris.Fuzz()  # ends the process itself after its last file


if __name__ == "__main__":
    main()
