"""How a call of `luthier` ends: its exit code, and with --json one document on standard output whatever went wrong.

0: done, 1: blocked or failed, 2: used wrongly. What a command does, it does not know.
"""

from collections.abc import Sequence
from typing import Any

import typer

from bot.shell.terminal import call, say, show_json
from knowledge.errors import LuthierError, ServiceError

_WRONG_USE: type[Exception] = typer.BadParameter.__bases__[0]
"""The parser's error about a wrong call; taken from its heir, as some versions of typer bring their own click."""

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it: 128 and the number of the signal."""


def run(app: typer.Typer, words: Sequence[str]) -> int:
    """Run what `words` name and return the exit code; what went wrong is said, and is the document of --json."""
    call.begin(as_json=_wants_json(words))
    try:
        code = _run(app, words)
    except LuthierError as error:
        code = _fail(error)
    except _database_trouble():
        what = "The database does not answer: it is busy, full or away."
        code = _fail(ServiceError(what, "Look at DATABASE_URL and at the disk, then try again."))
    except KeyboardInterrupt:
        code = STOPPED
    except Exception as error:  # raised on: it is our own fault, and standard error gets its traceback
        _document(f"Luthier itself failed ({type(error).__name__}).", "Report what stands on standard error.")
        raise
    if code == STOPPED:
        say("Stopped.")
    if code:
        _document(call.said or "That did not work.", call.next_step)
    return code


def _run(app: typer.Typer, words: Sequence[str]) -> int:
    try:
        given = app(args=list(words), standalone_mode=False)
    except _WRONG_USE as wrong:
        return _wrong_use(wrong)
    except typer.Abort:
        say("There was a question that nobody answered. Nothing was changed.")
        return 1
    return given if isinstance(given, int) else 0


def _wrong_use(wrong: Any) -> int:
    """Tell what the parser could not make sense of; how the command is used it shows itself."""
    wrong.show()
    path = wrong.ctx.command_path if wrong.ctx is not None else "luthier"
    _document(wrong.format_message().splitlines()[0], f"`{path} --help` shows how it is used.")
    return int(wrong.exit_code)


def _fail(error: LuthierError) -> int:
    _document(error.what, error.next_step)
    say(error.what)
    if error.next_step:
        say(error.next_step)
    return 1


def _document(what: str, next_step: str) -> None:
    """Print what went wrong, if JSON was asked for and nothing was printed yet."""
    if call.as_json and not call.shown:
        show_json({"error": what, "next_step": next_step})


def _wants_json(words: Sequence[str]) -> bool:
    """Say whether a call asks for JSON, also one that is wrong otherwise; what follows a bare -- is text."""
    return "--json" in (words[: words.index("--")] if "--" in words else words)


def _database_trouble() -> type[Exception]:
    """Name the database's own trouble; imported only when something was raised, as it takes half a second."""
    from sqlalchemy.exc import OperationalError

    return OperationalError
