"""Knows how to run one of our scripts as a child and listen to it; it does not know what the script does."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from trainers.backends.base import Interrupted, Listener
from trainers.errors import ChildFailed, LeaseLost

ROOT = Path(__file__).resolve().parents[2]
"""Where children start: `python -m trainers…` takes the current folder first."""

TICK = 0.5
"""Seconds between two signs of life while the child says nothing."""

GRACE = 6.5
"""Seconds that a child gets to end its step, write a checkpoint and leave before it is killed.

A wish to stop is seen within a beat of 2 s, so that a stop ends in 10 s."""

STOPPED = 75
"""Exit status of a script that stopped because it was asked to."""

TAKE_OVER = 5.0
"""Seconds that a killed trainer gets to be gone."""

AGAIN = "The training process was killed; it goes on from its checkpoint"
"""Said when a child is started again."""

Event = dict[str, Any]


class ChildKilled(ChildFailed):
    """A child was ended from outside; nothing says that it would fail again."""


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
    for as long as it lives, so a second trainer cannot start in it; one that an earlier worker left there is ended.
    A child that is killed is started again if it had saved something. Call from the main thread only: a parent-death
    signal fires when the thread that started the child ends.
    Raises ChildFailed with the child's own words, Interrupted and LeaseLost as `keeper` raises them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run_file = folder / f"{name}.json"
    run_file.write_text(json.dumps(config, indent=2))
    saved = False

    def hear_it(event: Event) -> None:
        nonlocal saved
        saved = saved or event.get("event") == "checkpoint"
        hear(event)

    while True:
        saved = False
        try:
            return _run_once(name, folder, env, keeper, hear_it)
        except ChildKilled:
            if not saved:
                raise
            keeper.progress("preparing", {"note": AGAIN})  # raises where the job is no longer ours to start


def _run_once(
    name: str, folder: Path, env: Mapping[str, str], keeper: Listener, hear: Callable[[Event], None]
) -> Event:
    lock = _lock(folder / "lock", keeper)
    try:
        with (folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", f"trainers.scripts.{name}", str(folder / f"{name}.json")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=dict(env),
                cwd=ROOT,
                start_new_session=True,
                pass_fds=(lock.fileno(),),
            )
        with suppress(OSError):  # without it a successor waits until the child ends by itself
            lock.truncate(0)
            lock.write(str(child.pid).encode())
    finally:
        lock.close()  # the child alone holds it now: whoever ends the child may take it, even if we hang
    try:
        return _listen(child, keeper, hear)
    except Interrupted:
        _ask_to_leave(child)
        raise
    finally:
        _end(child)


def _lock(path: Path, keeper: Listener) -> IO[bytes]:
    """Take a folder's lock. Whoever holds it works for a worker that has lost the job to us, and is ended.

    Raises LeaseLost where it cannot be ended.
    """
    keeper.keep()  # the job is ours, so nobody else has a right to the folder
    file = path.open("a+b", buffering=0)
    until = time.monotonic() + TAKE_OVER
    while not _taken(file):
        file.seek(0)
        _kill_holder(file.read().decode(), path)
        if time.monotonic() > until:
            file.close()
            raise LeaseLost("Another process still trains in this folder.")
        time.sleep(0.05)
    return file


def _taken(file: IO[bytes]) -> bool:
    import fcntl  # not on Windows, where no worker runs either

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _kill_holder(pid: str, path: Path) -> None:
    """Kill the process group of a child, stopped or not, if it still has the lock file open."""
    if not pid.isdecimal() or not _has_open(Path(f"/proc/{pid}/fd"), path):
        return  # the number may belong to another process by now
    with suppress(ProcessLookupError):
        os.killpg(int(pid), signal.SIGKILL)


def _has_open(open_files: Path, path: Path) -> bool:
    """Say whether a process holds a file; where the system does not tell (macOS) the lock itself is the proof."""
    if not Path("/proc/self/fd").exists():
        return True
    with suppress(OSError):
        for each in open_files.iterdir():
            with suppress(OSError):
                if each.samefile(path):
                    return True
    return False


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
        raise (ChildKilled if status < 0 or status == STOPPED else ChildFailed)(
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
