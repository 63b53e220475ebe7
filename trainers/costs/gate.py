"""Knows by which backend which provider is reached, and refuses bases that it trains no more; it knows no prices."""

from collections.abc import Sequence
from datetime import date

from trainers.costs.lifecycle import Line, check_trainable, line_of, lines
from trainers.costs.names import UnknownName, find_model

PROVIDER_OF = {
    "openai": "openai",
    "azure": "azure",
    "vertex": "vertex",
    "together": "together",
    "fireworks": "fireworks",
    "nebius": "nebius",
    "tinker": "tinker",
    "bedrock": "bedrock",
    "hosted_rehearsal": "openai",  # it imitates OpenAI, down to what OpenAI would refuse
}
"""Backend -> provider whose lifecycle holds; backends that are not here train on a machine of one's own."""


def line_for(backend: str, base: str, book: Sequence[Line] | None = None) -> Line | None:
    """Return what is known of a base at a backend's provider; None for a machine of one's own or an unknown name."""
    provider = PROVIDER_OF.get(backend)
    try:
        return (
            None if provider is None else line_of(provider, find_model(base), lines() if book is None else tuple(book))
        )
    except UnknownName:
        return None


def check_base(backend: str, base: str, today: date, book: Sequence[Line] | None = None) -> Line | None:
    """Raise NotTrainable where a backend's provider trains this base no more; asked before each quote and upload.

    Returns what is known of the base, None where nothing is: it is the provider's to refuse it then.
    """
    line = line_for(backend, base, book)
    if line is None:
        return None
    check_trainable(line, today)
    return None if line.source is None else line
