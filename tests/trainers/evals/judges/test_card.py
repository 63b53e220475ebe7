"""What a report says of a judge, and how agreement is counted."""

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa, to_table

from trainers.evals.judges.agreement import Label, among_people, kappa, with_people
from trainers.evals.judges.card import JudgeCard, judge_card
from trainers.evals.judges.pairwise import Judged, Judging, Side
from trainers.evals.stats import wilson

ORDERS: dict[str, tuple[Side | None, Side | None]] = {
    "tuned": ("tuned", "tuned"),
    "base": ("base", "base"),
    "tie": ("tie", "tie"),
    "flip": ("base", "tuned"),
    "waver": ("tie", "tuned"),
    "half": ("tuned", None),
}


def card(
    *kinds: str, labels: tuple[Label, ...] = (), stopped: str = "", lengths: tuple[int, int] = (100, 120)
) -> JudgeCard:
    rows = tuple(Judged(place, *ORDERS[kind], lengths) for place, kind in enumerate(kinds))
    judging = Judging(rows, 0, 0, 500, False, stopped, "", "ab" * 32)
    return judge_card(judging, judge="some-judge", host="judge.example", labels=labels)


def test_the_sentence_gives_share_interval_flips_and_agreement() -> None:
    """The numbers that let a reader believe a judge stand in one sentence."""
    kinds = ["tuned"] * 6 + ["base"] * 3 + ["flip"]
    labels = tuple(Label(row, "U1", "tuned" if row < 6 else "base") for row in range(9))
    span = (wilson(6, 10).low, wilson(7, 10).high)
    made = card(*kinds, labels=labels)
    assert made.sentence == (
        f"Judge some-judge, both orders: tuned preferred in 65% ({span[0] * 100:.0f}-{span[1] * 100:.0f}%), flipped in "
        "10% of rows, agrees with people in 9 of 9 labels (κ 1.00), which are few."
    )
    assert made.unusable == ""


def test_without_labels_the_sentence_says_so() -> None:
    """Nothing is claimed about people while nobody has labelled anything."""
    assert "nobody has labelled pairs yet" in card("tuned", "base").sentence


def test_wavering_is_a_tie_but_no_flip_and_half_a_verdict_is_none() -> None:
    """A tie in one order and a side in the other does not count as decided by the order; one order alone is missing."""
    made = card("waver", "half", "tuned", stopped="The tokens are used up.")
    assert (made.ties, made.flipped, made.judged, made.n) == (1, 0, 2, 3)
    assert made.sentence.endswith("1 of 3 rows have no verdict. The tokens are used up.")


def test_a_fifth_of_flips_is_borne_and_more_is_not() -> None:
    """The limit of 20% is read from the shipped figures."""
    assert card(*["flip"] * 2, *["tuned"] * 8).unusable == ""
    assert "more than 20%" in card(*["flip"] * 3, *["tuned"] * 7).unusable


def test_length_is_laid_open() -> None:
    """Lengths of winners and losers, and the share among answers of about equal length."""
    made = card("tuned", "base", "tuned", lengths=(100, 200))
    assert made.winner_length == pytest.approx((200 + 100 + 200) / 3)
    assert made.loser_length == pytest.approx((100 + 200 + 100) / 3)
    assert (made.even.n, made.even.rate, made.even.low, made.even.high) == (0, None, 0.0, 1.0)
    assert card("tuned", "base", lengths=(100, 125)).even.n == 2


def test_equal_answers_everywhere_need_no_judge() -> None:
    """Two models that say the same are said to say the same."""
    rows = (Judged(1, "tie", "tie", (4, 4), same=True),)
    made = judge_card(Judging(rows, 0, 0, 0, False, "", "", ""), judge="some-judge")
    assert made.sentence == "No judge was asked: both models give the same answer to every row."


@given(st.lists(st.sampled_from(sorted(ORDERS)), max_size=30))
def test_a_card_survives_json_and_counts_every_row_once(kinds: list[str]) -> None:
    """What was written is read back equal, and wins, losses, ties and rows without a verdict are all rows."""
    made = card(*kinds, labels=(Label(0, "U1", "tuned"),))
    assert JudgeCard.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert made.judged + kinds.count("half") == len(kinds)
    assert 0 <= made.win_rate.low <= (made.win_rate.rate or 0) or made.win_rate.rate is None
    assert made.sentence


SIDES: tuple[Side, ...] = ("base", "tie", "tuned")


@given(st.lists(st.sampled_from(list(product(SIDES, SIDES))), min_size=1, max_size=60))
def test_kappa_is_cohens(both: list[tuple[Side, Side]]) -> None:
    """Our kappa is that of statsmodels wherever that one is a number."""
    ours = kappa(both)
    if ours is not None:
        table, _ = to_table([[SIDES.index(one), SIDES.index(other)] for one, other in both], 3)
        assert ours == pytest.approx(cohens_kappa(table, return_results=False))
    else:
        assert len(set(both)) == 1


def test_agreement_counts_each_persons_label() -> None:
    """Rates are over people's choices: where they preferred tuned or base; a judge's tie is a miss for both."""
    judged: dict[int, Side] = {1: "tuned", 2: "tie", 3: "base", 4: "tuned"}
    labels = [Label(1, "U1", "tuned"), Label(1, "U2", "tuned"), Label(2, "U1", "tuned"), Label(3, "U1", "base")]
    labels += [Label(4, "U1", "base"), Label(9, "U1", "tie")]
    found = with_people(judged, labels)
    assert found is not None
    assert (found.labels, found.agreed, found.tpr, found.tnr) == (5, 3, (2, 3), (1, 2))
    assert found.tpr_interval == wilson(2, 3)
    assert with_people(judged, labels[-1:]) is None
    people = among_people(labels)
    assert people is not None
    assert (people.labels, people.agreed) == (1, 1)
    assert among_people(labels[2:]) is None
