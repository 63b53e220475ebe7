"""The shell with the real model and nothing else running: train, evaluate again, chat; evaluating takes a minute."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.whole import ROOT, leftovers


@pytest.mark.timeout(900)
def test_train_evaluate_and_chat_without_a_running_luthier(tmp_path: Path, files: tuple[Path, Path]) -> None:
    """On an empty data folder a model is trained, judged twice with the same result, and answers beside its base."""
    rows, held_out = map(str, files)
    trained = told(tmp_path, "train", rows, "--test", held_out, "--epochs", "1", "--yes")
    assert trained["state"] == "succeeded"
    again = told(tmp_path, "evaluate", "1", "--yes")
    assert again["kind"] == "evaluate"
    assert scores(again) == scores(trained)
    said = told(tmp_path, "chat", "--message", "My parcel never came.")
    assert said["base"] != ""
    assert "tuned" in said
    assert leftovers(tmp_path) == []


def scores(job: dict[str, Any]) -> dict[str, int]:
    return {arm["arm"]: arm["right"] for arm in job["result"]["report"]["arms"]}


def told(data: Path, *words: str) -> Any:
    env = {**os.environ, "DATA_DIR": str(data)}
    command = [sys.executable, "-m", "bot", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
