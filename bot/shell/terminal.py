"""Knows how the shell is spoken to: results on standard output, everything else on standard error."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

JsonFlag = Annotated[bool, typer.Option("--json", help="Print only JSON on standard output.")]

LEAST_EFFECT = "0.5"
"""Points below which a smallest useful effect is taken for a share: to show it takes hundreds of thousands of rows."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COMMAND = re.compile(r"`(jobs|resume|cancel|approve|report)`")
_START = re.compile(r"`(train|cost|data generate)`")


class Call:
    """What one call of the command has told so far; with --json standard output gets one document, also for errors."""

    def __init__(self) -> None:
        """Start a call that nobody has begun."""
        self.begin(as_json=False)

    def begin(self, *, as_json: bool) -> None:
        """Begin a call."""
        self.as_json, self.shown, self.said, self.next_step = as_json, False, "", ""


call = Call()
"""The call that is under way: a process has one standard output."""


def say(text: str) -> None:
    """Tell the person something that is not the result."""
    call.said = text
    print(clean(text), file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Print a result."""
    call.shown = True
    print(clean(text), flush=True)


def show_json(data: Any) -> None:
    """Print a result as one JSON document on one line."""
    call.shown = True
    print(json.dumps(data, default=str), flush=True)


def clean(text: str) -> str:
    """Take out control characters and half letters: a model's or a file's text must not steer or stop the terminal."""
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode()


def in_shell(text: str, number: int) -> str:
    """Name commands about a job as the shell knows them: lower layers write `jobs`, here it is `luthier jobs 3`."""
    return _START.sub(r"`luthier \1`", _COMMAND.sub(rf"`luthier \1 {number}`", text))


def fail_usage(what: str, next_step: str = "") -> typer.Exit:
    """Say what was wrong about the call, and what to do, and return the exit for wrong use, to be raised."""
    say(f"{what} {next_step}".strip())
    call.said, call.next_step = what, next_step
    return typer.Exit(2)


def read_text(file: Path) -> str:
    """Return the text of a file that an option names; leaves with 2 where there is none."""
    if not file.is_file():
        raise fail_usage(f"There is no file {file}.")
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise fail_usage(f"{file} is not UTF-8 text.") from None


def refuse_share(option: str, value: Decimal, *, below: str, unit: str) -> None:
    """Refuse a number between 0 and `below`: a share of 1 was meant, but `unit` (percent or points) is read."""
    if value.is_finite() and 0 < value < Decimal(below):  # nan, which compares with nothing, is refused by its range
        meant = f"{(value * 100).normalize():f}"
        raise fail_usage(f"--{option} {value} would be {value} {unit}. Give {unit}: --{option} {meant}.")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows under a head, as wide as the terminal allows."""
    from rich.console import Console
    from rich.table import Table

    drawn = Table(*head, box=None, pad_edge=False)
    for row in rows:
        drawn.add_row(*(clean(cell) for cell in row))
    console = Console(highlight=False, markup=False)
    with console.capture() as captured:
        console.print(drawn)
    return captured.get().rstrip()


@contextmanager
def bar(title: str, *, late: bool = False) -> Iterator[Any]:
    """Show a progress bar on standard error; yields a callable (step, steps, remark).

    A `late` one is for what mostly has nothing to do: it appears with the first step.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[remark]}"), TimeElapsedColumn())
    console, here = Console(stderr=True), sys.stdout.isatty()  # results that go to a file are not the bar's to print
    progress = Progress(*columns, console=console, transient=False, redirect_stdout=here)
    task = progress.add_task(title, total=None, remark="")

    def update(step: float, steps: float | None, remark: str = "", description: str = title) -> None:
        progress.start()  # where it runs already this changes nothing
        progress.update(task, completed=step, total=steps or None, remark=clean(remark), description=clean(description))

    if not late:
        progress.start()
    try:
        yield update
    finally:
        progress.stop()
