"""Whether the tuned model beat its rival by the rule, did not, or nobody can tell yet; it does not score answers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import ceil
from statistics import fmean, stdev
from typing import Any, Literal, NamedTuple

from trainers.data.findings import plural
from trainers.evals.guardrails import GuardrailResult
from trainers.evals.rule import SuccessRule
from trainers.evals.stats import Comparison, Interval, compare, rows_needed_for, rows_needed_graded, wilson
from trainers.evals.stats.limits import limits

Outcome = Literal["PASS", "FAIL", "INCONCLUSIVE"]
ENOUGH_FOR_A_BOUND = 50
"""From so many rows on the lower bound of the tuned model's own score has to reach a target, below it the score."""


class Pair(NamedTuple):
    """One held-out row, answered by both: scores from 0 to 1."""

    rival: float
    """Score of the best-prompted base; True is 1."""
    tuned: float
    """Score of the tuned model."""
    cluster: str = ""
    """Source that the row shares with others; "" for a row of its own."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the rule says about tuned minus best-prompted base on the same rows."""

    outcome: Outcome
    """PASS, FAIL or INCONCLUSIVE."""
    difference: float
    """Mean score of the tuned model minus its rival's, -1 to 1."""
    low: float
    """Lower end of the interval of the difference."""
    high: float
    """Upper end of the interval of the difference."""
    level: float
    """Level of the interval."""
    p_value: float
    """P of no difference at all, two-sided."""
    method: str
    """Where interval and p come from, in words."""
    gained: int | None
    """Rows that only the tuned model gets right; None where scores are graded."""
    lost: int | None
    """Rows that only the rival gets right; None where scores are graded."""
    n: int
    """Rows compared."""
    clusters: int
    """Independent sources of these rows; as many as rows where each is its own."""
    rows_needed: int | None
    """For INCONCLUSIVE: rows in total that would settle it four times out of five; None where no number would, such as
    for a guardrail that is unclear or a judge that is not to be used, and for the other outcomes."""
    because: tuple[str, ...]
    """What else decided: a target that is missed, a guardrail that broke, too few sources; a sentence each."""
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
        """Read what `to_json` wrote, in this version or an earlier one."""
        older = {"method": "Bonett and Price (2012), McNemar's mid-p", "clusters": data["n"]}
        return cls(**{**older, **data, "because": tuple(data.get("because", ()))})


def decide(
    pairs: Iterable[Pair],
    rule: SuccessRule,
    guardrails: Sequence[GuardrailResult] = (),
    *,
    doubts: Sequence[str] = (),
) -> Verdict:
    """Apply the rule to paired scores; `doubts` say why the scores themselves carry neither a PASS nor a FAIL.

    PASS: the interval lies above 0, the difference is at least the useful effect, there are enough rows, the target is
    reached and no guardrail that may stop it is open. FAIL: the whole interval lies below the useful effect, the
    target is out of reach, or a guardrail broke. Otherwise INCONCLUSIVE.
    """
    rows = list(pairs)
    seen = compare(
        [float(pair.rival) for pair in rows],
        [float(pair.tuned) for pair in rows],
        clusters=_clusters(rows),
        level=rule.level,
    )
    seen = seen._replace(refused=" ".join(doubts) or (seen.refused if rows else ""))  # of no rows the sentence tells
    broken, still_open = _beside(rows, seen, rule, guardrails)
    outcome = _outcome(seen, rule, broken, still_open)
    needed = _rows_needed(rows, seen, rule) if outcome == "INCONCLUSIVE" and not doubts else None
    return Verdict(
        outcome=outcome,
        difference=seen.difference,
        low=seen.low,
        high=seen.high,
        level=rule.level,
        p_value=seen.p_value,
        method=seen.method,
        gained=seen.gained,
        lost=seen.lost,
        n=seen.n,
        clusters=seen.clusters,
        rows_needed=needed,
        because=(*broken, *still_open),
        sentence=_sentence(outcome, seen, needed, rule),
    )


def mean_interval(scores: Sequence[float], level: float, clusters: Sequence[str] | None = None) -> Interval:
    """Interval of a mean of scores from 0 to 1: Wilson's (1927) where rows are right or wrong and stand alone."""
    if set(scores) <= {0.0, 1.0} and clusters is None:
        return wilson(sum(map(int, scores)), len(scores), level)
    mean = compare([0.0] * len(scores), scores, clusters=clusters, level=level)  # its difference from nothing
    return Interval(max(0.0, mean.low), min(1.0, mean.high))


def points(share: float) -> str:
    """Write a difference of shares in points with its sign: `+68`, `−3`, `0`; a small one with a decimal: `+0.4`."""
    size = abs(share * 100)
    digits = f"{size:.0f}" if size >= 0.95 or size < 0.05 else f"{size:.1f}"
    return "0" if digits == "0" else f"{'+' if share > 0 else '−'}{digits}"


def _clusters(rows: Sequence[Pair]) -> list[str] | None:
    """Name each row's source; a row without one is its own."""
    if not any(pair.cluster for pair in rows):
        return None
    return [f"source {pair.cluster}" if pair.cluster else f"row {place}" for place, pair in enumerate(rows)]


def _beside(
    rows: Sequence[Pair], seen: Comparison, rule: SuccessRule, guardrails: Sequence[GuardrailResult]
) -> tuple[list[str], list[str]]:
    """Say what rules success out, and what leaves it open, beside the difference itself."""
    broken = [result.sentence for result in guardrails if result.gate and result.outcome == "broken"]
    still_open = [result.sentence for result in guardrails if result.gate and result.outcome == "unclear"]
    if seen.refused:
        still_open.append(seen.refused)
    for missed, sentence in _target(rows, seen, rule):
        (broken if missed else still_open).append(sentence)
    return broken, still_open


def _target(rows: Sequence[Pair], seen: Comparison, rule: SuccessRule) -> Iterator[tuple[bool, str]]:
    """Yield whether the target is out of reach, and a sentence, unless it is reached."""
    if rule.target is None or not rows:
        return
    scores, target = [float(pair.tuned) for pair in rows], float(rule.target)
    mean, interval = fmean(scores), mean_interval(scores, rule.level, _clusters(rows))
    needs = interval.low if seen.n >= ENOUGH_FOR_A_BOUND else mean
    if needs >= target:
        return
    span = f"{mean:.0%}, interval {interval.low:.0%} to {interval.high:.0%}"
    if interval.high < target and not seen.refused:
        yield True, f"The tuned model's own score ({span}) misses the target of {target:.0%}."
    else:
        yield False, f"Whether the tuned model reaches the target of {target:.0%} is open ({span})."


def _outcome(seen: Comparison, rule: SuccessRule, broken: Sequence[str], still_open: Sequence[str]) -> Outcome:
    if broken or (seen.high < rule.useful_effect and not seen.refused):
        return "FAIL"
    return "PASS" if _proven(seen, rule) and not still_open else "INCONCLUSIVE"


def _proven(seen: Comparison, rule: SuccessRule) -> bool:
    """Say whether the difference by itself is as the rule wants it."""
    return seen.low > 0 and _enough(seen, rule.useful_effect) and seen.n >= rule.minimum_rows


def _enough(seen: Comparison, useful: Decimal) -> bool:
    """Compare in exact numbers where rows are right or wrong: 2 of 40 is 5 points, not a hair less."""
    if seen.gained is None or seen.lost is None:
        return seen.difference >= float(useful) - 1e-12
    return seen.gained - seen.lost >= useful * seen.n


def _rows_needed(rows: Sequence[Pair], seen: Comparison, rule: SuccessRule) -> int | None:
    """Rows that settle what rows can settle, with power 0.8 if the spread stays as it is; None if nothing is left."""
    if not rows:
        return rule.minimum_rows
    wanted = []
    if seen.refused or not _proven(seen, rule):
        wanted.append(max(_rows_for_difference(seen, rule), rule.minimum_rows))
    if seen.clusters < min(seen.n, limits().clusters):  # new rows bring new sources in proportion
        wanted.append(ceil(seen.n * limits().clusters / seen.clusters))
    if any(not missed for missed, _ in _target(rows, seen, rule)):
        wanted.append(_rows_for_target([float(pair.tuned) for pair in rows], rule))
    return max(*wanted, seen.n + 1) if wanted else None


def _rows_for_difference(seen: Comparison, rule: SuccessRule) -> int:
    """Rows that tell a useful difference from none, or a smaller one from the useful effect.

    Where a smaller one comes so close to the useful effect that this takes for ever, the useful effect itself is to be
    told from none.
    """
    useful = float(rule.useful_effect) or 0.01
    proof = rows_needed_for(seen, max(seen.difference, useful))
    if seen.difference < useful:
        proof = min(proof, rows_needed_for(seen, min(1.0, useful - seen.difference)))
    return proof


def _rows_for_target(scores: Sequence[float], rule: SuccessRule) -> int:
    """Rows that tell the tuned model's own score from the target; a score that hits it exactly is told by 1 point."""
    distance = abs(fmean(scores) - float(rule.target or 0)) or 0.01
    return rows_needed_graded(stdev([*scores, 0.0, 1.0]), distance, rule.level)  # two made-up rows, as in the interval


def _sentence(outcome: Outcome, seen: Comparison, needed: int | None, rule: SuccessRule) -> str:
    if seen.n == 0:
        return f"Not proven. No held-out {rule.unit} has a score for both models, so there is nothing to compare."
    difference = f"{points(seen.difference)} points"
    span = f"{rule.level:.0%} interval {points(seen.low)} to {points(seen.high)}"
    sources = f" from {plural(seen.clusters, 'source')}" if seen.clusters < seen.n else ""
    rows = f"{plural(seen.n, f'unseen {rule.unit}')}{sources}"
    if outcome == "PASS":
        return f"Difference {difference} ({span}), {rows}."
    if outcome == "FAIL":
        if seen.high >= rule.useful_effect or seen.refused:
            return f"Difference {difference} ({span}), {rows}, but it must not be used: see below."
        useful = points(float(rule.useful_effect)).removeprefix("+")
        return f"Difference {difference} ({span}), {rows}: a gain of {useful} points or more is ruled out."
    more = "More rows alone would not settle it: see below." if needed is None else _more(needed, seen.n, rule.unit)
    return f"Not proven. {difference} ({span}), {rows}. {more}"


def _more(needed: int, n: int, unit: str) -> str:
    """Say how many more rows or pairs would settle it, rounded to two figures: it is an estimate."""
    more = max(1, needed - n)
    step = 10 ** max(0, len(str(more)) - 2)
    about = -(-more // step) * step
    return f"About {about:,} more {unit if about == 1 else f'{unit}s'} would settle it four times out of five."
