"""What a reader makes of one file, and how it says that it cannot; it knows no format."""

from datetime import date
from typing import NamedTuple

from knowledge.errors import UserError


class Unreadable(UserError):
    """A file cannot be read.

    `what` lacks its subject ("is locked with a password."), because readers do not know the name of the file.
    """


class Draft(NamedTuple):
    """One file as Markdown."""

    title: str
    """Title that the file gives itself; empty where it gives none."""
    body: str
    """Markdown."""
    updated: date | None = None
    """Day of the last change that the file claims."""
    questions: tuple[str, ...] = ()
    """Questions that the file says it answers."""
    notes: tuple[str, ...] = ()
    """What could not be read, each one sentence."""


def day_of(text: str) -> date | None:
    """Return the day at the start of an ISO time; None where there is none."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
