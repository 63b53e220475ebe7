"""A model that nobody is billed for, and that fails for a moment."""

from collections.abc import Callable, Sequence

import pytest

from knowledge.models import Message, ModelBusy, ModelUnavailable, Used
from trainers.evals.generating.patient import PatientWriter

DOWN = ModelUnavailable("The model m failed with HTTP status 500.", "Ask again.", temporary=True)
GONE = ModelUnavailable("The key for m was refused.", "Check it.")


class Flaky:
    """A model that fails as it is told, then answers."""

    name = "m"

    def __init__(self, *troubles: ModelUnavailable, takes: float = 0.1) -> None:
        self.troubles, self.takes, self.now, self.asked = list(troubles), takes, 0.0, 0

    def complete(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0,
        max_tokens: int,
        count: Callable[[Used], None] | None = None,
    ) -> str:
        self.asked += 1
        self.now += self.takes
        if self.troubles:
            raise self.troubles.pop(0)
        return "{}"


def ask(model: Flaky) -> tuple[list[float], list[str]]:
    slept: list[float] = []
    told: list[str] = []
    writer = PatientWriter(model, told.append, sleep=slept.append, clock=lambda: model.now)
    assert writer.complete([Message("user", "x")], max_tokens=5) == "{}"
    return slept, told


def test_what_passes_is_waited_for_and_said() -> None:
    """Longer each time, and at least as long as the server asks."""
    busy = ModelBusy("The model m is busy.", "Later.", temporary=True, retry_after=5.0)
    slept, told = ask(Flaky(DOWN, busy))
    assert slept == [1.0, 5.0]
    assert told[0] == "The model m failed with HTTP status 500. I ask again in 1 s."


@pytest.mark.parametrize(
    ("model", "calls"),
    [
        (Flaky(DOWN, DOWN, DOWN, DOWN), 4),
        (Flaky(GONE), 1),
        (Flaky(DOWN, takes=60.0), 1),
        (Flaky(ModelBusy("Busy.", "", temporary=True, retry_after=900.0)), 1),
    ],
)
def test_what_lasts_ends_it(model: Flaky, calls: int) -> None:
    """A refused key, a silence of a minute and a long pause are no passing trouble; the fourth failure ends too."""
    with pytest.raises(ModelUnavailable):
        ask(model)
    assert model.asked == calls
