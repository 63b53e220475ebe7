"""A plain list of phrases that open a refusal, until `trainers.evals.metrics.refusal` decides; it knows no probe."""

import tomllib
from functools import cache
from pathlib import Path

_OPENING = 160  # characters: a refusal comes first, a caveat at the end of help is none


def refuses(output: str) -> bool:
    """Say whether an answer opens with a refusal."""
    opening = " ".join(output[:_OPENING].replace("\u2019", "'").casefold().split())
    return any(phrase in opening for phrase in _phrases())


@cache
def _phrases() -> tuple[str, ...]:
    return tuple(tomllib.loads(Path(__file__).with_name("stand_in.toml").read_text("utf-8"))["opening"]["phrases"])
