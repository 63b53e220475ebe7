"""Whether the tuned model beat its rival by the rule, did not, or nobody can tell yet; it does not score answers."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from trainers.evals.rule import SuccessRule
from trainers.evals.stats import Interval, bonett_price, mcnemar_mid_p, rows_needed

Outcome = Literal["PASS", "FAIL", "INCONCLUSIVE"]


class Pair(NamedTuple):
    """One held-out row, answered by both."""

    rival: bool
    """True if the best-prompted base is right."""
    tuned: bool
    """True if the tuned model is right."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the rule says about tuned minus best-prompted base on the same rows."""

    outcome: Outcome
    """PASS, FAIL or INCONCLUSIVE."""
    difference: float
    """Share of rows gained minus share lost, -1 to 1."""
    low: float
    """Lower end of the interval of the difference (Bonett and Price)."""
    high: float
    """Upper end of the interval of the difference."""
    level: float
    """Level of the interval."""
    p_value: float
    """McNemar's mid-p of no difference at all."""
    gained: int
    """Rows that only the tuned model gets right."""
    lost: int
    """Rows that only the rival gets right."""
    n: int
    """Rows compared."""
    rows_needed: int | None
    """For INCONCLUSIVE: rows in total that would settle it four times out of five; None otherwise."""
    sentence: str
    """Result, difference, interval and what would settle it, in words."""

    @property
    def rows_more(self) -> int | None:
        """How many rows more than now would settle it, or None."""
        return None if self.rows_needed is None else max(1, self.rows_needed - self.n)

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal verdict."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Verdict":
        """Read what `to_json` wrote."""
        return cls(**data)


def decide(pairs: Iterable[Pair], rule: SuccessRule) -> Verdict:
    """Apply the rule to paired answers.

    PASS: the interval lies above 0, the difference is at least the useful effect, and there are enough rows.
    FAIL: the whole interval lies below the useful effect. Otherwise INCONCLUSIVE.
    """
    rows = list(pairs)
    n = len(rows)
    gained = sum(pair.tuned and not pair.rival for pair in rows)
    lost = sum(pair.rival and not pair.tuned for pair in rows)
    difference = (gained - lost) / n if n else 0.0
    interval = bonett_price(gained, lost, n, rule.level)
    outcome = _outcome(gained - lost, n, interval, rule)
    needed = _rows_needed(gained, lost, n, rule) if outcome == "INCONCLUSIVE" else None
    return Verdict(
        outcome=outcome,
        difference=difference,
        low=interval.low,
        high=interval.high,
        level=rule.level,
        p_value=mcnemar_mid_p(gained, lost),
        gained=gained,
        lost=lost,
        n=n,
        rows_needed=needed,
        sentence=_sentence(outcome, difference, interval, n, needed, rule),
    )


def points(share: float) -> str:
    """Write a difference of shares in points with its sign: `+68`, `−3`, `0`; a small one with a decimal: `+0.4`."""
    size = abs(share * 100)
    digits = f"{size:.0f}" if size >= 0.95 or size < 0.05 else f"{size:.1f}"
    return "0" if digits == "0" else f"{'+' if share > 0 else '−'}{digits}"


def _outcome(balance: int, n: int, interval: Interval, rule: SuccessRule) -> Outcome:
    enough = balance >= rule.useful_effect * n  # in exact numbers: 2 of 40 is 5 points, not a hair less
    if interval.low > 0 and enough and n >= rule.minimum_rows:
        return "PASS"
    return "FAIL" if interval.high < rule.useful_effect else "INCONCLUSIVE"


def _rows_needed(gained: int, lost: int, n: int, rule: SuccessRule) -> int:
    """Rows that settle it with power 0.8 if the discordance stays as it is (two pairs added, as in the interval).

    A difference that looks useful is to be told from none. A smaller one is to be told from the useful effect; where
    it comes so close that this takes for ever, the useful effect itself is to be told from none.
    """
    if n == 0:
        return rule.minimum_rows
    discordance = (gained + lost + 2) / (n + 2)
    useful = float(rule.useful_effect) or 0.01
    seen = (gained - lost) / n
    proof = rows_needed(discordance, max(seen, useful), rule.level)
    if seen < useful:
        proof = min(proof, rows_needed(discordance, min(1.0, useful - seen), rule.level))
    return max(proof, rule.minimum_rows, n + 1)


def _sentence(
    outcome: Outcome, difference: float, interval: Interval, n: int, needed: int | None, rule: SuccessRule
) -> str:
    if n == 0:
        return "Not proven. No held-out row was answered by both, so there is nothing to compare."
    seen = f"{points(difference)} points"
    span = f"{rule.level:.0%} interval {points(interval.low)} to {points(interval.high)}"
    rows = f"{n:,} unseen rows"
    if outcome == "PASS":
        return f"Difference {seen} ({span}), {rows}."
    if outcome == "FAIL":
        useful = points(float(rule.useful_effect)).removeprefix("+")
        return f"Difference {seen} ({span}), {rows}: a gain of {useful} points or more is ruled out."
    return f"Not proven. {seen} ({span}), {rows}. {_more(needed or n + 1, n)}"


def _more(needed: int, n: int) -> str:
    """Say how many more rows would settle it, rounded to two figures: it is an estimate."""
    more = max(1, needed - n)
    step = 10 ** max(0, len(str(more)) - 2)
    about = -(-more // step) * step
    return f"About {about:,} more {'row' if about == 1 else 'rows'} would settle it four times out of five."
