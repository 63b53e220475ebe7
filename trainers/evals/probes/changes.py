"""What a training changed in the answers to the probes: guardrails, skills and the worst losses; it asks no model."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trainers.evals.guardrails import Guardrail, GuardrailResult, guardrails, judge
from trainers.evals.probes.scoring import scores
from trainers.evals.probes.suite import SUITES, Probe

Outputs = Mapping[str, str]
"""Probe id -> answer."""

WORST = 5  # lost probes shown in full


class SkillChange(NamedTuple):
    """One skill or category of probes, before and after."""

    suite: str
    """The suite that it belongs to."""
    group: str
    """The skill or category."""
    n: int
    """Probes in it that were answered before."""
    before: int
    """As they should be before."""
    after: int
    """As they should be after."""
    lost: int
    """As they should be before only."""
    gained: int
    """As they should be after only."""


class LostProbe(NamedTuple):
    """A probe answered as it should be before and not after, in full."""

    id: str
    """The probe."""
    group: str
    """Its skill or category."""
    question: str
    """What was asked, all turns."""
    before: str
    """The base model's answer."""
    after: str
    """The tuned model's answer; empty if there was none."""


def judge_suites(
    probes: Sequence[Probe],
    before: Outputs,
    after: Outputs,
    rails: Sequence[Guardrail] | None = None,
    *,
    labels: Sequence[str] = (),
) -> tuple[GuardrailResult, ...]:
    """Judge each suite by the guardrail of its name; `labels` is the task's closed set, if it has one.

    A probe that the base did not answer is left out; one that only the tuned model left unanswered counts as wrong.
    """
    chosen = guardrails(SUITES) if rails is None else [rail for rail in rails if rail.name in SUITES]
    results = []
    for rail in chosen:
        asked = [probe for probe in probes if probe.suite == rail.name and probe.id in before]
        results.append(judge(rail, scores(asked, before, labels), scores(asked, after, labels)))
    return tuple(results)


def per_skill(
    probes: Sequence[Probe], before: Outputs, after: Outputs, *, labels: Sequence[str] = ()
) -> tuple[SkillChange, ...]:
    """Count by skill and category, in the order of the probes: where a suite lost, not only that it did."""
    groups: dict[tuple[str, str], list[tuple[bool, bool]]] = {}
    for probe, was, is_now in _marked(probes, before, after, labels):
        groups.setdefault((probe.suite, probe.group), []).append((was, is_now))
    return tuple(
        SkillChange(
            suite=suite,
            group=group,
            n=len(marks),
            before=sum(was for was, _ in marks),
            after=sum(is_now for _, is_now in marks),
            lost=sum(was and not is_now for was, is_now in marks),
            gained=sum(is_now and not was for was, is_now in marks),
        )
        for (suite, group), marks in groups.items()
    )


def worst_lost(
    probes: Sequence[Probe], before: Outputs, after: Outputs, *, labels: Sequence[str] = (), most: int = WORST
) -> tuple[LostProbe, ...]:
    """Show up to `most` lost probes: one of each skill before a second of any, the skill with most losses first."""
    lost: dict[tuple[str, str], list[Probe]] = {}
    for probe, was, is_now in _marked(probes, before, after, labels):
        if was and not is_now:
            lost.setdefault((probe.suite, probe.group), []).append(probe)
    by_loss = sorted(lost.values(), key=len, reverse=True)
    turns = [(turn, place, probe) for place, group in enumerate(by_loss) for turn, probe in enumerate(group)]
    chosen = [probe for _, _, probe in sorted(turns, key=lambda item: item[:2])[:most]]
    return tuple(
        LostProbe(probe.id, probe.group, probe.question, before[probe.id], after.get(probe.id, "")) for probe in chosen
    )


def _marked(
    probes: Sequence[Probe], before: Outputs, after: Outputs, labels: Sequence[str]
) -> list[tuple[Probe, bool, bool]]:
    asked = [probe for probe in probes if probe.id in before]
    return list(zip(asked, scores(asked, before, labels), scores(asked, after, labels), strict=True))
