"""The supervisor with real processes: what dies is started again, what ends takes its children along."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bot.supervisor import Program, Supervisor
from knowledge.errors import ServiceError

SLEEP = "import time; time.sleep(60)"
WITH_CHILD = "import subprocess, sys, time; subprocess.Popen(['sleep', '61']); time.sleep(60)"


def program(name: str, code: str, **more: object) -> Program:
    return Program(name=name, argv=(sys.executable, "-c", code), env=dict(os.environ), **more)  # type: ignore[arg-type]  # test data


def until(what: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


OTHERS: set[int] = set()


@pytest.fixture(autouse=True)
def note_others() -> None:
    OTHERS.clear()
    OTHERS.update(child.pid for child in psutil.Process().children(recursive=True))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    made = Supervisor(logs=tmp_path, say=said.append)
    yield made
    made.stop()


def children() -> list[psutil.Process]:
    """Return what descends from this test: servers that other tests share were there before it."""
    return [child for child in psutil.Process().children(recursive=True) if child.pid not in OTHERS]


def test_a_killed_program_is_started_again(supervisor: Supervisor, said: list[str]) -> None:
    """After SIGKILL the program is back within seconds, and the person is told."""
    supervisor.start(program("sleeper", SLEEP))
    before = {child.pid for child in children()}
    os.kill(min(before), signal.SIGKILL)

    def back() -> bool:
        supervisor.watch()
        return bool({child.pid for child in children()} - before)

    assert until(back)
    assert "killed by signal 9" in said[0]


def test_stop_leaves_nothing_behind(supervisor: Supervisor) -> None:
    """Programs and their own children are gone after stop."""
    supervisor.start(program("family", WITH_CHILD))
    assert until(lambda: len(children()) == 2)
    supervisor.stop()
    assert until(lambda: children() == [])


def test_a_program_that_cannot_start_says_why(supervisor: Supervisor) -> None:
    """A program that dies before it is ready gives an error with the end of its log."""
    broken = program("broken", "raise SystemExit('the port is taken')", ready=lambda: False)
    with pytest.raises(ServiceError, match="the port is taken"):
        supervisor.start(broken)


def test_a_program_that_runs_once_is_not_repeated(supervisor: Supervisor, said: list[str]) -> None:
    """A one-shot that succeeds is left alone; one that fails is reported once and not repeated."""
    supervisor.start(program("works", "pass", once=True))
    supervisor.start(program("fails", "raise SystemExit('no disk')", once=True))

    def over() -> bool:
        supervisor.watch()
        return children() == []

    assert until(over)
    for _ in range(3):
        supervisor.watch()
    assert children() == []
    assert [line for line in said if "fails" in line] == said
    assert len(said) == 1
    assert "no disk" in said[0]


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    """After SIGKILL of the supervising process itself nothing of it lives on."""
    code = (
        "import os, sys, time\nfrom pathlib import Path\nfrom bot.supervisor import Program, Supervisor\n"
        f"s = Supervisor(logs=Path({str(tmp_path)!r}), say=print)\n"
        f"s.start(Program(name='a', argv=(sys.executable, '-c', {SLEEP!r}), env=dict(os.environ)))\ntime.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    assert until(lambda: len(psutil.Process(parent.pid).children(recursive=True)) == 1)
    child = psutil.Process(parent.pid).children()[0]
    parent.kill()
    parent.wait()
    assert until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
