"""The middle of some values; it says nothing about their spread."""

from collections.abc import Sequence


def median(values: Sequence[float]) -> float | None:
    """Middle value, or None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
