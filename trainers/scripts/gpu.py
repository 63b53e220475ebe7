"""Knows that one process at a time works on a GPU of this machine; it does not know what the process does there."""

import fcntl
import os
import tempfile
import time
from pathlib import Path

from trainers.scripts.child import Child

LOOK_EVERY = 0.5
"""Seconds between two looks whether the GPU is free."""

_held: list[int] = []
"""Open lock files: the operating system frees them when this process ends, however it ends."""


def hold_gpu(device: str, child: Child, phase: str) -> None:
    """Wait until no other child of anybody's Luthier is on the GPU, and keep it until this process ends.

    Two models that fit alone may not fit together, and the second would take the first one down with it. Does nothing
    on a CPU. Raises StopRequested where a stop comes first.
    """
    if device == "cpu":
        return
    # Read only, so that another user's worker can lock the same file; never through somebody's link.
    lock = os.open(lock_path(), os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    _held.append(lock)
    waiting = False
    while not _taken(lock):
        if not waiting:
            child.emit("progress", phase=phase, step=0, steps=1, note="Another training is on the GPU; waiting for it")
        waiting = True
        child.check()
        time.sleep(LOOK_EVERY)


def lock_path() -> Path:
    """Name the lock file of the GPUs that this process sees."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "all").replace(",", "-").replace("/", "-")
    return Path(tempfile.gettempdir()) / f"luthier-gpu-{seen}.lock"


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
