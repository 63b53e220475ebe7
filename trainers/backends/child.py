"""Knows how to run one of our scripts as a child and listen to it; it does not know what the script does."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from trainers.backends.base import Interrupted, Listener
from trainers.errors import ChildFailed, LeaseLost

ROOT = Path(__file__).resolve().parents[2]
"""Where children start: `python -m trainers…` takes the current folder first."""

TICK = 0.5
"""Seconds between two signs of life while the child says nothing."""

GRACE = 8.0
"""Seconds that a child gets to write its checkpoint and leave before it is killed."""

Event = dict[str, Any]


def run_script(
    name: str,
    config: Mapping[str, Any],
    *,
    folder: Path,
    env: Mapping[str, str],
    keeper: Listener,
    hear: Callable[[Event], None],
) -> Event:
    """Run `trainers.scripts.<name>` with `config` to its end and return its `done` event.

    The child has its own process group, dies with us (it watches its standard input) and holds a lock on `folder`
    for as long as it lives, so a second trainer cannot start in it. Call from the main thread only: a parent-death
    signal fires when the thread that started the child ends.
    Raises ChildFailed with the child's own words, Interrupted and LeaseLost as `keeper` raises them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run_file = folder / f"{name}.json"
    run_file.write_text(json.dumps(config, indent=2))
    with _locked(folder) as lock, (folder / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", f"trainers.scripts.{name}", str(run_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=dict(env),
            cwd=ROOT,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
        try:
            return _listen(child, keeper, hear)
        except Interrupted:
            _ask_to_leave(child)
            raise
        finally:
            _end(child)


class _locked:  # reads as a word in a with statement
    """Holds the folder's lock; the child inherits the open file, so the lock lives until both have let go."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"

    def __enter__(self) -> IO[bytes]:
        import fcntl  # not on Windows, where no worker runs either

        self._file = self._path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            self._file.close()
            raise LeaseLost("Another process still trains in this folder.") from busy
        return self._file

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _listen(child: subprocess.Popen[bytes], keeper: Listener, hear: Callable[[Event], None]) -> Event:
    done: Event | None = None
    error: Event | None = None
    for event in _events(child, keeper):
        if event.get("event") == "done":
            done = event
        elif event.get("event") == "error":
            error = event
        else:
            hear(event)
    status = child.wait()
    if error is not None:
        raise ChildFailed(str(error.get("what", "")), str(error.get("next_step", "")))
    if done is None or status != 0:
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        raise ChildFailed(
            f"The process {how} before it was done.", "Its log lies in the job's folder; `resume` continues."
        )
    return done


def _events(child: subprocess.Popen[bytes], keeper: Listener) -> Iterator[Event]:
    stdout = child.stdout
    assert stdout is not None  # noqa: S101  # we asked for a pipe above
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while True:
            keeper.keep()
            if not selector.select(TICK):
                continue
            block = os.read(stdout.fileno(), 65536)
            if not block:
                return
            *lines, rest = (rest + block).split(b"\n")
            yield from (json.loads(line) for line in lines if line.startswith(b"{"))


def _ask_to_leave(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    until = time.monotonic() + GRACE
    while child.poll() is None and time.monotonic() < until:
        time.sleep(0.05)


def _end(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
