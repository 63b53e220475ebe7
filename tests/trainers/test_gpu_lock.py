"""One process at a time is on a GPU; the lock needs no GPU to be tried."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ON_A_GPU = """
import sys, time
from trainers.scripts.child import run
from trainers.scripts.gpu import hold_gpu
def main(child, document):
    hold_gpu(document["device"], child, "preparing")
    child.emit("has it")
    while True:
        child.check()
        time.sleep(0.05)
run(main, "RUN.json")
"""


def start(folder: Path, device: str = "cuda") -> subprocess.Popen[str]:
    run = folder / f"{device}.json"
    run.write_text(json.dumps({"device": device}))
    env = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-c", ON_A_GPU, str(run)],
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(child: subprocess.Popen[str]) -> dict[str, object]:
    assert child.stdout is not None
    event: dict[str, object] = json.loads(child.stdout.readline())
    return event


def ended(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.communicate()


def test_a_second_training_waits_until_the_first_is_gone(tmp_path: Path) -> None:
    """It says that it waits; a SIGKILL of the first frees the GPU at once."""
    first, second = start(tmp_path), None
    try:
        assert said(first)["event"] == "has it"
        second = start(tmp_path)
        assert "waiting for it" in str(said(second)["note"])
        first.kill()
        assert said(second)["event"] == "has it"
    finally:
        for child in filter(None, (first, second)):
            ended(child)


def test_whoever_waits_for_the_gpu_can_be_stopped(tmp_path: Path) -> None:
    """A stop while waiting ends the child with the exit status of a stop."""
    children = [start(tmp_path), start(tmp_path, "cpu")]
    try:
        assert [said(child)["event"] for child in children] == ["has it"] * 2  # a CPU is nobody's alone
        children.append(start(tmp_path))
        assert "waiting" in str(said(children[2])["note"])
        children[2].terminate()
        assert said(children[2])["event"] == "stopped"
        assert children[2].wait(10) == 75
    finally:
        for child in children:
            ended(child)
