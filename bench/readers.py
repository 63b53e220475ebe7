"""The offline readers that can be measured: patterns alone, the learned reader alone, and both as they are shipped."""

import dataclasses
import functools
from collections.abc import Mapping

from bot.settings import Settings
from knowledge.advice import offline
from knowledge.advice.facts import Facts
from knowledge.advice.reader import Reader, Reading, read
from knowledge.advice.sensing import WEIGHTS, open_senses

NAMES = ("patterns", "learned", "offline")


def readers() -> Mapping[str, Reader]:
    """Return the readers by name; those with learned weights only where the weights are."""
    if not WEIGHTS.exists():
        return {"patterns": read}
    senses = open_senses(Settings.from_env().cache)
    return {
        "patterns": read,
        "learned": functools.partial(offline.read, senses=senses, patterns=_blind),
        "offline": offline.offline(senses),
    }


def shipped(found: Mapping[str, Reader]) -> str:
    """Name the best reader that is here: what Luthier itself would use."""
    return "offline" if "offline" in found else "patterns"


def _blind(text: str) -> Reading:
    """Read nothing, so that only what is sensed counts."""
    return dataclasses.replace(read(text), facts=Facts(), evidence={}, spans={}, conflicts=())
