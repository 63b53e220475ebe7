"""The table of options: does each fit, how much work is it, and why; it words a verdict that others have weighed."""

from dataclasses import dataclass

from knowledge.advice import outlook
from knowledge.advice.citations import Citations
from knowledge.advice.facts import Facts
from knowledge.advice.figures import figures_of, load_figures
from knowledge.advice.rubric import Effect, Option, Rubric
from knowledge.advice.score import Contribution, Verdict


@dataclass(frozen=True, kw_only=True)
class OptionView:
    """One row of the table of options."""

    option: Option
    name: str
    fits: str
    """"yes", "no", "partly", or "only if ..."."""
    complexity: str
    """"hours", "days" or "weeks"."""
    main_reason: str
    """One clause, ending with the number of its source in brackets."""
    score: float
    cost: str
    """What it costs to build, in a word: "none", "low", "medium", "high" or "highest"."""
    upkeep: str
    """What it takes to keep, in a word: "low", "medium", "high" or "highest"."""


def view(
    option: Option, verdict: Verdict, facts: Facts, others: tuple[outlook.Flip, ...], rubric: Rubric, cited: Citations
) -> OptionView:
    """Word one row of the table."""
    fits, effect = _fit(option, verdict, facts, others, rubric)
    text = rubric.options[option]
    effort = text.effort
    if text.effort_with_labels and (facts.labelled_examples or 0) >= rubric.rule.both_labels:
        effort = text.effort_with_labels
    if option == "other" and verdict.gate:
        effort = verdict.gate.effort
    figures = figures_of(option, facts, verdict.gate, rubric)
    return OptionView(
        option=option,
        name=text.name,
        fits=fits,
        complexity=effort,
        main_reason=f"{effect.says} [{cited.of(effect)}]",
        score=verdict.scores[option],
        cost=figures["cost"]["words"].partition(":")[0],
        upkeep=load_figures()["levels"][str(figures["maintenance"]["level"])],
    )


def _fit(
    option: Option, verdict: Verdict, facts: Facts, others: tuple[outlook.Flip, ...], rubric: Rubric
) -> tuple[str, Effect]:
    """Say whether an option fits, and the effect that says why."""
    if option == verdict.recommendation:
        return "yes", _best(verdict, option, rubric)
    if gate := verdict.excluded.get(option):
        return "no", Effect(weight=0, says=gate.says, source=gate.source, guide=gate.guide)
    flip = None if verdict.gate else outlook.condition(option, others)
    if flip:
        return f"only if {flip.choice.words}", _best(flip.verdict, option, rubric, fact=flip.fact)
    if option == "other":
        beside = next((each.effect for each in rubric.alternatives if each.holds(facts)), None)
        return ("partly", beside) if beside else ("no", _plain(option, rubric, yes=False))
    if option == "rag+fine_tuning" and option not in verdict.ranking:
        return "no", _plain(option, rubric, yes=False)
    near = verdict.scores[verdict.ranking[0]] - verdict.scores[option] <= 2 * rubric.rule.medium_margin
    return ("partly" if near else "no"), _worst(verdict, option, rubric)


def _best(verdict: Verdict, option: Option, rubric: Rubric, fact: str = "") -> Effect:
    """Give the strongest effect for an option, preferring the named fact's."""
    if option == "other" and verdict.gate:
        return Effect(weight=0, says=verdict.gate.says, source=verdict.gate.source, guide=verdict.gate.guide)
    if option == "rag+fine_tuning":
        return _plain(option, rubric, yes=True)
    own = spoken(verdict, option)
    named = [each for each in own if each.fact == fact and each.points > 0]
    top = max(named or own, key=lambda each: each.points)
    if top.points > 0:
        return top.effect
    return rubric.prior[option] if rubric.prior[option].weight > 0 else _plain(option, rubric, yes=True)


def _worst(verdict: Verdict, option: Option, rubric: Rubric) -> Effect:
    low = min(spoken(verdict, option), key=lambda each: each.points)
    if low.points < 0:
        return low.effect
    return rubric.prior[option] if rubric.prior[option].weight < 0 else _plain(option, rubric, yes=False)


def _plain(option: Option, rubric: Rubric, *, yes: bool) -> Effect:
    text = rubric.options[option]
    return Effect(weight=0, says=text.yes if yes else text.no, source="openai_accuracy", guide=rubric.guide[option])


def spoken(verdict: Verdict, option: Option) -> list[Contribution]:
    """Give the contributions of one option, without its prior where anything else speaks."""
    own = [each for each in verdict.contributions if each.option == option]
    return [each for each in own if each.fact] or own
