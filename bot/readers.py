"""Knows which reader of use cases needs no language model; apart from the wiring, so that a shell opens it at once."""

from bot.settings import Settings
from knowledge.advice.reader import Reader, read


def offline_reader(settings: Settings) -> Reader:
    """Return the reader that needs no language model; `settings.cache` is where weights lie."""
    return read
