"""The root of every error we raise ourselves; it knows how an error speaks to a person, not where it is shown.

LuthierError
├── UserError          something the person can put right: it says what happened and what to do next
└── ServiceError       a part we depend on (queue, index, model, weights) does not answer
"""


class LuthierError(Exception):
    """Something went wrong inside Luthier."""

    def __init__(self, what: str = "", next_step: str = "") -> None:
        """Take what happened and what to do next, each one plain sentence; the class's docstring is the default."""
        self.what = what or (self.__doc__ or "").strip()
        self.next_step = next_step
        super().__init__(f"{self.what} {next_step}".strip())


class UserError(LuthierError):
    """That did not work as asked."""


class ServiceError(LuthierError):
    """A service that Luthier needs does not answer."""
