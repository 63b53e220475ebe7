"""Knows which reader of use cases needs no language model; apart from the wiring, so that a shell opens it at once."""

import functools
from pathlib import Path

from bot.settings import Settings
from knowledge.advice.offline import offline
from knowledge.advice.reader import Reader
from knowledge.advice.sensing import open_senses


def offline_reader(settings: Settings) -> Reader:
    """Return the reader that needs no language model; `settings.cache` is where weights lie."""
    return _opened(settings.cache)


@functools.cache
def _opened(cache: Path) -> Reader:
    """Open the encoder once for a process: it takes 60 MB and a third of a second."""
    return offline(open_senses(cache))
