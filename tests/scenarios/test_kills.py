"""Processes are killed with SIGKILL while people use Luthier: nothing is lost and nothing runs twice.

With a tiny model and more rows where the weights of SmolLM2 belong: its steps take long enough to be killed among,
and its test does not take minutes. With SmolLM2 itself, which the journey trains too, when asked.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.console import Json
from tests.scenarios.conftest import TEST_ROWS, TRAIN_ROWS, cut
from tests.trainers import tiny_model
from tests.whole import Whole, leftovers

pytestmark = pytest.mark.timeout(300)  # the first one waits for all of it to start
SLOW = pytest.mark.slow  # reading hundreds of prompts on two cores takes minutes


@pytest.fixture(scope="module", params=["small", pytest.param("smollm2", marks=SLOW)])
def weights(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def whole(weights: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("killed")
    if weights == "small":
        tiny_model.build(folder / "cache" / "models" / "smollm2-135m-instruct")
    made = Whole(folder / "data", **({"LUTHIER_CACHE": str(folder / "cache")} if weights == "small" else {}))
    yield made
    made.stop()


@pytest.fixture
def files(weights: str, tmp_path: Path) -> tuple[Path, Path]:
    return cut(tmp_path, 40 if weights == "small" else TRAIN_ROWS, TEST_ROWS)


@pytest.mark.parametrize(
    "fault",
    [
        {"duplicate_events": 1.0},
        {"late_events": 0.5, "late_seconds": 0.5},
        {"server_errors": 0.3},
        {"rate_limits": True},
    ],
    ids=lambda fault: next(iter(fault)),
)
def test_a_slack_in_trouble_gets_each_answer_once(whole: Whole, fault: Json) -> None:
    """Events twice or out of order, calls refused: every question is answered, and once."""
    whole.hands.act("faults", **fault)
    asked = [whole.hands.send(f"<@U0LUTHIER> What is LoRA? Number {place}")["ts"] for place in range(4)]
    for ts in asked:
        whole.hands.wait_message("Sources", thread_ts=ts, timeout=60)
    whole.hands.act("faults", **dict.fromkeys(fault, 0.0) if "rate_limits" not in fault else {"rate_limits": False})
    time.sleep(1)  # for a second answer, if one were on its way
    for ts in asked:
        assert sum("Sources" in json.dumps(each) for each in whole.hands.messages(thread_ts=ts)) == 1


def test_a_killed_vector_server_comes_back(whole: Whole) -> None:
    """While Chroma is dead and after it is back, a question is answered."""
    whole.find("chroma run").kill()
    for question in ("What is LoRA?", "When is RAG right?"):
        said = whole.hands.send(f"<@U0LUTHIER> {question}")
        whole.hands.wait_message("Sources", thread_ts=said["ts"], timeout=30)


def test_a_killed_web_process_answers_again(whole: Whole) -> None:
    """A question that was acknowledged and not answered when the process was killed is answered after its restart."""
    web = whole.find("bot web")
    said = whole.hands.send("<@U0LUTHIER> What does QLoRA save?")
    wait(lambda: one(whole, "select 1 from inbox where state = 'waiting'"), "the question is in the inbox", 10)
    web.kill()
    whole.hands.wait_message("Sources", thread_ts=said["ts"], timeout=120)


@pytest.mark.timeout(900)
def test_a_killed_worker_continues_from_its_checkpoint(whole: Whole, files: tuple[Path, Path]) -> None:
    """Worker, queue and messenger are killed during training: one job, one report, and it resumes."""
    _, thread_ts = propose(whole, files)
    card = whole.hands.wait_message("Approve and start", thread_ts=thread_ts, timeout=20)
    whole.hands.click(card, "Approve and start")
    wait(lambda: progress(whole) >= 6, "training passes its first checkpoint")
    assert newest(whole)[0] == "running"
    whole.find("bot worker cpu").kill()
    whole.find("valkey-server").kill()
    whole.find("bot messenger").kill()
    wait(lambda: newest(whole)[0] in ("succeeded", "failed"), "the job ends")

    state, fence = newest(whole)
    assert (state, fence >= 2) == ("succeeded", True)
    whole.hands.wait_message("Try it", thread_ts=thread_ts, timeout=30)
    reports = [
        message for message in whole.hands.messages(thread_ts=thread_ts) if "Try it" in str(message.get("blocks"))
    ]
    assert len(reports) == 1
    resumed = (whole.data / "jobs").glob("*/train/sft_lora.log")
    assert any("resum" in log.read_text().lower() for log in resumed) or steps_once(whole)


def test_stop_ends_a_running_job(whole: Whole, files: tuple[Path, Path]) -> None:
    """Stop, clicked twice, ends the child within ten seconds, and the thread says so once."""
    _, thread_ts = propose(whole, files)
    card = whole.hands.wait_message("Approve and start", thread_ts=thread_ts, timeout=20)
    whole.hands.click(card, "Approve and start")
    moving = whole.hands.wait_message("Stop", thread_ts=thread_ts, timeout=60)
    whole.hands.click(moving, "Stop")
    whole.hands.click(moving, "Stop")
    wait(lambda: newest(whole)[0] == "cancelled", "the job is cancelled", 15)
    whole.hands.wait_message("Stopped", thread_ts=thread_ts, timeout=15)


def test_everything_ends_and_comes_back(whole: Whole) -> None:
    """Ctrl-C leaves no process behind; the next start has all messages, jobs and answers."""
    before = [message["ts"] for message in whole.hands.messages()]
    assert whole.stop() == 0
    assert leftovers(whole.data) == []
    whole.start()
    assert [message["ts"] for message in whole.hands.messages()] == before
    said = whole.hands.send("<@U0LUTHIER> What is LoRA?")
    whole.hands.wait_message("Sources", thread_ts=said["ts"], timeout=30)


def propose(whole: Whole, files: tuple[Path, Path]) -> tuple[Json, str]:
    """Upload rows through `/tune train` and return the root message and its thread."""
    seen = len(whole.hands.messages())
    whole.hands.command("/tune train")
    view = whole.hands.wait_view()
    train, test = (whole.hands.upload(path.name, path.read_bytes()) for path in files)
    tick = ["This file was made for training and is ours to use."]
    whole.hands.submit(view, {"train_file": [train["id"]], "test_file": [test["id"]], "ours": tick, "name": "small"})
    wait(lambda: len(whole.hands.messages()) > seen, "the root message", 20)
    root = whole.hands.messages()[-1]
    return root, root["ts"]


def newest(whole: Whole) -> tuple[str, int]:
    return one(whole, "select state, fence from job order by created_at desc limit 1")


def progress(whole: Whole) -> int:
    found = one(whole, "select progress from job where phase = 'training' order by created_at desc limit 1")
    return int(json.loads(found[0]).get("step", 0)) if found else 0


def one(whole: Whole, query: str) -> tuple:  # type: ignore[type-arg]  # whatever the query selects
    with sqlite3.connect(whole.data / "luthier.db", timeout=30) as connection:
        return connection.execute(query).fetchone() or ()


def steps_once(whole: Whole) -> bool:
    """Say whether the newest job's curve has each step once: what was lost was repeated, what was saved was not."""
    job = one(whole, "select id from job order by created_at desc limit 1")[0]
    lines = (whole.data / "jobs" / job / "train" / "losses.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    return steps == list(range(1, len(steps) + 1))


def wait(what: Callable[[], object], name: str, seconds: float = 600) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain: {name}")
