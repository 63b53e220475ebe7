"""Has a file parsed by a child process and ends it when it takes too long; it knows the protocol, not the formats."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import IO, Any

from knowledge.documents.child import OUT_OF_MEMORY
from knowledge.documents.drafts import Draft, Unreadable
from knowledge.documents.limits import Limits

_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
_PIECE = 1_048_576
TOO_MUCH = 78
"""Status of a child whose output was more than is read."""


def parse_confined(kind: str, content: bytes, limits: Limits) -> Draft:
    """Return what the reader of `kind` makes of `content`; raise Unreadable for its reason, or for its end."""
    try:
        done = run_confined("knowledge.documents.child", [kind, json.dumps(asdict(limits))], content, limits.seconds)
    except subprocess.TimeoutExpired as error:
        raise _too_slow(limits) from error
    if done.returncode == OUT_OF_MEMORY:
        raise Unreadable("needs more memory than I give to one file.", "Split it, or export only its text.")
    if done.returncode:
        raise Unreadable("is damaged, or too much for its parser.", "Save it anew, or split it, and add that.")
    return _draft(json.loads(done.stdout))


def run_confined(
    module: str, arguments: Sequence[str], content: bytes, seconds: float
) -> "subprocess.CompletedProcess[bytes]":
    """Run a module of ours as a child that gets `content` and nothing of our environment, which holds keys.

    Raises subprocess.TimeoutExpired after `seconds`; the child is ended then.
    """
    return subprocess.run(
        _command(module, arguments),
        input=content,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=_ENVIRONMENT,
        timeout=seconds,
        check=False,
    )


@contextmanager
def spooled_confined(
    module: str, arguments: Sequence[str], content: bytes, seconds: float, most: int
) -> Iterator[tuple[int, IO[bytes]]]:
    """Run a module like `run_confined`, with its output in a file on disk: for whoever reads it line by line.

    Yields the exit status and the file, at its start. Output over `most` bytes ends the child with `TOO_MUCH` as its
    status. Raises subprocess.TimeoutExpired after `seconds`.
    """
    command = _command(module, arguments)
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
        given.write(content)
        given.seek(0)
        with subprocess.Popen(
            command, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env=_ENVIRONMENT
        ) as child:
            late = threading.Event()
            timer = threading.Timer(seconds, partial(_end, child, late))
            timer.start()
            try:
                whole = _copied(child.stdout, output, most)
                if not whole:
                    child.kill()
                status = child.wait()
            finally:
                timer.cancel()
                child.kill()  # which does nothing once it has ended
        if late.is_set():
            raise subprocess.TimeoutExpired(command, seconds)
        output.seek(0)
        yield status if whole else TOO_MUCH, output


def _copied(pipe: IO[bytes] | None, output: IO[bytes], most: int) -> bool:
    """Copy what a child writes; False, and no more, where that is over `most` bytes."""
    size = 0
    while pipe is not None and (piece := pipe.read1(_PIECE)):  # type: ignore[attr-defined]  # a pipe of Popen is buffered
        size += len(piece)
        if size > most:
            return False
        output.write(piece)
    return True


def _end(child: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    child.kill()


def _command(module: str, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-P", "-s", "-m", module, *arguments]


def _too_slow(limits: Limits) -> Unreadable:
    return Unreadable(f"takes longer than {limits.seconds:,.0f} seconds to read.", "Split it, or export only its text.")


def _draft(answer: Mapping[str, Any]) -> Draft:
    if "what" in answer:
        raise Unreadable(str(answer["what"]), str(answer["next_step"]))
    updated = str(answer["updated"])
    return Draft(
        title=str(answer["title"]),
        body=str(answer["body"]),
        updated=date.fromisoformat(updated) if updated else None,
        questions=tuple(str(question) for question in answer["questions"]),
        notes=tuple(str(note) for note in answer["notes"]),
    )
