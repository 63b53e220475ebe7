"""What other answers would do to a verdict: flips, questions, "only if"; it re-scores and words nothing."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from knowledge.advice.facts import Facts, Value, known, with_fact
from knowledge.advice.rubric import SCORED, Choice, Option, Rubric
from knowledge.advice.score import Verdict, judge

MARGIN_SHARE = 0.05
"""Weight of a moved margin beside a changed recommendation: it only ranks questions that would change nothing."""
LEAST_WORTH = 0.1
"""Points of expected gain below which a question is not worth anybody's time."""
LIKELY = 0.1
"""Answers less likely than this are asked for where they matter much, but not told as what would change the advice."""


class Flip(NamedTuple):
    """One fact set to another answer, and the verdict that follows."""

    fact: str
    choice: Choice
    verdict: Verdict
    was_known: bool


def flips(facts: Facts, rubric: Rubric) -> tuple[Flip, ...]:
    """Re-score with each fact set, one at a time, to each answer that it does not have now."""
    return tuple(_flips(facts, rubric))


def changes(base: Verdict, all_flips: tuple[Flip, ...], most: int) -> tuple[Flip, ...]:
    """Pick the likeliest flips that change the recommendation: unknown facts first, one for each new answer."""
    turned = [flip for flip in _likely(all_flips) if flip.verdict.recommendation != base.recommendation]
    turned.sort(key=lambda flip: (flip.was_known, -flip.choice.p * (1 + flip.verdict.margin)))
    picked: dict[Option, Flip] = {}
    for flip in turned:
        picked.setdefault(flip.verdict.recommendation, flip)
    return tuple(sorted(picked.values(), key=turned.index))[:most]


def condition(option: Option, all_flips: tuple[Flip, ...]) -> Flip | None:
    """Give the likeliest answer to an unknown fact that would make this option the recommendation, if there is one."""
    able = [flip for flip in _likely(all_flips) if not flip.was_known and flip.verdict.recommendation == option]
    return max(able, key=lambda flip: flip.choice.p, default=None)


def questions(
    base: Verdict, all_flips: tuple[Flip, ...], rubric: Rubric, most: int, skipped: Collection[str] = ()
) -> tuple[str, ...]:
    """Name the unknown facts most worth asking, by the expected gain over keeping the present recommendation.

    The gain of an answer is how far the then best option leads the present one; a changed recommendation
    counts at least the tie width. Of `skipped` nothing is asked.
    """
    worth: dict[str, float] = {}
    for flip in all_flips:
        if not flip.was_known and flip.fact not in skipped and rubric.facts[flip.fact].ask:
            worth[flip.fact] = worth.get(flip.fact, 0.0) + flip.choice.p * _gain(base, flip.verdict, rubric)
    ranked = sorted(worth, key=lambda fact: -worth[fact])
    return tuple(fact for fact in ranked if worth[fact] >= LEAST_WORTH)[:most]


def _likely(all_flips: tuple[Flip, ...]) -> list[Flip]:
    return [flip for flip in all_flips if flip.choice.p >= LIKELY]


def _flips(facts: Facts, rubric: Rubric) -> Iterator[Flip]:
    now = known(facts)
    for fact, text in rubric.facts.items():
        if _implied(fact, facts) or any(now.get(name) != value for name, value in text.needs.items()):
            continue
        for choice in text.choices:
            if not _same(fact, now.get(fact), choice, rubric):
                yield Flip(fact, choice, judge(with_fact(facts, fact, choice.value), rubric), fact in now)


def _implied(fact: str, facts: Facts) -> bool:
    """Tell whether another known fact already answers this one."""
    if fact == "labelled_examples":
        return facts.labels_exist is False
    if fact == "prompting_tried":
        return facts.prompted_accuracy_near_target is not None
    if fact == "prompted_accuracy_near_target":
        return facts.prompting_tried is False
    return fact == "exact_figures_from_db" and bool(facts.writes_queries)


def _same(fact: str, value: Value | None, choice: Choice, rubric: Rubric) -> bool:
    """Tell whether a known value already is this answer; numbers are the same when the same criteria hold."""
    if value is None or value == choice.value:
        return value is not None
    mine, theirs = with_fact(Facts(), fact, value), with_fact(Facts(), fact, choice.value)
    criteria = [criterion for criterion in rubric.criteria if criterion.fact == fact and criterion.between]
    return bool(criteria) and all(criterion.degree(mine) == criterion.degree(theirs) for criterion in criteria)


def _gain(base: Verdict, then: Verdict, rubric: Rubric) -> float:
    moved = MARGIN_SHARE * sum(abs(then.scores[option] - base.scores[option]) for option in SCORED)
    if then.recommendation == base.recommendation:
        return moved
    return moved + max(rubric.rule.tie, then.scores[then.recommendation] - then.scores[base.recommendation])
