"""Jobs that cost money survive random deaths of everything; a worker without our protocol does not."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]


pytestmark = pytest.mark.timeout(300)  # the waits of the protocol are real, and a training may run beside it


def chaos(*arguments: str, limit: float = 280) -> tuple[int, dict[str, Any]]:
    """Run the program; its exit status and its last line."""
    ran = subprocess.run(
        [sys.executable, "-m", "bench.chaos", "--json", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=limit,
    )
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout.splitlines()[-1])


def test_forty_jobs_survive_eight_kills_and_a_wiped_queue(tmp_path: Path) -> None:
    """Nothing is lost, paid twice, posted twice or left behind; long because the waits of the protocol are real."""
    ledger = tmp_path / "provider.jsonl"
    status, told = chaos("--jobs", "40", "--kills", "8", "--redis-wipes", "1", "--seed", "7", "--ledger", str(ledger))
    wrong = {name: told[name] for name in ("lost", "paid_twice", "duplicate_posts", "orphans", "failed")}
    assert (status, wrong) == (0, dict.fromkeys(wrong, 0)), told
    assert (told["kills"], told["redis_wipes"], told["clicks"] > 30) == (8, 1, True), told
    created = [line for line in map(json.loads, ledger.read_text().splitlines()) if line["event"] == "created"]
    assert len(created) == len({line["submission_id"] for line in created}) == 40


def test_a_run_that_is_killed_leaves_nothing_running(tmp_path: Path) -> None:
    """Whoever kills the program itself, as a test's time limit does, has killed what it keeps running too."""
    crew = "import sys, time; from pathlib import Path; from bench.chaos.crew import Crew, Post\n"
    crew += (
        f"crew = Crew(logs=Path({str(tmp_path)!r})); crew.start(Post(name='nap', main=time.sleep, arguments=(600,)))\n"
    )
    crew += "while not crew.child('nap'): time.sleep(0.05)\nprint(crew.parent('nap'), flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", crew], cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        post = psutil.Process(int(program.stdout.readline()))
        kept = [post, *post.children()]
        program.kill()
    assert len(kept) == 2
    assert psutil.wait_procs(kept, timeout=15)[1] == []


def test_a_worker_without_the_protocol_fails_the_same_test() -> None:
    """The harness sees what it is there to see: jobs that are lost or paid twice; long as the test above."""
    status, told = chaos("--naive", "--jobs", "30", "--kills", "8", "--redis-wipes", "1", "--seed", "7")
    assert status == 1
    assert told["lost"] + told["paid_twice"] > 0
