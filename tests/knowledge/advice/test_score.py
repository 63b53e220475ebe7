"""Weighing facts: signs, gates, combination, ties and monotony."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.advice.facts import ALLOWED, NAMES, NUMBERS, Facts, UnknownFact, from_mapping, known, merge, with_fact
from knowledge.advice.rubric import OPTIONS, load_rubric
from knowledge.advice.score import judge
from knowledge.sources import load_guide

RUBRIC = load_rubric()


def value_of(name: str) -> st.SearchStrategy[object]:
    if name in NUMBERS:
        return st.one_of(st.none(), st.integers(0, 10**10))
    if name in ALLOWED:
        return st.one_of(st.none(), st.sampled_from(ALLOWED[name]))
    return st.sampled_from([None, True, False])


any_facts = st.fixed_dictionaries({name: value_of(name) for name in NAMES}).map(from_mapping)


def test_knowing_nothing_means_start_with_a_prompt() -> None:
    """Without facts the cheapest option leads, with low confidence."""
    verdict = judge(Facts(), RUBRIC)
    assert (verdict.recommendation, verdict.confidence) == ("prompting", "low")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(private_facts=True, facts_change="weekly"), "rag"),
        (Facts(private_facts=True, facts_change="never", corpus_tokens=100_000), "prompting"),
        (Facts(closed_labels=True, labelled_examples=800), "fine_tuning"),
        (Facts(closed_labels=True, labelled_examples=68, few_shot_tried=False), "prompting"),
        (Facts(private_facts=True, misuses_retrieved_text=True), "rag+fine_tuning"),
        (Facts(private_facts=True, fixed_voice=True, labelled_examples=20), "rag"),
        (Facts(numeric_prediction=True, labelled_examples=9000), "other"),
        (Facts(ruinous_error=True), "other"),
        (Facts(ruinous_error=True, human_review=True), "prompting"),
        (Facts(exact_figures_from_db=True, writes_queries=True, labelled_examples=900), "fine_tuning"),
        (Facts(odd_format=True, labelled_examples=900, prompting_tried=False), "prompting"),
        (Facts(odd_format=True, labelled_examples=900, training_open=False), "prompting"),
        (Facts(failure_kind="ability"), "other"),
        (Facts(failure_kind="ability", labelled_examples=99), "other"),
        (Facts(failure_kind="ability", fixed_voice=True, prompted_accuracy_near_target=False), "fine_tuning"),
        (Facts(told_like="fine_tuning", closed_labels=True, labelled_examples=68), "prompting"),
        (Facts(told_like="fine_tuning", closed_labels=True, labelled_examples=168), "fine_tuning"),
        (Facts(failure_kind="ability", labelled_examples=2000), "fine_tuning"),
        (Facts(failure_kind="ability", labels_exist=True, closed_labels=True), "fine_tuning"),
        (Facts(failure_kind="ability", private_facts=True, misuses_retrieved_text=True), "rag+fine_tuning"),
        (Facts(prompted_accuracy_near_target=True), "prompting"),
        (Facts(prompted_accuracy_near_target=True, cost_pressure=True, labels_exist=True), "fine_tuning"),
        (Facts(prompted_accuracy_near_target=True, shrink_model=True, labels_exist=True), "fine_tuning"),
    ],
)
def test_plain_cases_come_out_as_the_sources_say(facts: Facts, expected: str) -> None:
    """Hand-made facts give the answer that the frameworks agree on."""
    assert judge(facts, RUBRIC).recommendation == expected


def test_a_gate_names_itself_and_what_it_takes_out() -> None:
    """The verdict says which gate answered and which one excluded."""
    assert getattr(judge(Facts(json_schema_only=True), RUBRIC).gate, "id", None) == "G3"
    assert judge(Facts(prompting_tried=False), RUBRIC).excluded["fine_tuning"].id == "G6"


@settings(max_examples=150, deadline=None)
@given(any_facts)
def test_any_facts_give_a_verdict_that_adds_up(facts: Facts) -> None:
    """Each option's score is the sum of its contributions, and a gate or the rule picks the answer."""
    verdict = judge(facts, RUBRIC)
    for option in OPTIONS[:-1]:
        total = sum(each.points for each in verdict.contributions if each.option == option)
        assert verdict.scores[option] == pytest.approx(total, abs=0.01)
    assert verdict.recommendation not in verdict.excluded
    assert verdict.recommendation != verdict.runner_up
    assert verdict == judge(facts, RUBRIC)


@settings(max_examples=150, deadline=None)
@given(any_facts, st.integers(0, 3000), st.integers(0, 3000))
def test_more_examples_never_speak_against_training(facts: Facts, few: int, more: int) -> None:
    """With all else equal the score of fine-tuning does not fall as examples are added."""
    low, high = (with_fact(facts, "labelled_examples", count) for count in sorted((few, more)))
    assert judge(low, RUBRIC).scores["fine_tuning"] <= judge(high, RUBRIC).scores["fine_tuning"]


@settings(max_examples=100, deadline=None)
@given(any_facts)
def test_faster_change_never_speaks_for_training(facts: Facts) -> None:
    """With all else equal, the faster facts change the lower fine-tuning scores, and RAG the higher."""
    verdicts = [judge(with_fact(facts, "facts_change", often), RUBRIC) for often in ALLOWED["facts_change"]]
    assert [v.scores["fine_tuning"] for v in verdicts] == sorted(
        (v.scores["fine_tuning"] for v in verdicts), reverse=True
    )
    assert [v.scores["rag"] for v in verdicts] == sorted(v.scores["rag"] for v in verdicts)


def test_every_criterion_has_effects_reasons_and_known_facts() -> None:
    """The rubric speaks only of facts that exist, and every weight has words and a source."""
    for criterion in RUBRIC.criteria:
        assert criterion.fact in NAMES
        assert criterion.effects
        assert all(effect.says and RUBRIC.sources[effect.source].title for effect in criterion.effects.values())


def test_every_fact_that_can_be_asked_has_complete_answers() -> None:
    """The chances of the answers to a question add up to one, and each answer is a legal value."""
    for name, text in RUBRIC.facts.items():
        for choice in text.choices:
            with_fact(Facts(), name, choice.value)
        assert not text.choices or sum(choice.p for choice in text.choices) == pytest.approx(1)
        assert bool(text.ask) == bool(text.choices)


def test_cited_guide_pages_exist_under_their_titles() -> None:
    """Each page that the rubric cites is in the guide with that title."""
    titles = {page.slug: page.title for page in load_guide()}
    assert {slug: titles.get(slug) for slug in RUBRIC.pages} == RUBRIC.pages


def test_facts_refuse_values_that_do_not_fit() -> None:
    """A wrong name, type or range is refused with a sentence; None makes a fact unknown again."""
    for name, value in [
        ("nonsense", True),
        ("facts_change", "hourly"),
        ("labelled_examples", -1),
        ("fixed_voice", "yes"),
    ]:
        with pytest.raises(UnknownFact):
            with_fact(Facts(), name, value)
    assert with_fact(Facts(fixed_voice=True), "fixed_voice", None) == Facts()


def test_merging_lets_the_newer_reading_win() -> None:
    """What is newly known replaces the old value, and what is not mentioned stays."""
    merged = merge(Facts(fixed_voice=True, facts_change="never"), Facts(facts_change="daily"))
    assert known(merged) == {"facts_change": "daily", "fixed_voice": True}
    assert from_mapping(dataclasses.asdict(merged)) == merged
