"""Weighing facts by the rubric: pure arithmetic that knows no text, no order of words and no way of asking."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from knowledge.advice.facts import Facts
from knowledge.advice.rubric import OPTIONS, SCORED, Criterion, Effect, Gate, Option, Rubric

Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What one criterion (or the option's prior) adds to one option."""

    criterion: str
    """The criterion's id, or "prior"."""
    fact: str
    """The fact it reads; empty for the prior."""
    option: Option
    half: Option
    """The option whose weight it is: a combination is credited with what counts for its halves."""
    degree: float
    """0 to 1."""
    effect: Effect

    @property
    def points(self) -> float:
        """Weight times degree."""
        return self.effect.weight * self.degree


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The weighed result."""

    recommendation: Option
    runner_up: Option
    confidence: Confidence
    margin: float
    """Points between the recommendation and the runner-up; never negative, 0 for a tie that the simpler option won."""
    scores: Mapping[Option, float]
    ranking: tuple[Option, ...]
    contributions: tuple[Contribution, ...]
    gate: Gate | None
    """The gate that gave the answer, if one did."""
    excluded: Mapping[Option, Gate]
    """Options that a gate took out."""


def judge(facts: Facts, rubric: Rubric) -> Verdict:
    """Weigh the facts: gates first, then the sum of contributions; the same facts give the same verdict."""
    contributions = _contributions(facts, rubric)
    scores = {option: sum(c.points for c in contributions if c.option == option) for option in SCORED}
    most = max(scores.values())
    gates = [gate for gate in rubric.gates if gate.holds(facts) and (gate.below is None or most < gate.below)]
    gate = next((gate for gate in gates if gate.answer), None)
    excluded = {option: gate for gate in reversed(gates) for option in gate.excludes}
    barred = {*excluded, *_needless(facts, rubric, contributions)}
    eligible = [option for option in SCORED if option not in barred]
    ranking = _rank(scores, eligible, rubric.rule.tie)
    lead = rubric.rule.gate_lead if gate is None or gate.lead is None else gate.lead
    scores["other"] = scores[ranking[0]] + lead if gate else 0.0
    ranking = ("other", *ranking) if gate else ranking
    runner_up = ranking[1] if len(ranking) > 1 else max(SCORED[1:], key=lambda each: scores[each])
    margin = max(0.0, scores[ranking[0]] - scores[runner_up])
    return Verdict(
        recommendation=ranking[0],
        runner_up=runner_up,
        confidence=_confidence(margin, {c.fact for c in contributions if c.fact}, gate, rubric),
        margin=margin,
        scores={option: round(scores[option], 2) for option in OPTIONS},
        ranking=ranking,
        contributions=contributions,
        gate=gate,
        excluded=excluded,
    )


def _contributions(facts: Facts, rubric: Rubric) -> tuple[Contribution, ...]:
    found = [_prior(option, option, effect) for option, effect in rubric.prior.items()]
    halves: tuple[Option, ...] = ("fine_tuning", "rag")
    # A combination carries the standing costs of its halves as well as its own.
    found += [_prior("rag+fine_tuning", half, rubric.prior[half]) for half in halves]
    for criterion in rubric.criteria:
        degree = criterion.degree(facts)
        if degree:
            found += _weighed(criterion, degree)
    return tuple(found)


def _weighed(criterion: Criterion, degree: float) -> Iterator[Contribution]:
    for option, effect in criterion.effects.items():
        options: list[Option] = [option]
        if _counts_for_both(criterion.kind, option):
            options.append("rag+fine_tuning")
        for each in options:
            yield Contribution(
                criterion=criterion.id, fact=criterion.fact, option=each, half=option, degree=degree, effect=effect
            )


def _prior(option: Option, half: Option, effect: Effect) -> Contribution:
    return Contribution(criterion="prior", fact="", option=option, half=half, degree=1.0, effect=effect)


def _counts_for_both(kind: str, option: Option) -> bool:
    """Each half of a combination answers for its own kind of need; circumstances weigh on both halves."""
    halves = {"knowledge": ("rag",), "behaviour": ("fine_tuning",), "circumstance": ("rag", "fine_tuning")}
    return option in halves.get(kind, ())


def _needless(facts: Facts, rubric: Rubric, contributions: tuple[Contribution, ...]) -> set[Option]:
    """Name the options that lack what they live on: something to look up, something to learn, or both."""
    kinds = {criterion.id: criterion.kind for criterion in rubric.criteria}

    def need(kind: str, option: Option) -> float:
        return sum(c.points for c in contributions if c.option == option and kinds.get(c.criterion) == kind)

    knowledge, behaviour = need("knowledge", "rag"), need("behaviour", "fine_tuning")
    rule, labelled = rubric.rule, _labelled(facts, rubric)
    least = rule.both_behaviour_unlabelled if labelled is None else rule.both_behaviour
    checks: list[tuple[Option, bool]] = [
        ("rag", knowledge > 0),
        ("fine_tuning", behaviour > 0 or bool(labelled)),
        ("rag+fine_tuning", labelled is not False and knowledge >= rule.both_knowledge and behaviour >= least),
    ]
    return {option for option, met in checks if not met and facts.told_like != option}


def _labelled(facts: Facts, rubric: Rubric) -> bool | None:
    """Tell whether there are enough examples to train on; None while unknown."""
    if facts.labelled_examples is not None:
        return facts.labelled_examples >= rubric.rule.both_labels
    return facts.labels_exist


def _rank(scores: Mapping[Option, float], eligible: list[Option], tie: float) -> tuple[Option, ...]:
    """Order the options by score; of those within `tie` of the best, the simplest leads."""
    order = sorted(eligible, key=lambda option: (-scores[option], SCORED.index(option)))
    best = scores[order[0]]
    level = [option for option in order if best - scores[option] <= tie]
    first = min(level, key=SCORED.index)
    return (first, *(option for option in order if option != first))


def _confidence(margin: float, weighed: set[str], gate: Gate | None, rubric: Rubric) -> Confidence:
    rule = rubric.rule
    facts = len(weighed) + (len(gate.needs) + len(gate.at_least) if gate else 0)
    if margin >= rule.high_margin and facts >= rule.high_known:
        return "high"
    return "medium" if margin >= rule.medium_margin else "low"
