"""What a task's own words demand is read, said and kept out of everything else; what only tells is left alone."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.evals.drafts import draft_rows
from trainers.evals.plan import make_plan
from trainers.evals.plans.costs import read_costs
from trainers.evals.plans.goals import read_goals

SORT = "Sort support tickets into billing, returns, technical, other"
LABELS = ("billing", "returns", "technical", "other")

TARGETS = [
    ("at least 80% right", "0.8"),
    ("must be 95% accurate", "0.95"),
    ("it must be 95% accurate", "0.95"),
    ("with an accuracy of 90 %", "0.9"),
    ("accuracy of 90 %", "0.9"),
    ("accuracy must be at least 92.5%", "0.925"),
    ("accuracy >= 0.9", "0.9"),
    ("9 out of 10 correct", "0.9"),
    ("nine out of ten must be right", "0.9"),
    ("no more than 5% wrong", "0.95"),
    ("at most 1 in 20 may be wrong", "0.95"),
    ("with an error rate below 5 percent", "0.95"),
    ("at least 90% of the tickets must be sorted correctly", "0.9"),
    ("at least 85% of them in the right queue", "0.85"),
    ("we need at least 80 percent right", "0.8"),
    ("and get it right 95% of the time", "0.95"),
    ("more than 90% right", "0.9"),
    ("100% correct", "1"),
    ("success means 80% or more correct", "0.8"),
    ("the target is 80%", "0.8"),
]
EFFECTS = [
    ("at least 3 points better than prompting", "0.03"),
    ("it should be at least 3 percentage points better than the prompted base", "0.03"),
    ("3 points better", "0.03"),
    ("must beat prompting by 7.5 points", "0.075"),
    ("at least 4% better than few-shot prompting", "0.04"),
]
NO_GOALS = [
    "we have 80% of the tickets in English",
    "we get 70% right today",
    "the current prompt is 85% accurate",
    "GPT reaches 85% accuracy",
    "our agents were 95% correct last year",
    "it need not be 95% accurate",
    "it doesn't have to be 95% accurate",
    "80% of them come by mail",
    "customers get 20% off",
    "with a 95% confidence interval",
    "at least 80% of our customers ask for the right size",
    "VAT is 19%",
    "the parcel is 3 points above the limit of our scale",
    "customers collect at least 3 points",
    "10 points better than our competitor",
    "no more than 5% of tickets are returns",
    "at most 5% right",
    "150% accurate",
    "the goal is 80% fewer letters",
]


@pytest.mark.parametrize(("words", "share"), TARGETS)
@pytest.mark.parametrize("joined", ["{task}, {words}", "{task}; {words}.", "{task}. {Words}.", "{Words}. {task}"])
def test_a_target_is_read_wherever_it_stands(words: str, share: str, joined: str) -> None:
    """The share counts as target and is told as an assumption; labels and the words left are as without it."""
    task = joined.format(task=SORT, words=words, Words=words[0].upper() + words[1:])
    plan = make_plan(task)
    assert plan.target == Decimal(share)
    assert plan.labels == LABELS
    assert plan.instruction.rstrip(".") == SORT
    assert plan.task == task
    (told,) = [each for each in plan.assumptions if "target" in each.says]
    assert f"{(Decimal(share) * 100).normalize():f}% right" in told.says
    assert "--target" in told.correct
    assert "Change" in told.correct


@pytest.mark.parametrize(("words", "share"), EFFECTS)
@pytest.mark.parametrize("joined", ["{task}, {words}", "{task}. {words}."])
def test_a_smallest_useful_effect_is_read(words: str, share: str, joined: str) -> None:
    """Points above prompting are the smallest useful effect, with its rows; they are no target."""
    plan = make_plan(joined.format(task=SORT, words=words))
    assert (plan.useful_effect, plan.target) == (Decimal(share), None)
    assert plan.labels == LABELS
    assert plan.instruction.rstrip(".") == SORT
    assert any("smallest useful effect" in each.says and "--effect" in each.correct for each in plan.assumptions)


@pytest.mark.parametrize("words", NO_GOALS)
@pytest.mark.parametrize("joined", ["{task}. {Words}.", "{task}; {words}", "{Words}. {task}"])
def test_what_only_tells_is_no_target(words: str, joined: str) -> None:
    """How things are, what is denied, and shares of other things set nothing and stay in the task."""
    task = joined.format(task=SORT, words=words, Words=words[0].upper() + words[1:])
    plan = make_plan(task)
    assert (plan.target, plan.useful_effect) == (None, Decimal("0.05"))
    assert plan.instruction == task


@pytest.mark.parametrize(
    "task",
    ["Tell whether at least 80% of the fields are correct", "Explain what 80% accuracy means", "Say if 90% is right"],
)
def test_a_question_about_shares_is_the_task_itself(task: str) -> None:
    """What a model is to find out or explain is no demand on the model."""
    assert read_goals(task)[:1] == (None,)
    assert read_goals(task).task == task


def test_target_and_effect_stand_side_by_side() -> None:
    """Both are read from one sentence, in the middle of a task too; a second target is named as left out."""
    both = make_plan(f"{SORT}, at least 80% right and at least 3 points better than prompting")
    assert (both.target, both.useful_effect, both.instruction) == (Decimal("0.8"), Decimal("0.03"), SORT)
    middle = make_plan("Sort tickets with an accuracy of 90 % into billing, returns, other")
    assert middle.instruction == "Sort tickets into billing, returns, other"
    two = make_plan(f"{SORT}. At least 80% right. Better: at least 95% right.")
    assert two.target == Decimal("0.8")
    assert any("left out “at least 95% right”" in each.says for each in two.assumptions)


def test_options_count_before_words() -> None:
    """A named target or effect wins, no assumption tells of the words then, and words can be left out of account."""
    task = f"{SORT}, at least 80% right, at least 3 points better than prompting"
    named = make_plan(task, target=Decimal("0.7"), useful_effect=Decimal("0.1"))
    assert (named.target, named.useful_effect) == (Decimal("0.7"), Decimal("0.1"))
    assert not any("you wrote “at least" in each.says for each in named.assumptions)
    silent = make_plan(task, words_count=False)
    assert (silent.target, silent.useful_effect, silent.instruction) == (None, Decimal("0.05"), SORT)
    assert make_plan(task, costs=read_costs("20", "20", ())).target == Decimal("0.8")


def test_a_graded_metric_takes_no_share_of_right_answers() -> None:
    """Free text is not right or wrong, so the words set no target, and the plan says why."""
    plan = make_plan("Write product descriptions, at least 90% correct")
    assert plan.target is None
    assert "graded metric" in plan.target_from


@pytest.mark.parametrize(
    "task",
    [SORT, "Write release notes in our voice", "Answer questions from our docs", "Refuse requests for legal advice",
     "Extract vendor, date and total into JSON"],
)  # fmt: skip
def test_no_draft_is_told_how_good_it_must_be(task: str) -> None:
    """The system prompt of drafted rows says what to do and not which share must be right."""
    made = draft_rows(make_plan(f"{task}; must be 95% accurate"), count=5, seed=7)
    assert made[0].messages == draft_rows(make_plan(task), count=5, seed=7)[0].messages
    assert not any("95" in each.messages[0].content for each in made)


_PIECES = [words for words, _ in (*TARGETS, *EFFECTS)] + NO_GOALS + [SORT, ",", ".", "and", "but", "\n", "(", ")"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=12)), max_size=6))
def test_any_mixture_gives_shares_and_a_task(pieces: list[str]) -> None:
    """Whatever stands together, shares are between 0 and 1, something is left of the task, and nothing was added."""
    task = " ".join(pieces)
    goals = read_goals(task)
    assert goals.target is None or 0 < goals.target <= 1
    assert goals.effect is None or 0 < goals.effect < 1
    assert len(goals.task) <= len(task)
    assert any(map(str.isalnum, goals.task)) == any(map(str.isalnum, task))
