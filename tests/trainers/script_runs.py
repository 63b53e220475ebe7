"""How tests run the child scripts, in this process or as children, and a tiny base model for them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trainers import tiny_model
from trainers.scripts.child import Child

ROOT = Path(__file__).resolve().parents[2]
ENV = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.build(tmp_path_factory.mktemp("models") / "tiny")


def write_rows(path: Path, made: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


def run_file(base: Path, rows: Path, out: Path, **other: Any) -> dict[str, Any]:
    """RUN.json of a training on the tiny model; `epochs` and `learning_rate` among the `other` keys."""
    paths = {"base": str(base), "rows": str(rows), "out": str(out)}
    knobs = {"rank": 4, "alpha": 8, "batch_size": 4, "warmup_ratio": 0.1, "seed": 3}
    limits = {"max_tokens": 200, "threads": 1, "checkpoint_every": 5, "precision": "float32"}
    return paths | knobs | limits | other


class Recorder(Child):
    """A child without a process: keeps what it would tell its parent."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def emit(self, event: str, **fields: object) -> None:
        self.told.append({"event": event, **fields})

    @property
    def stopping(self) -> bool:
        return False


def here(main: Callable[[Child, dict[str, Any]], None], document: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a script's main in this process and return its events."""
    child = Recorder()
    main(child, document)
    return child.told


class Script:
    """A script running as a child, as a worker starts it."""

    def __init__(self, name: str, document: dict[str, Any], folder: Path) -> None:
        path = folder / f"{name}.json"
        path.write_text(json.dumps(document))
        self._log = (folder / f"{name}.log").open("wb")
        argv = [sys.executable, "-m", f"trainers.scripts.{name}", str(path)]
        self.process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env=ENV,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )

    def events(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)  # anything but JSON on stdout fails here

    def until(self, event: str, **fields: Any) -> dict[str, Any]:
        for seen in self.events():
            if seen["event"] == event and all(seen.get(k) == v for k, v in fields.items()):
                return seen
        raise AssertionError(f"no {event} {fields}")

    def end(self) -> tuple[int, list[dict[str, Any]]]:
        rest = list(self.events())
        status = self.process.wait(timeout=60)
        for pipe in (self.process.stdin, self.process.stdout, self._log):
            if pipe is not None:
                pipe.close()
        return status, rest


def run_to_end(name: str, document: dict[str, Any], folder: Path) -> tuple[int, list[dict[str, Any]]]:
    return Script(name, document, folder).end()


def tensors(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(folder / "adapter_model.safetensors")
