"""What this Slack may be asked to do wrong, as the real one sometimes does. Knows chances, not where they strike."""

import random
from dataclasses import asdict, dataclass, fields, replace

from bot.console.wire import Json, SlackError


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Chances are between 0 and 1, for each event or call; times are in seconds."""

    duplicate_events: float = 0.0
    """An event is delivered twice."""
    late_events: float = 0.0
    """An event waits before it is delivered, so that later ones overtake it."""
    late_seconds: float = 4.0
    """How long a late event waits."""
    server_errors: float = 0.0
    """A call is answered 500 and nothing was done."""
    lost_answers: float = 0.0
    """A call is carried out, but its answer is 503."""
    slow_answers: float = 0.0
    """A call waits before it is carried out."""
    slow_seconds: float = 3.0
    """How long a slow call waits."""
    rate_limits: bool = False
    """Methods answer 429 with Retry-After over their rate."""

    def with_rates(self, on: bool) -> "Faults":
        """The same with rate limits on or off."""
        return replace(self, rate_limits=on)


NONE = Faults()
EVERYTHING = Faults(
    duplicate_events=0.2,
    late_events=0.2,
    server_errors=0.03,
    lost_answers=0.03,
    slow_answers=0.05,
    rate_limits=True,
)
"""What `--faults` switches on: often enough to meet each within minutes, not so often that all stands still."""
LONGEST = 60.0


class FaultBox:
    """The faults that are switched on now, and the chance that decides; the same seed gives the same draws."""

    def __init__(self, chosen: Faults, seed: int) -> None:
        self.now = chosen
        """What is switched on."""
        self._chance = random.Random(seed)  # noqa: S311 - faults, not secrets

    def strikes(self, name: str) -> bool:
        """Whether this fault happens now; `name` is a field of Faults that holds a chance."""
        chance = getattr(self.now, name)
        return bool(chance and self._chance.random() < chance)

    def change(self, values: Json) -> Json:
        """Switch faults by name and say what is on now. Raises invalid_arguments."""
        known = {field.name: type(getattr(NONE, field.name)) for field in fields(Faults)}
        made = {}
        for name, value in values.items():
            if name not in known:
                raise SlackError("invalid_arguments", f"there is no fault {name}; choose of {', '.join(known)}")
            made[name] = _switch(name, value) if known[name] is bool else _number(name, value)
        self.now = replace(self.now, **made)  # type: ignore[arg-type]  # each was made of its field's type
        return self.told()

    def told(self) -> Json:
        """All faults by name."""
        return asdict(self.now)


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SlackError("invalid_arguments", f"{name} is true or false")
    return value


def _number(name: str, value: object) -> float:
    most = LONGEST if name.endswith("seconds") else 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise SlackError("invalid_arguments", f"{name} is a number from 0 to {most:g}")
    return float(value)
