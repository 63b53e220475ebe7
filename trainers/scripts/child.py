"""Knows how a child process talks to its parent (JSON lines, stop, errors); knows nothing about models.

The protocol, shared by every script here:

- stdout carries one JSON object a line and nothing else: what libraries print goes to stderr.
- SIGTERM, SIGINT, the parent's death or the end of stdin ask for a stop: the script finishes its step,
  saves, prints ``{"event": "stopped", ...}`` and exits 75 (EX_TEMPFAIL: start me again and I go on).
- A failure prints ``{"event": "error", "what": ..., "next_step": ...}`` and exits 1. Rows are never quoted in it.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import re
import shutil
import signal
import stat
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn

# GNU OpenMP reads this when torch is loaded. By default a waiting thread spins long, which starves cores that others
# use too: four forward loops at once on two cores took 200 s, with this 69 s (other load varied). One trainer alone
# used the same CPU time with and without (28 s an epoch).
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

EXIT_STOPPED = 75
"""EX_TEMPFAIL of sysexits.h: nothing is wrong, the same command continues the work."""
SECONDS_TO_STOP = 60.0
"""After a request to stop, a script that reaches no safe point in this time ends anyway; checkpoints stay valid."""
PR_SET_PDEATHSIG = 1


class ScriptError(Exception):
    """The script cannot go on: what happened and what to do next, for a person."""

    def __init__(self, what: str, next_step: str) -> None:
        """Take two plain sentences; neither may quote the content of a row."""
        self.what = what
        self.next_step = next_step
        super().__init__(f"{what} {next_step}")


class StopRequested(Exception):
    """Somebody asked us to stop, and the script has reached a safe point."""

    def __init__(self, **fields: object) -> None:
        """Take what the "stopped" line should say, such as the step."""
        self.fields = fields
        super().__init__()


class Child:
    """This process as its parent sees it: where events go, and whether to stop."""

    def __init__(self) -> None:
        """Take stdout for events alone and listen for every way a parent can say stop."""
        sys.stdout.flush()
        self._events = os.dup(1)
        os.dup2(2, 1)
        self._stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        _die_with_parent()
        if _is_pipe(0):
            threading.Thread(target=self._watch_stdin, name="stdin", daemon=True).start()

    def emit(self, event: str, **fields: object) -> None:
        """Write one JSON line; a parent that no longer reads counts as a request to stop."""
        line = json.dumps({"event": event, **fields}, ensure_ascii=False, allow_nan=False) + "\n"
        data = line.encode()
        try:
            while data:
                data = data[os.write(self._events, data) :]
        except BrokenPipeError:
            self.stop()

    @property
    def stopping(self) -> bool:
        """True once a stop was asked for."""
        return self._stop.is_set()

    def check(self) -> None:
        """Raise StopRequested at a safe point if a stop was asked for."""
        if self.stopping:
            raise StopRequested

    def stop(self) -> None:
        """Ask this process to stop at its next safe point, and see to it that it does."""
        if not self._stop.is_set():
            self._stop.set()
            timer = threading.Timer(SECONDS_TO_STOP, os._exit, (EXIT_STOPPED,))
            timer.daemon = True
            timer.start()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop()

    def _watch_stdin(self) -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        self.stop()


def run(main: Callable[[Child, dict[str, Any]], None], usage: str) -> NoReturn:
    """Run ``main(child, run)`` with the JSON document named on the command line, and exit by the protocol above."""
    child = Child()
    sys.excepthook = _report_crash(child)
    if len(sys.argv) != 2:
        fail(child, ScriptError("This script needs one argument.", usage))
    guarded(child, lambda: main(child, read_run(Path(sys.argv[1]))))
    leave(0)


def guarded(child: Child, work: Callable[[], None]) -> None:
    """Do the work; turn what can go wrong on any machine into an error line."""
    try:
        work()
    except StopRequested as stop:
        child.emit("stopped", **stop.fields)
        leave(EXIT_STOPPED)
    except ScriptError as error:
        fail(child, error)
    except MemoryError:
        fail(child, OUT_OF_MEMORY)
    except OSError as error:
        fail(child, _from_os(error))
    except RuntimeError as error:  # torch reports both RAM and GPU memory this way
        if "memory" not in str(error).lower():
            raise
        fail(child, OUT_OF_MEMORY)
    except Exception as error:
        number = re.search(r"\(os error (\d+)\)", str(error))  # safetensors says in words what the system refused
        if number is None:
            raise
        fail(child, _from_os(OSError(int(number[1]), os.strerror(int(number[1])))))


def fail(child: Child, error: ScriptError) -> NoReturn:
    """Print the error line and exit 1."""
    child.emit("error", what=error.what, next_step=error.next_step)
    leave(1)


def leave(status: int) -> NoReturn:
    """End at once: everything is saved by now, and taking torch apart can take longer than a parent waits."""
    sys.stderr.flush()
    os._exit(status)


OUT_OF_MEMORY = ScriptError(
    "The machine ran out of memory.", "Use a smaller batch size or shorter rows, or a machine with more memory."
)


def read_run(path: Path) -> dict[str, Any]:
    """Read the RUN.json that describes the work."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ScriptError(f"There is no run file named {path.name}.", "Check the path of the run file.") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise ScriptError(f"{path.name} is not valid JSON.", "Write the run file again.") from None
    if not isinstance(run, dict):
        raise ScriptError(f"{path.name} does not hold a JSON object.", "Write the run file again.")
    return run


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the operating system's lock on a folder, so that two processes never work in it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ScriptError(
                "Another process is already working in this folder.", "Wait until it ends, or stop it, then try again."
            ) from None
        yield


@contextlib.contextmanager
def publish_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill; it appears under its real name whole, durable and in one step, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield draft
        for path in sorted(draft.iterdir()):
            path.chmod(0o644)
            _sync(path)
        draft.chmod(0o755)
        _sync(draft)
        if target.exists():
            shutil.rmtree(target)
        draft.rename(target)
        _sync(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def publish_text(target: Path, text: str) -> None:
    """Write a small file whole, durable and in one step."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    _sync(draft)
    draft.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _from_os(error: OSError) -> ScriptError:
    name = Path(str(error.filename)).name if error.filename else "a file"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ScriptError("The disk is full.", "Free some space; the run continues from its last checkpoint.")
    reason = error.strerror or "it could not be read or written"
    return ScriptError(f"{name}: {reason}.", "Check that the path exists and that we may read and write it.")


def _report_crash(
    child: Child,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        traceback.print_tb(trace)  # the place only: messages of libraries may quote rows
        what = f"The script broke ({kind.__name__})."
        child.emit("error", what=what, next_step="The log holds the place; report it.")

    return hook


def _is_pipe(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _die_with_parent() -> None:
    """Ask Linux for SIGTERM when the thread that started us ends (start children from a main thread)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
