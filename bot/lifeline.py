"""Starts a program that dies with whoever started it; it knows nothing of the program.

Run as: python -m bot.lifeline PARENT_PID PROGRAM ARGUMENT…
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel (Linux) to end us when our parent ends, then become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    die_with_parent(parent)
    os.execvp(program[0], program)  # noqa: S606  # becoming the program is the point; no shell is involved


def die_with_parent(parent: int) -> None:
    """Set the parent-death signal; it outlives exec. Elsewhere than on Linux a supervisor's stop has to do."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)


if __name__ == "__main__":
    main()
