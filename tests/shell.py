"""A command of the shell in this process: what it imports takes seconds, and is here already.

For tests in which a process of its own is not the point; what one leaves behind, hears or says in a pipe needs one.
"""

import contextlib
import io
import os
import sys
from subprocess import CompletedProcess
from unittest.mock import patch

from bot.cli import main


def luthier(*words: str, stdin: str = "", **env: str) -> CompletedProcess[str]:
    """Run a command with these words, this standard input, and an environment like ours but for `env`."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    argv = ["luthier", *words]
    with (
        patch.object(sys, "argv", argv),
        patch.object(sys, "stdin", io.StringIO(stdin)),
        patch.dict(os.environ, env),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return CompletedProcess(argv, code, out.getvalue(), err.getvalue())
