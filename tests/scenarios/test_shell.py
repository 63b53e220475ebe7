"""The shell and nothing else running: train, evaluate again, chat.

With a tiny model where the weights of SmolLM2 belong; with SmolLM2 itself, which the journey trains too, when asked.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.trainers import tiny_model
from tests.whole import PROBES, ROOT, leftovers

SLOW = pytest.mark.slow  # reading hundreds of prompts on two cores takes minutes


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("weights", ["tiny", pytest.param("smollm2", marks=SLOW)])
def test_train_evaluate_and_chat_without_a_running_luthier(
    weights: str, tmp_path: Path, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On an empty data folder a model is trained, judged twice with the same result, and answers beside its base."""
    if weights == "tiny":
        tiny_model.build(tmp_path / "cache" / "models" / "smollm2-135m-instruct")
        monkeypatch.setenv("LUTHIER_CACHE", str(tmp_path / "cache"))
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
    env = {**os.environ, "DATA_DIR": str(data), "LUTHIER_PROBES": str(PROBES)}
    command = [sys.executable, "-m", "bot", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
