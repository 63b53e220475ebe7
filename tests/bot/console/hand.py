"""A clock that a test turns."""


class Hand:
    """Seconds since 1970 that stand still until a test moves them."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds
