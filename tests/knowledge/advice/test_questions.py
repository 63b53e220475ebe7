"""Which questions are worth asking: expected value over the rubric, computed and not listed."""

import dataclasses

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from knowledge.advice import outlook
from knowledge.advice.advise import MOST_QUESTIONS, advise
from knowledge.advice.facts import Facts, with_fact
from knowledge.advice.rubric import Rubric, load_rubric
from knowledge.advice.score import judge
from tests.knowledge.advice.test_score import any_facts

RUBRIC = load_rubric()
ALL = len(RUBRIC.facts)


def asked(facts: Facts, rubric: Rubric = RUBRIC, most: int = ALL) -> list[str]:
    return list(outlook.questions(judge(facts, rubric), outlook.flips(facts, rubric), rubric, most))


def without(fact: str) -> Rubric:
    """The rubric as if nothing depended on a fact."""
    return dataclasses.replace(
        RUBRIC,
        criteria=tuple(each for each in RUBRIC.criteria if fact not in (each.fact, each.unless_known)),
        gates=tuple(each for each in RUBRIC.gates if fact not in {*each.needs, *each.at_least, *each.unless}),
    )


@settings(max_examples=40, deadline=None)
@given(any_facts)
def test_what_changes_nothing_is_never_asked(facts: Facts) -> None:
    """A fact whose every answer leaves all scores and the recommendation as they are is not asked."""
    base = judge(facts, RUBRIC)
    for fact in asked(facts):
        verdicts = [judge(with_fact(facts, fact, choice.value), RUBRIC) for choice in RUBRIC.facts[fact].choices]
        assert any(v.scores != base.scores or v.recommendation != base.recommendation for v in verdicts)


@pytest.mark.parametrize("fact", [name for name, text in RUBRIC.facts.items() if text.ask])
def test_a_fact_is_asked_only_because_of_the_rubric(fact: str) -> None:
    """Each askable fact is asked somewhere; taken out of the rubric's criteria and gates, it is asked nowhere."""
    known = Facts(**dict(RUBRIC.facts[fact].needs))  # type: ignore[arg-type]
    told = (
        Facts(),
        known,
        *(with_fact(known, name, True) for name in ("closed_labels", "hard_to_describe", "fixed_voice")),
    )
    places = [facts for facts in told if getattr(facts, fact) is None]
    assert any(fact in asked(facts) for facts in places)
    assert not any(fact in asked(facts, without(fact)) for facts in places if fact != "labelled_examples")


def test_nobody_is_asked_how_a_prompt_did_that_nobody_tried() -> None:
    """Where no prompt was tried, how close the best one comes is no question; where one was, it is."""
    fact = "prompted_accuracy_near_target"
    assert fact not in asked(Facts(fixed_voice=True, prompting_tried=False))
    assert fact in asked(Facts(fixed_voice=True, prompting_tried=True))


def test_the_order_changes_with_the_facts() -> None:
    """What is worth most depends on what is known: knowledge first for one case, behaviour first for another."""
    cases = (
        Facts(private_facts=True),
        Facts(closed_labels=True, labelled_examples=300),
        Facts(fixed_voice=True, private_facts=False),
        Facts(closed_labels=True, private_facts=False, prompting_tried=True),
    )
    assert len({tuple(asked(facts, most=3)) for facts in cases}) == len(cases)


def test_likelier_and_weightier_answers_are_worth_more() -> None:
    """With the probability of the answers that matter at zero, a question loses its place."""
    facts = Facts(private_facts=True, facts_change="weekly", needs_citations=True)
    first = asked(facts)[0]
    text = RUBRIC.facts[first]
    base = judge(facts, RUBRIC).recommendation
    tame = tuple(
        dataclasses.replace(c, p=0.0 if judge(with_fact(facts, first, c.value), RUBRIC).recommendation != base else c.p)
        for c in text.choices
    )
    tamed = {
        **RUBRIC.facts,
        first: dataclasses.replace(text, choices=tuple(dataclasses.replace(c, p=c.p / 9) for c in tame)),
    }
    assert asked(facts, dataclasses.replace(RUBRIC, facts=tamed))[:1] != [first]


@settings(max_examples=40, deadline=None)
@given(any_facts, st.data())
def test_skipping_lets_the_next_best_question_in(facts: Facts, data: st.DataObject) -> None:
    """At most three are asked; without the skipped one the order of all others stays as it was."""
    order = asked(facts)
    assume(order)
    gone = data.draw(st.sampled_from(order))
    left = [fact for fact in order if fact != gone]
    shown = [question.fact for question in advise("", facts=facts, skipped={gone}).questions]
    assert shown == left[:MOST_QUESTIONS]
