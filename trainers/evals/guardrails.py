"""Whether a training broke what it should have left alone, from marks before and after; it does not mark answers.

A guardrail with a margin is a test of non-inferiority: held if the interval of after minus before lies above minus the
margin, broken if it lies below, otherwise unclear. With a margin of 0 nothing unchanged could ever be proven so; there
held means that the share after is not lower, broken that it is proven to be lower.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

from trainers.data.findings import plural
from trainers.evals.stats import Interval, bonett_price, rows_needed

State = Literal["held", "broken", "unclear"]

_FILE = Path(__file__).with_name("guardrails.toml")
_MOST = 100_000  # more probes than this are no advice


@dataclass(frozen=True, kw_only=True)
class Guardrail:
    """One thing that must not get worse by more than a margin; fixed before training."""

    name: str
    """Key: a suite of probes, or `valid` and `refusal_rows` for the task's own rows."""
    title: str
    """What a share of 1 means, for people."""
    margin: Decimal
    """Largest loss that is borne, as a share: 0.05 is 5 points."""
    gate: bool
    """Whether it bears on the verdict; otherwise it is only shown."""
    unit: str = "probe"
    """What is counted, in the singular."""

    def __post_init__(self) -> None:
        """Refuse a margin that is none."""
        if not 0 <= self.margin < 1:
            raise ValueError("a margin is a share from 0 to below 1")

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal guardrail."""
        return {**asdict(self), "margin": str(self.margin)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Guardrail":
        """Read what `to_json` wrote."""
        return cls(**{**data, "margin": Decimal(data["margin"])})


@dataclass(frozen=True, kw_only=True)
class GuardrailResult:
    """What came of one guardrail."""

    name: str
    """The guardrail's key."""
    title: str
    """The guardrail's name for people."""
    before: float
    """Share as it should be, base model."""
    after: float
    """Share as it should be, tuned model."""
    n: int
    """Probes or rows compared."""
    lost: int
    """As it should be before and not after."""
    gained: int
    """As it should be after and not before."""
    difference: float
    """After minus before, -1 to 1."""
    low: float
    """Lower end of the interval of the difference (Bonett and Price)."""
    high: float
    """Upper end of that interval."""
    margin: Decimal
    """The guardrail's margin."""
    gate: bool
    """Whether it bears on the verdict."""
    outcome: State
    """held, broken or unclear."""
    more: int | None
    """For unclear: how many more probes or rows would settle it four times out of five, if any number would."""
    sentence: str
    """Counts, outcome and what would settle it, in words."""

    @property
    def little_to_lose(self) -> bool:
        """Whether the base had no more than the margin to begin with, so that nothing could have broken this."""
        return self.n > 0 and 0 < self.margin >= Decimal(str(self.before))

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal result."""
        return {**asdict(self), "margin": str(self.margin)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "GuardrailResult":
        """Read what `to_json` wrote."""
        return cls(**{**data, "margin": Decimal(data["margin"])})


def judge(
    guardrail: Guardrail, before: Sequence[bool], after: Sequence[bool], *, level: float | None = None
) -> GuardrailResult:
    """Compare the marks of the same probes before and after training, in the same order; no marks are unclear."""
    pairs = list(zip(before, after, strict=True))
    n = len(pairs)
    lost = sum(one and not other for one, other in pairs)
    gained = sum(other and not one for one, other in pairs)
    level = default_level() if level is None else level
    interval = bonett_price(gained, lost, n, level)
    outcome = _outcome(gained - lost, n, interval, float(guardrail.margin))
    more = _more(gained, lost, n, guardrail, level) if outcome == "unclear" else None
    return GuardrailResult(
        name=guardrail.name,
        title=guardrail.title,
        before=sum(before) / n if n else 0.0,
        after=sum(after) / n if n else 0.0,
        n=n,
        lost=lost,
        gained=gained,
        difference=(gained - lost) / n if n else 0.0,
        low=interval.low,
        high=interval.high,
        margin=guardrail.margin,
        gate=guardrail.gate,
        outcome=outcome,
        more=more,
        sentence=_sentence(guardrail, pairs, _span(interval, level), outcome, more),
    )


def together(results: Iterable[GuardrailResult]) -> State:
    """What all gating guardrails say: broken if one is, else unclear if one is, else held (also if there is none).

    A verdict is FAIL if they are broken and can't be PASS unless they are held.
    """
    states = {result.outcome for result in results if result.gate}
    return "broken" if "broken" in states else "unclear" if "unclear" in states else "held"


def guardrails(names: Iterable[str] | None = None) -> tuple[Guardrail, ...]:
    """The guardrails of guardrails.toml in its order; raises `KeyError` for a name that is not there."""
    known = _read()["guardrail"]
    chosen = known if names is None else list(names)
    return tuple(_guardrail(name, known[name]) for name in chosen)


def fitting(rails: Iterable[Guardrail], metric: str) -> tuple[Guardrail, ...]:
    """The same guardrails; those that mean nothing where `metric` marks the answers are shown and gate nothing."""
    known = _read()["guardrail"]
    return tuple(
        replace(rail, gate=rail.gate and metric not in known.get(rail.name, {}).get("shown_for", ())) for rail in rails
    )


def default_level() -> float:
    """Level of the two-sided interval that guardrails are judged by."""
    return float(_read()["interval"]["level"])


def _outcome(balance: int, n: int, interval: Interval, margin: float) -> State:
    if n == 0:
        return "unclear"
    if interval.high < -margin:
        return "broken"
    held = interval.low > -margin if margin else balance >= 0
    return "held" if held else "unclear"


def _more(gained: int, lost: int, n: int, guardrail: Guardrail, level: float) -> int | None:
    """Probes beyond these that would tell the loss from the margin if marks go on changing as often as now."""
    if n == 0:
        return None
    distance = abs((gained - lost) / n + float(guardrail.margin))
    if not 0 < distance <= 1:
        return None
    needed = rows_needed((gained + lost + 2) / (n + 2), distance, level)
    return max(1, needed - n) if needed <= _MOST else None


def _sentence(
    guardrail: Guardrail, pairs: Sequence[tuple[bool, bool]], span: str, outcome: State, more: int | None
) -> str:
    if not pairs:
        return f"{guardrail.title}: not checked, nothing was answered before and after."
    before, after = (sum(pair[place] for pair in pairs) for place in (0, 1))
    lost = sum(one and not other for one, other in pairs)
    gained = lost + after - before
    counts = f"{before:,} of {len(pairs):,} before, {after:,} after; {lost:,} lost, {gained:,} gained"
    hollow = " (it had too little to lose for that to show much)" if 0 < guardrail.margin * len(pairs) >= before else ""
    return f"{guardrail.title}: {counts}: {_reading(guardrail, span, outcome)}{hollow}{_wanted(more, guardrail.unit)}."


def _span(interval: Interval, level: float) -> str:
    return f"{level:.0%} interval {_points(interval.low)} to {_points(interval.high)} points"


def _reading(guardrail: Guardrail, span: str, outcome: State) -> str:
    margin = f"{(guardrail.margin * 100).normalize():f} points"
    if not guardrail.margin:
        return {"held": "not lower", "broken": f"proven lower ({span})", "unclear": f"lower, not proven ({span})"}[
            outcome
        ]
    if outcome == "held":
        return f"held within {margin}"
    if outcome == "broken":
        return f"broken, more than {margin} lost ({span})"
    return f"unclear whether within {margin} ({span})"


def _wanted(more: int | None, unit: str) -> str:
    """Say how many more would settle it, rounded up to two figures: it is an estimate."""
    if more is None:
        return ""
    step = 10 ** max(0, len(str(more)) - 2)
    return f"; about {plural(-(-more // step) * step, f'more {unit}')} would settle it four times out of five"


def _points(share: float) -> str:
    digits = f"{abs(share * 100):.0f}"
    return digits if digits == "0" else f"{'+' if share > 0 else '−'}{digits}"


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))


def _guardrail(name: str, section: Mapping[str, Any]) -> Guardrail:
    return Guardrail(
        name=name,
        title=section["title"],
        margin=Decimal(section["margin"]),
        gate=section["gate"],
        unit=section["unit"],
    )
