"""The comparison of all options by what people trade off."""

from knowledge.advice.advise import advise
from knowledge.advice.compare import _levels, compare
from knowledge.advice.facts import Facts
from knowledge.advice.rubric import OPTIONS, load_rubric


def rows(facts: Facts) -> dict[str, object]:
    return {row.option: row for row in compare(advise("", facts=facts))}


def test_levels_name_every_option_and_a_known_source() -> None:
    """Levels are data with a date, and each option's come from a source of the rubric."""
    assert set(OPTIONS) <= _levels().keys()
    assert all(_levels()[option]["source"] in load_rubric().sources for option in OPTIONS)


def test_the_recommendation_leads_and_ranks_are_shared_by_equals() -> None:
    """The best option comes first with rank 1 in quality; prompting is cheapest, a combination dearest."""
    ranked = compare(advise("", facts=Facts(private_facts=True, facts_change="weekly")))
    assert (ranked[0].option, ranked[0].quality.rank, ranked[0].quality.words) == ("rag", 1, "best")
    told = {row.option: row for row in ranked}
    assert told["prompting"].cost.rank == told["prompting"].time.rank == 1
    assert told["rag+fine_tuning"].cost.rank == 5
    assert told["rag"].updating.rank == told["prompting"].updating.rank == 1


def test_examples_at_hand_make_training_cheaper() -> None:
    """With a hundred good examples training costs less to begin with than without any."""
    without, with_them = rows(Facts(fixed_voice=True)), rows(Facts(fixed_voice=True, labelled_examples=500))
    assert with_them["fine_tuning"].cost.rank < without["fine_tuning"].cost.rank  # type: ignore[attr-defined]


def test_something_else_is_best_where_a_gate_says_so() -> None:
    """Where a gate answers, something else leads; elsewhere it is last."""
    assert compare(advise("", facts=Facts(numeric_prediction=True)))[0].option == "other"
    assert compare(advise("", facts=Facts(closed_labels=True)))[-1].option == "other"
