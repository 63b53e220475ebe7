"""A training that finds no room for its checkpoint says so, keeps what it had, and goes on when there is room."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trainers import tiny_model
from tests.trainers.script_runs import run_to_end, write_rows
from tests.trainers.test_scripts import rows, training


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for one checkpoint; only an administrator of a Linux machine may make one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=120k", "tmpfs", str(place)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def document(base: Path, folder: Path, out: Path) -> dict[str, Any]:
    data = write_rows(folder / "rows.jsonl", rows(24))
    return training(base, (data, data), out)


@pytest.mark.timeout(300)
def test_a_checkpoint_that_finds_no_room_ends_in_words_and_is_repeated_with_room(
    tmp_path: Path, small_disk: Path
) -> None:
    """The real child on a real full disk: one error line, no traceback of a library, no half checkpoint; then it ends.

    Takes some 15 s because two children import torch.
    """
    base = tiny_model.build(tmp_path / "tiny")
    plan = document(base, tmp_path, small_disk / "out")
    status, events = run_to_end("sft_lora", plan, tmp_path)
    saved = [event["step"] for event in events if event["event"] == "checkpoint"]
    assert saved  # there was room for one
    assert (status, events[-1]["event"], events[-1]["what"]) == (1, "error", "The disk is full.")
    assert "continues from its last checkpoint" in events[-1]["next_step"]
    assert not list((small_disk / "out" / "checkpoints").glob(".*"))
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    status, events = run_to_end("sft_lora", plan, tmp_path)
    assert (status, events[-1]["event"]) == (0, "done")
    assert next(event for event in events if event["event"] == "resumed")["step"] == saved[-1]
    assert json.loads((small_disk / "out" / "adapter" / "training.json").read_text())["steps"] == 48
