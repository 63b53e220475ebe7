"""The thresholds that simulation set for intervals; it applies none of them."""

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Limits(NamedTuple):
    """What limits.toml says; the reasons are beside the numbers there."""

    graded_rows: int
    """Fewest rows of graded scores that carry a verdict."""
    clusters: int
    """Fewest independent sources that carry a verdict."""
    degrees: float
    """Fewest effective degrees of freedom that carry a verdict."""
    changed: int
    """Below so many changed rows the interval is widened by two made-up ones."""
    changed_clusters: int
    """The same for sources."""
    skew_margin: float
    """Standard errors of the skewness given against the verdict, for independent rows."""
    skew_margin_clusters: float
    """The same for clustered rows."""


@cache
def limits() -> Limits:
    """Read the shipped file once."""
    text = (Path(__file__).parent / "limits.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    return Limits(**{name: told[name] for name in Limits._fields})
