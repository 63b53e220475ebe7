"""A process that slept through its deadline on the way to the provider creates nothing there when it wakes up."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from knowledge.errors import ServiceError
from tests.trainers.rehearsal.frozen import CALLS, PLACES
from tests.trainers.rehearsal.provider import ThreadProvider
from trainers.backends.deadline import Deadline
from trainers.backends.openai_shape import FineTuningApi

ROOT = Path(__file__).resolve().parents[3]
ROW = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
SLEEP = 1.2
"""How long the process is stopped; its deadline is half a second earlier, or far away."""


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text(ROW * 12)
    return path


@pytest.fixture
def file(provider: ThreadProvider, rows: Path) -> str:
    return FineTuningApi(name="the provider", url=provider.url, key="any").upload("s0", rows, Deadline.after(20))


def frozen(provider: ThreadProvider, call: str, place: str, seconds: float, rows: Path, file: str) -> str:
    """Start the call, let it sleep at a place, and return what it says after waking up."""
    command = [sys.executable, "-m", "tests.trainers.rehearsal.frozen"]
    command += [provider.url, call, place, str(seconds), str(rows), file]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    time.sleep(SLEEP)
    process.send_signal(signal.SIGCONT)
    said, _ = process.communicate(timeout=30)
    return said.strip()


@pytest.mark.parametrize(("call", "place"), [*(("start", place) for place in PLACES), ("upload", PLACES[-1])])
def test_a_call_that_slept_past_its_deadline_creates_nothing(
    provider: ThreadProvider, rows: Path, file: str, call: str, place: str
) -> None:
    """Stopped before or while connecting, or with the headers already sent, it wakes up too late and says so."""
    assert frozen(provider, call, place, SLEEP - 0.5, rows, file) == "the provider gave no answer (TimeoutError)."
    time.sleep(0.1)
    assert (provider.count("created").total(), provider.count("uploaded").total()) == (0, 1)


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_slept_within_its_deadline_goes_on(
    provider: ThreadProvider, rows: Path, file: str, call: str
) -> None:
    """The same sleep with time left is no reason to give up: what is not sent too late is sent."""
    made = frozen(provider, call, PLACES[-1], 60, rows, file)
    assert made in {line["id"] for line in provider.lines()[1:]}


@contextmanager
def deaf() -> Iterator[str]:
    """A server whose queue of connections is full, so that connecting takes as long as one lets it."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"


def test_a_connection_that_nobody_accepts_is_given_up_in_time(rows: Path) -> None:
    """Where connecting hangs, the call is over well before its deadline."""
    with deaf() as url:
        api = FineTuningApi(name="the provider", url=url, key="any")
        begun = time.monotonic()
        with pytest.raises(ServiceError):
            api.start("s1", Deadline.after(2), model="rehearsal-small", training_file="f")
        assert time.monotonic() - begun < 2
