"""Knows what jobs have in common that pay for many small calls of a language model; it makes none."""

from datetime import timedelta
from typing import Final

TURN: Final = timedelta(seconds=5)
"""After which a worker looks again whether another one has let go of the answers."""

SECONDS_A_CALL: Final = (0.5, 5.0)
"""A guess, said as one in the quote; one call after the other."""
